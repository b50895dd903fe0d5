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
inline void buf_clear(struct buf *b);		/* empties, and keeps the memory */
void buf_wipe(struct buf *b);		/* the same, leaving only zeros */
inline struct span buf_span(const struct buf *b);	/* until the next change */

/* Room for at least n more octets; returns where they go.  The caller
 * then adds what it wrote to b->n. */
inline char *buf_room(struct buf *b, size_t n);

/* Add octets, one octet, a C string, a number, a number in base 16. */
inline void buf_add(struct buf *b, struct span s);
inline void buf_addc(struct buf *b, char c);
inline void buf_adds(struct buf *b, const char *s);
void buf_addu(struct buf *b, uint64_t v);	/* in decimal */
void buf_addhex(struct buf *b, const void *p, size_t n);	/* lower case */

/* Add the mark and the octet's two digits in base 16, in upper case, as for a
 * '%' in URLs, a '=' in quoted-printable and a '+' in xtext. */
void buf_addescape(struct buf *b, char mark, char c);

/* Add octets between quotes, each quote and backslash of them behind a
 * backslash (RFC 3501 4.3, RFC 5321 4.1.2, RFC 5322 3.2.4). */
void buf_addquoted(struct buf *b, struct span s);

/* Formatted text, for numbers and fixed words; never for octets from the
 * wire. */
__attribute__((format(printf, 2, 3)))
void buf_addf(struct buf *b, const char *fmt, ...);

/* The contents with a NUL after them that is not counted, for a system
 * call.  Until the next change. */
const char *buf_cstr(struct buf *b);

/* Drop the first n octets (n <= b->n). */
void buf_drop(struct buf *b, size_t n);

/* --- what is called for every octet --- */

char *buf_grow(struct buf *b, size_t n);	/* for buf_room alone */

inline void
buf_clear(struct buf *b)
{
	b->n = 0;
}

inline struct span
buf_span(const struct buf *b)
{
	return (struct span){ b->p, b->n };
}

inline char *
buf_room(struct buf *b, size_t n)
{
	return b->p != NULL && n <= b->cap - b->n ? b->p + b->n :
	    buf_grow(b, n);
}

inline void
buf_add(struct buf *b, struct span s)
{
	if (s.n == 0)
		return;
	memcpy(buf_room(b, s.n), s.p, s.n);
	b->n += s.n;
}

inline void
buf_addc(struct buf *b, char c)
{
	*buf_room(b, 1) = c;
	b->n++;
}

inline void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, span_str(s));
}

#endif
