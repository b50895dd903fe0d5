/* SPDX-License-Identifier: ISC */
#ifndef MIME_ADDR_H
#define MIME_ADDR_H

#include "base/buf.h"

/*
 * Address lists of header fields (RFC 5322 3.4 and 4.4), one address at a
 * time, in one pass over any octets.  What is no address is shown as the
 * nearest thing to one, nothing is refused and nothing is lost but stray
 * punctuation.
 *
 *     struct addr_list l = { .rest = value };
 *     struct addr a;
 *     while (addr_next(&l, &a)) …
 *     addr_list_free(&l);
 */
enum addr_kind {
	ADDR_MAILBOX,
	ADDR_GROUP,		/* "name:", the members follow */
	ADDR_GROUP_END		/* ";" or the end of the list */
};

struct addr {
	enum addr_kind kind;
	struct span name;	/* display name or last comment, unquoted, in
				   RFC 2047 form as it came; or empty */
	struct span route;	/* "@a,@b" of <@a,@b:c@d>, or empty */
	struct span local;	/* unquoted */
	struct span domain;	/* empty where there was no "@" */
	struct span raw;	/* where it stands in the list */
};

struct addr_list {
	struct span rest;
	bool group;		/* inside a group */
	bool no_quote, no_comment;	/* one is open to the end of rest */
	bool odd;		/* something so far is against the grammar, so
				   that others may see other addresses in it */
	struct buf name, route, local, domain, comment;
	struct buf unused;	/* a name inside of brackets */
};

/* The next one; a's spans (but raw) are valid until the next call. */
bool addr_next(struct addr_list *l, struct addr *a);
void addr_list_free(struct addr_list *l);

/* Another list, with the memory of this one. */
void addr_list_again(struct addr_list *l, struct span rest);

/* Add local@domain with the quotes that RFC 5322 wants. */
void addr_add(struct buf *to, struct span local, struct span domain);

/* Add a display name as a phrase: words, or a quoted string.  CR, LF and
 * NUL become blanks. */
void addr_add_name(struct buf *to, struct span name);

#endif
