/* SPDX-License-Identifier: ISC */
#ifndef MIME_PARAM_H
#define MIME_PARAM_H

#include "base/buf.h"

/*
 * Structured MIME fields (RFC 2045 5.1, RFC 2183): a head such as
 * "text/plain", then "; name=value" pairs, in one pass.  RFC 2231 pieces
 * come as they are.  Quotes that do not close, blanks and specials without
 * quotes, and missing semicolons are read as they were probably meant.
 *
 *     struct param_list l = { .rest = value };
 *     param_head(&l, &head);
 *     while (param_next(&l, &name, &value)) …
 *     param_list_free(&l);
 */
struct param_list {
	struct span rest;
	bool no_quote;		/* one is open to the end of rest */
	struct buf text;
};

/* The text before the first semicolon without comments and blanks; may be
 * empty.  Valid until the next call. */
void param_head(struct param_list *l, struct span *head);

/* The next pair.  name borrows rest, value is unquoted and valid until the
 * next call. */
bool param_next(struct param_list *l, struct span *name,
    struct span *value);

void param_list_free(struct param_list *l);

/* Another list, with the memory of this one. */
void param_list_again(struct param_list *l, struct span rest);

/* The value of the first parameter of that name added to *to.  False if
 * there is none. */
bool param_find(struct span field, struct span name, struct buf *to);

#endif
