/* SPDX-License-Identifier: ISC */
#include "base/span.h"

#include <string.h>

extern inline char ascii_lower(char c);
extern inline struct span span_str(const char *s);
extern inline bool span_eq(struct span a, struct span b);
extern inline bool span_ieq(struct span a, struct span b);
extern inline struct span span_skip(struct span s, size_t n);
extern inline struct span span_head(struct span s, size_t n);
extern inline size_t span_chr(struct span s, char c);

char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

bool
ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
ascii_alpha(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

bool
ascii_ieq(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

int
span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (r != 0)
		return r;
	return (a.n > b.n) - (a.n < b.n);
}

bool
span_starts(struct span s, struct span with)
{
	return s.n >= with.n && span_eq(span_head(s, with.n), with);
}

bool
span_istarts(struct span s, struct span with)
{
	return s.n >= with.n && span_ieq(span_head(s, with.n), with);
}

bool
span_ends(struct span s, struct span with)
{
	return s.n >= with.n && span_eq(span_skip(s, s.n - with.n), with);
}

bool
span_iends(struct span s, struct span with)
{
	return s.n >= with.n && span_ieq(span_skip(s, s.n - with.n), with);
}

size_t
span_rchr(struct span s, char c)
{
	const char *at = s.n == 0 ? NULL : memrchr(s.p, c, s.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

size_t
span_find(struct span s, struct span what)
{
	if (what.n == 0)
		return 0;
	const char *at = s.n == 0 ? NULL : memmem(s.p, s.n, what.p, what.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

size_t
span_ifind(struct span s, struct span what)
{
	for (size_t i = 0; what.n <= s.n && i <= s.n - what.n; i++)
		if (span_istarts(span_skip(s, i), what))
			return i;
	return s.n;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
span_printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

struct span
span_trim(struct span s)
{
	while (s.n > 0 && blank(s.p[0]))
		s = span_skip(s, 1);
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct span
span_cut(struct span *s, char c)
{
	size_t n = span_chr(*s, c);
	struct span head = span_head(*s, n);

	*s = n == s->n ? (struct span){ NULL, 0 } : span_skip(*s, n + 1);
	return head;
}

bool
span_u64(struct span s, uint64_t max, uint64_t *v)
{
	uint64_t x = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_digit(s.p[i]))
			return false;
		uint64_t d = (uint64_t)(s.p[i] - '0');

		if (x > max / 10 || x * 10 > max - d)
			return false;
		x = x * 10 + d;
	}
	*v = x;
	return true;
}

int
ascii_hex(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_upper(c);
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
span_hex(struct span s)
{
	int hi = s.n >= 2 ? ascii_hex(s.p[0]) : -1;
	int lo = hi >= 0 ? ascii_hex(s.p[1]) : -1;

	return lo < 0 ? -1 : hi << 4 | lo;
}

bool
span_unhex(struct span s, void *to, size_t n)
{
	uint8_t *u = to;

	if (s.n % 2 != 0 || s.n / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int c = span_hex(span_skip(s, 2 * i));

		if (c < 0)
			return false;
		u[i] = (uint8_t)c;
	}
	return true;
}

struct span
ascii_decimal(char t[DECIMAL_MAX], uint64_t v)
{
	size_t i = DECIMAL_MAX;

	do
		t[--i] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	return (struct span){ t + i, DECIMAL_MAX - i };
}
