/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"

extern inline void buf_clear(struct buf *b);
extern inline struct span buf_span(const struct buf *b);
extern inline char *buf_room(struct buf *b, size_t n);
extern inline void buf_add(struct buf *b, struct span s);
extern inline void buf_addc(struct buf *b, char c);
extern inline void buf_adds(struct buf *b, const char *s);

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	b->n = 0;
}

char *
buf_grow(struct buf *b, size_t n)
{
	size_t cap = b->cap + b->cap / 2;

	if (n > SIZE_MAX / 2 - b->n)
		die_temp("out of memory");
	if (cap < b->n + n)
		cap = b->n + n;
	if (cap < 64)
		cap = 64;
	b->p = xrealloc(b->p, cap);
	b->cap = cap;
	return b->p + b->n;
}

void
buf_addu(struct buf *b, uint64_t v)
{
	char t[DECIMAL_MAX];

	buf_add(b, ascii_decimal(t, v));
}

void
buf_addhex(struct buf *b, const void *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *u = p;

	for (size_t i = 0; i < n; i++) {
		buf_addc(b, digit[u[i] >> 4]);
		buf_addc(b, digit[u[i] & 15]);
	}
}

void
buf_addescape(struct buf *b, char mark, char c)
{
	static const char digit[] = "0123456789ABCDEF";
	unsigned char u = (unsigned char)c;
	const char three[] = { mark, digit[u >> 4], digit[u & 15] };

	buf_add(b, (struct span){ three, sizeof three });
}

void
buf_addquoted(struct buf *b, struct span s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, s.p[i]);
	}
	buf_addc(b, '"');
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(buf_room(b, (size_t)n + 1), (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

const char *
buf_cstr(struct buf *b)
{
	*buf_room(b, 1) = '\0';
	return b->p;
}

void
buf_drop(struct buf *b, size_t n)
{
	b->n -= n;
	if (b->n > 0)
		memmove(b->p, b->p + n, b->n);
}
