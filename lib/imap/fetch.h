/* SPDX-License-Identifier: ISC */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "imap/wire.h"
#include "mime/section.h"

/* What FETCH asks for, RFC 3501 6.4.5 and RFC 3516 4.2. */
enum {
	FETCH_UID = 1, FETCH_FLAGS = 2, FETCH_INTERNALDATE = 4,
	FETCH_SIZE = 8, FETCH_ENVELOPE = 16, FETCH_BODY = 32,
	FETCH_BODYSTRUCTURE = 64,
	FETCH_DIGEST = FETCH_ENVELOPE | FETCH_BODY | FETCH_BODYSTRUCTURE
};

enum { FETCH_SECTIONS_MAX = 200 };

/* A section as it is; decoded; how many octets it has then. */
enum fetch_form { FETCH_AS_IS, FETCH_BINARY, FETCH_BINARY_SIZE };

struct fetch_section {
	enum fetch_form form;
	struct section section;	/* if decoded: SECTION_ALL */
	const char *label;	/* "RFC822.TEXT"; NULL: "BODY[…]" */
	bool peek;		/* does not set \Seen */
	bool partial;
	uint32_t offset, length;	/* if partial */
};

struct fetch {
	unsigned items;		/* FETCH_* */
	struct fetch_section *section;
	size_t sections;
};

/* fetch-att, a list of them, or ALL, FAST, FULL; in the arena. */
struct fetch lex_fetch(struct lex *l);

/* What stands between "BODY[" and "]". */
struct section lex_section(struct lex *l);

/* The name under which it is answered: "BODY[TEXT]<0>", "BINARY.SIZE[1]". */
void wire_fetch_label(struct out *o, const struct fetch_section *f);

#endif
