/* SPDX-License-Identifier: ISC */
#ifndef MIME_HEADER_H
#define MIME_HEADER_H

#include "base/buf.h"

/*
 * Header fields (RFC 5322 2.2): reading them one by one from a header that
 * is in memory, and writing them.  Lines end in CRLF or LF.  A field's name
 * is what stands before the first colon, without trailing blanks; a line
 * that is neither field nor continuation belongs to no field and has an
 * empty name.
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

/* All of them, in their order.  { 0 } is an empty one; its memory is used
 * again by the next header. */
struct header_index {
	struct header_field *f;
	size_t n, cap;
};
void header_index(struct header_index *to, struct span header);
void header_index_free(struct header_index *x);

/* The name of the field that a line begins, printable octets before the
 * first colon, without blanks before that; empty if the line is no field. */
struct span header_name(struct span line);
bool header_is_field(struct span line);

/* Add the value without folds and without blanks around it. */
void header_unfold(struct span value, struct buf *to);

/* The value of the first field of that name.  False if there is none. */
bool header_find(struct span header, struct span name, struct span *value);

/* Where a header ends that comes in pieces of any size.  { 0 } is a fresh
 * one; returns how many octets of s are of the header, without the empty
 * line that ends it.  The CR of that line may have been counted if it was
 * the last octet of a piece; .done once the end was seen. */
struct header_cut {
	enum { CUT_LINE_START, CUT_MIDLINE, CUT_CR } state;
	bool done;
};
size_t header_cut(struct header_cut *c, struct span s);

/*
 * Add "Name: value" and CRLF, folded at blanks towards 78 columns (RFC 5322
 * 2.1.1).  False, and nothing is added, where the name is no field name or
 * the value holds CR, LF or NUL: nothing that came from outside can make a
 * field of its own.  Text beyond ASCII must be encoded before
 * (text/encode.h) unless the message may be RFC 6532.
 */
bool header_add(struct buf *to, struct span name, struct span value);

#endif
