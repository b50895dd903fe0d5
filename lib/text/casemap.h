/* SPDX-License-Identifier: ISC */
#ifndef TEXT_CASEMAP_H
#define TEXT_CASEMAP_H

#include "base/buf.h"

/*
 * The preparation of i;unicode-casemap (RFC 5051 2): each code point by
 * itself becomes its simple titlecase mapping, and that its full
 * decomposition.  So "ß" is not "SS", the final sigma is a sigma, and "e"
 * is found in "É", since that is E and an accent.
 *
 * Scripts that most mail is in are mapped by tables of ours, which a test
 * compares with ICU; other code points ask ICU, which is loaded at the first
 * of them.  Where it cannot be loaded those map to themselves.
 */
enum { CASEMAP_MAX = 24 };	/* code points that one may become */

/* What cp becomes, and how many. */
size_t casemap_cp(uint32_t cp, uint32_t out[CASEMAP_MAX]);

/* Add the mapping of all of it; octets that are no UTF-8 stay, and it
 * returns false. */
bool casemap_add(struct span utf8, struct buf *to);

/*
 * The mapping in UTF-8 of code points that come again and again, remembered:
 * text of one script has few of them.  The result is valid until the next
 * call.
 */
struct casemap_cache;
struct casemap_cache *casemap_cache_new(void);
void casemap_cache_free(struct casemap_cache *c);	/* NULL is fine */
struct span casemap_cached(struct casemap_cache *c, uint32_t cp);

/* Whether that is mapped without ICU. */
bool casemap_quick(uint32_t cp);

#endif
