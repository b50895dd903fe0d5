/* SPDX-License-Identifier: ISC */
#ifndef MIME_HEADER_H
#define MIME_HEADER_H

#include "base/buf.h"

/*
 * Header fields (RFC 5322 2.2): reading them one by one from a header that
 * is in memory, passing some of them through from one that streams, and
 * writing them.  Lines end in CRLF or LF.  A field's name is what stands
 * before the first colon, without trailing blanks; a line that is neither
 * field nor continuation belongs to no field and has an empty name.
 */
struct header_field {
	struct span name;	/* as written; empty: this is no field */
	struct span value;	/* after the colon, folds and all, without the
				   last line end */
	struct span whole;	/* name, colon, value and last line end */
};

/* Cut the next field off *rest.  False at the empty line that ends the
 * header (which is then cut off too) and at the end. */
bool header_next(struct span *rest, struct header_field *f);

/* Whether a line begins a field: a name of printable octets and a colon. */
bool header_is_field(struct span line);

/* Add the value without folds and without blanks around it. */
void header_unfold(struct span value, struct buf *to);

/* The value of the first field of that name.  False if there is none. */
bool header_find(struct span header, struct span name, struct span *value);

/*
 * HEADER.FIELDS over a header in pieces of any size, in constant memory:
 * fields whose name is in the list (any case) are added to *to as they are,
 * or with .not those whose name is not.  After the empty line nothing more
 * is added.  { .name = list, .names = n } is a fresh one.
 */
struct header_filter {
	const struct span *name;
	size_t names;
	bool not;
	bool done;		/* the empty line was seen */
	enum { FILTER_NAME, FILTER_PASS, FILTER_DROP } state;
	bool field;		/* pass what continues the field before */
	bool cr;		/* the line so far is a CR alone */
	struct buf line;	/* the line so far, until its name is known */
};
void header_filter_feed(struct header_filter *f, struct span octets,
    struct buf *to);
void header_filter_end(struct header_filter *f, struct buf *to);

/*
 * Add "Name: value" and CRLF, folded at blanks towards 78 columns (RFC 5322
 * 2.1.1).  False, and nothing is added, where the name is no field name or
 * the value holds CR, LF or NUL: nothing that came from outside can make a
 * field of its own.  Text beyond ASCII must be encoded before
 * (text/encode.h) unless the message may be RFC 6532.
 */
bool header_add(struct buf *to, struct span name, struct span value);

#endif
