/* SPDX-License-Identifier: ISC */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"

/*
 * Memory that is released all at once: each command has one arena, reset
 * after its tagged reply, so handlers free nothing.  { 0 } is an empty one.
 * Nothing here fails (base/die.h).  What it gives is aligned for any type.
 */
struct arena {
	struct arena_chunk *chunks;
	size_t total;		/* octets handed out since the last reset */
};

void *arena_alloc(struct arena *a, size_t n);	/* not zeroed */
void *arena_zero(struct arena *a, size_t n);
struct span arena_dup(struct arena *a, struct span s);
char *arena_cstr(struct arena *a, struct span s);	/* NUL-terminated */

/* Grow the array at p (NULL at first) of *cap elements of that size so that
 * it holds need of them; doubles, so that adding one at a time is linear. */
void *arena_grow(struct arena *a, void *p, size_t *cap, size_t need,
    size_t size);

void arena_reset(struct arena *a);	/* keeps one chunk for reuse */
void arena_wipe(struct arena *a);	/* the same, leaving only zeros */
void arena_free(struct arena *a);

#endif
