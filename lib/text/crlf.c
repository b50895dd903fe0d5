/* SPDX-License-Identifier: ISC */
#include "text/crlf.h"

#include <string.h>

/* One octet; whether there was room. */
static bool
give(struct crlf *c, char octet, char **to, const char *end)
{
	bool lone = octet == '\n' && !c->cr;

	if (*to == end)
		return false;
	c->cr = octet == '\r';
	if (lone)
		*(*to)++ = '\r';
	if (*to < end)
		*(*to)++ = octet;
	else
		c->owe = true;
	return true;
}

typedef unsigned char block __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

/* Octets of a block before the first one that is set; 16 if none is. */
static size_t
before(block set)
{
	halves h = (halves)set;

	if ((h[0] | h[1]) == 0)
		return sizeof set;
	size_t i = h[0] == 0;

	return i * 8 + (size_t)(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ?
	    __builtin_ctzll(h[i]) : __builtin_clzll(h[i])) / 8;
}

size_t
crlf_plain(struct span s)
{
	size_t i = 0, n = 16;
	block b;

	while (s.n - i >= sizeof b && n == sizeof b) {
		memcpy(&b, s.p + i, sizeof b);
		n = before((block)((b == '\r') | (b == '\n') | (b == 0)));
		i += n;
	}
	if (n < sizeof b)
		return i;
	while (i < s.n && s.p[i] != '\r' && s.p[i] != '\n' &&
	    s.p[i] != '\0')
		i++;
	return i;
}

size_t
crlf_give(struct crlf *c, struct span *in, char *to, size_t room)
{
	const char *p = in->p, *stop = p + in->n, *end = to + room;
	char *q = to;

	if (c->owe && room > 0) {
		*q++ = '\n';
		c->owe = false;
	}
	/* Blocks are copied whole, and of one with an LF what comes before
	 * it counts: a line is looked at once. */
	while (stop - p >= 16 && end - q >= 18) {
		block b;

		memcpy(&b, p, sizeof b);
		size_t n = before((block)(b == '\n'));

		memcpy(q, p, 16);
		p += n;
		q += n;
		if (n == 16)
			continue;
		if (!(p > in->p ? p[-1] == '\r' : c->cr))
			*q++ = '\r';
		*q++ = *p++;
	}
	if (p > in->p)
		c->cr = p[-1] == '\r';
	while (p < stop && give(c, *p, &q, end))
		p++;
	*in = (struct span){ p, (size_t)(stop - p) };
	return (size_t)(q - to);
}
