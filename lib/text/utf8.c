/* SPDX-License-Identifier: ISC */
#include "text/utf8.h"

#include <string.h>

/* RFC 3629 4: the octets that may come second, after each first one. */
static size_t
lead(unsigned char c, unsigned char *lo, unsigned char *hi)
{
	*lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	*hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* How many octets of s are the beginning of one character, and in *want
 * how many that has; 0 in *want if there is no such character. */
static size_t
prefix(struct span s, size_t *want)
{
	unsigned char lo, hi;
	size_t i = 1;

	*want = lead((unsigned char)s.p[0], &lo, &hi);
	for (; i < *want && i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < lo || c > hi)
			break;
		lo = 0x80;
		hi = 0xbf;
	}
	return i;
}

static bool
tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t
utf8_next(struct span s, uint32_t *cp, bool *good)
{
	const unsigned char *u = (const unsigned char *)s.p;
	size_t want, n;
	uint32_t v = u[0];

	/* What most text is, shortly: two octets, and three of those ranges
	 * that have neither overlong forms nor surrogates. */
	*good = true;
	if (s.n > 1 && v >= 0xc2 && v < 0xe0 && tail(u[1])) {
		*cp = (v & 0x1f) << 6 | (u[1] & 0x3f);
		return 2;
	}
	if (s.n > 2 && v > 0xe0 && v < 0xed && tail(u[1]) && tail(u[2])) {
		*cp = (v & 0xf) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3f);
		return 3;
	}
	n = prefix(s, &want);
	*good = n == want;
	*cp = UTF8_BAD;
	if (!*good)
		return n;
	if (n > 1)
		v &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++)
		v = v << 6 | (u[i] & 0x3f);
	*cp = v;
	return n;
}

size_t
utf8_ascii(struct span s)
{
	size_t i = 0;

	for (; s.n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t w;

		memcpy(&w, s.p + i, sizeof w);
		if ((w & 0x8080808080808080u) != 0)
			break;
	}
	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

size_t
utf8_good(struct span s)
{
	struct span rest = s;

	for (;;) {
		uint32_t cp;
		bool good;
		size_t n;

		rest = span_skip(rest, utf8_ascii(rest));
		/* Text of one script: no need to look for ASCII each time. */
		do {
			if (rest.n == 0)
				return s.n;
			n = utf8_next(rest, &cp, &good);
			if (!good)
				return s.n - rest.n;
			rest.p += n;
			rest.n -= n;
		} while (n > 1);
	}
}

bool
utf8_valid(struct span s)
{
	return utf8_good(s) == s.n;
}

size_t
utf8_partial(struct span s)
{
	for (size_t k = 1; k <= 3 && k <= s.n; k++) {
		unsigned char c = (unsigned char)s.p[s.n - k];
		size_t want;

		if (c < 0x80)
			return 0;
		if (c < 0xc0)
			continue;
		return prefix(span_skip(s, s.n - k), &want) == k && want > k ?
		    k : 0;
	}
	return 0;
}

size_t
utf8_put(char *to, uint32_t cp)
{
	if (cp < 0x80) {
		to[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		to[0] = (char)(0xc0 | cp >> 6);
		to[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		to[0] = (char)(0xe0 | cp >> 12);
		to[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		to[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | cp >> 18);
	to[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	to[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	to[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

void
utf8_add(struct buf *to, uint32_t cp)
{
	to->n += utf8_put(buf_room(to, 4), cp);
}
