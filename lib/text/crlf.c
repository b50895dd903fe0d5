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

/* Octets of a block before its first LF; 16 if there is none. */
static size_t
before_lf(const char *p)
{
	block b;

	memcpy(&b, p, sizeof b);
	halves lf = (halves)(b == '\n');
	if ((lf[0] | lf[1]) == 0)
		return sizeof b;
	size_t i = lf[0] == 0;

	return i * 8 + (size_t)(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ?
	    __builtin_ctzll(lf[i]) : __builtin_clzll(lf[i])) / 8;
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
		size_t n = before_lf(p);

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
