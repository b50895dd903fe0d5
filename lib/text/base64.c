/* SPDX-License-Identifier: ISC */
#include "text/base64.h"

#include <string.h>

enum { LINE = 76, NONE = 64, BLANK = 65, PAD = 66 };

static const char alphabet[64] = {
	'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M',
	'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
	'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
	'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/'
};

/* The value of each character, or NONE, BLANK or PAD. */
static const uint8_t value[256] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 65, 65, 64, 64, 65, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	65, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 66, 64, 64,
	64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
	/* and above 127 */
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64
};

/* The octets of a quantum of have characters, which may be incomplete. */
static void
flush(struct base64_dec *d, struct buf *to)
{
	uint32_t v = d->bits << (6 * (4 - d->have));
	char out[3] = { (char)(v >> 16), (char)(v >> 8), (char)v };

	if (d->have > 1)
		buf_add(to, (struct span){ out, d->have - 1u });
	d->bits = 0;
	d->have = 0;
}

/* A character that is not of the alphabet. */
static void
other(struct base64_dec *d, uint32_t v, struct buf *to)
{
	if (v == BLANK)
		return;
	if (v == NONE) {
		d->bad = true;
		return;
	}
	if (d->padded)		/* the second "=" of "==" */
		d->padded = false;
	else if (d->have < 2) {
		d->bad = true;
		flush(d, to);
	} else {
		d->padded = d->have == 2;
		flush(d, to);
	}
}

/* The usual case: four characters of the alphabet.  False: look at them. */
static bool
quantum_of(const char *in, char *out)
{
	const unsigned char *p = (const unsigned char *)in;
	uint32_t a = value[p[0]], b = value[p[1]], c = value[p[2]],
	    d = value[p[3]];

	if ((a | b | c | d) >= NONE)
		return false;
	out[0] = (char)(a << 2 | b >> 4);
	out[1] = (char)(b << 4 | c >> 2);
	out[2] = (char)(c << 6 | d);
	return true;
}

void
base64_decode(struct base64_dec *d, struct span in, struct buf *to)
{
	char *out = buf_room(to, in.n / 4 * 3 + 6);
	size_t at = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (d->have == 0 && !d->padded)
			while (in.n - i > 4 && quantum_of(in.p + i, out + at)) {
				i += 4;
				at += 3;
			}
		uint32_t v = value[(unsigned char)in.p[i]];

		if (v >= NONE) {
			to->n += at;
			other(d, v, to);
			out = buf_room(to, (in.n - i) / 4 * 3 + 6);
			at = 0;
			continue;
		}
		if (d->padded) {	/* "xx=" without its second "=" */
			d->padded = false;
			d->bad = true;
		}
		d->bits = d->bits << 6 | v;
		if (++d->have < 4)
			continue;
		out[at++] = (char)(d->bits >> 16);
		out[at++] = (char)(d->bits >> 8);
		out[at++] = (char)d->bits;
		d->bits = 0;
		d->have = 0;
	}
	to->n += at;
}

void
base64_decode_end(struct base64_dec *d, struct buf *to)
{
	if (d->have > 0 || d->padded)
		d->bad = true;
	flush(d, to);
	d->padded = false;
}

/* RFC 3501 9: base64 = *(4base64-char) [base64-terminal] */
bool
base64_strict(struct span in, struct buf *to)
{
	struct base64_dec d = { 0 };
	size_t n = in.n, start = to->n;
	uint32_t spare;

	if (n % 4 != 0)
		return false;
	for (size_t i = 0; i < 2 && n > 0 && in.p[n - 1] == '='; i++)
		n--;
	for (size_t i = 0; i < n; i++)
		if (value[(unsigned char)in.p[i]] >= NONE)
			return false;
	base64_decode(&d, span_head(in, n), to);
	spare = d.have == 2 ? d.bits & 15 : d.have == 3 ? d.bits & 3 : 0;
	if (d.have == 1 || spare != 0) {
		to->n = start;
		return false;
	}
	flush(&d, to);
	return true;
}

static void
quantum(struct base64_enc *e, struct buf *to)
{
	uint32_t v = (uint32_t)e->held[0] << 16 | (uint32_t)e->held[1] << 8 |
	    e->held[2];
	char *q = buf_room(to, 6);

	if (e->wrap && e->column == LINE) {
		*q++ = '\r';
		*q++ = '\n';
		to->n += 2;
		e->column = 0;
	}
	q[0] = alphabet[v >> 18];
	q[1] = alphabet[v >> 12 & 63];
	q[2] = e->have > 1 ? alphabet[v >> 6 & 63] : '=';
	q[3] = e->have > 2 ? alphabet[v & 63] : '=';
	to->n += 4;
	if (e->wrap)
		e->column = (uint8_t)(e->column + 4);
	memset(e->held, 0, sizeof e->held);
	e->have = 0;
}

void
base64_encode(struct base64_enc *e, struct span in, struct buf *to)
{
	for (size_t i = 0; i < in.n; i++) {
		e->held[e->have++] = (uint8_t)in.p[i];
		if (e->have == 3)
			quantum(e, to);
	}
}

void
base64_encode_end(struct base64_enc *e, struct buf *to)
{
	if (e->have > 0)
		quantum(e, to);
	if (e->wrap && e->column > 0)
		buf_add(to, SPAN("\r\n"));
	e->column = 0;
}

void
base64_add(struct span in, struct buf *to)
{
	struct base64_enc e = { 0 };

	base64_encode(&e, in, to);
	base64_encode_end(&e, to);
}
