/* SPDX-License-Identifier: ISC */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

/*
 * A growing array of octets that its holder owns.  { 0 } is an empty one.
 * Running out of memory ends the process (base/die.h), so nothing here
 * fails; bound every length that came from outside before adding it.
 */
struct buf {
	char *p;
	size_t n, cap;
};

void buf_free(struct buf *b);		/* releases, and leaves { 0 } */
void buf_clear(struct buf *b);		/* empties, and keeps the memory */
struct span buf_span(const struct buf *b);	/* until the next change */

/* Room for at least n more octets; returns where they go.  The caller
 * then adds what it wrote to b->n. */
char *buf_room(struct buf *b, size_t n);

/* Add octets, one octet, a C string, a number, a number in base 16. */
void buf_add(struct buf *b, struct span s);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addu(struct buf *b, uint64_t v);	/* in decimal */
void buf_addhex(struct buf *b, const void *p, size_t n);	/* lower case */

/* Formatted text, for numbers and fixed words; never for octets from the
 * wire. */
__attribute__((format(printf, 2, 3)))
void buf_addf(struct buf *b, const char *fmt, ...);

/* The contents with a NUL after them that is not counted, for a system
 * call.  Until the next change. */
const char *buf_cstr(struct buf *b);

/* Drop the first n octets (n <= b->n). */
void buf_drop(struct buf *b, size_t n);

#endif
