/* SPDX-License-Identifier: ISC */
#ifndef BASE_SET_H
#define BASE_SET_H

#include "base/buf.h"

/*
 * A set of numbers from 1 to 2^32-1 (UIDs or message sequence numbers),
 * kept as ascending ranges that neither touch nor overlap.  { 0 } is the
 * empty set.  Adding in ascending order costs constant time each; adding
 * in any order costs a binary search and a move.
 */
struct range {
	uint32_t lo, hi;	/* both included; 1 <= lo <= hi */
};

struct set {
	struct range *r;
	size_t n, cap;		/* ranges */
};

void set_free(struct set *s);
void set_clear(struct set *s);
void set_add(struct set *s, uint32_t lo, uint32_t hi);	/* in any order */
void set_remove(struct set *s, uint32_t lo, uint32_t hi);
void set_add_set(struct set *s, const struct set *more);
bool set_has(const struct set *s, uint32_t v);		/* O(log n) */
uint64_t set_count(const struct set *s);		/* numbers in it */

/* The smallest number of the set that is >= v, or 0 if there is none. */
uint32_t set_next(const struct set *s, uint32_t v);

/* The set as RFC 3501 writes it, "1:3,5"; nothing for the empty set. */
void set_print(const struct set *s, struct buf *to);

#endif
