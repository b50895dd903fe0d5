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

size_t
utf8_next(struct span s, uint32_t *cp, bool *good)
{
	size_t want, n = prefix(s, &want);
	uint32_t v = (unsigned char)s.p[0];

	*good = n == want;
	*cp = UTF8_BAD;
	if (!*good)
		return n;
	if (n > 1)
		v &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++)
		v = v << 6 | ((unsigned char)s.p[i] & 0x3f);
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

bool
utf8_valid(struct span s)
{
	while (s.n > 0) {
		uint32_t cp;
		bool good;

		s = span_skip(s, utf8_ascii(s));
		if (s.n == 0)
			break;
		s = span_skip(s, utf8_next(s, &cp, &good));
		if (!good)
			return false;
	}
	return true;
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

void
utf8_add(struct buf *to, uint32_t cp)
{
	char t[4];
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; cp >>= 6)
		t[i] = (char)(0x80 | (cp & 0x3f));
	t[0] = (char)(n == 1 ? cp : (0xf00u >> n & 0xff) | cp);
	buf_add(to, (struct span){ t, n });
}
