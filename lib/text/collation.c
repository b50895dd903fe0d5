/* SPDX-License-Identifier: ISC */
#include "text/collation.h"

#include "text/casemap.h"
#include "text/utf8.h"

static const char *const names[] = {
	[COLLATE_OCTET] = "i;octet",
	[COLLATE_ASCII_CASEMAP] = "i;ascii-casemap",
	[COLLATE_ASCII_NUMERIC] = "i;ascii-numeric",
	[COLLATE_UNICODE_CASEMAP] = "i;unicode-casemap",
};

bool
collation_named(struct span name, enum collation *c)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (span_ieq(name, span_str(names[i]))) {
			*c = (enum collation)i;
			return true;
		}
	return false;
}

const char *
collation_name(enum collation c)
{
	return names[c];
}

bool
collation_has_substring(enum collation c)
{
	return c != COLLATE_ASCII_NUMERIC;
}

/* RFC 4790 9.1.1: the digits without leading zeros, their number before
 * them; strings without digits are infinite and behind all. */
static void
numeric(struct span s, struct buf *key)
{
	size_t n = 0;

	while (n < s.n && ascii_digit(s.p[n]))
		n++;
	if (n == 0) {
		buf_addc(key, '\xff');
		return;
	}
	s.n = n;
	while (s.n > 1 && s.p[0] == '0')
		s = span_skip(s, 1);
	buf_addc(key, '\0');
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_addc(key, (char)((uint64_t)s.n >> shift));
	buf_add(key, s);
}

/* What no UTF-8 contains puts the others behind. */
static void
unicode(struct span s, struct buf *key)
{
	size_t start = key->n;

	if (casemap_add(s, key))
		return;
	key->n = start;
	buf_addc(key, '\xff');
	buf_add(key, s);
}

static void
ascii(struct span s, struct buf *key)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addc(key, ascii_upper(s.p[i]));
}

void
collation_key(enum collation c, struct span s, struct buf *key)
{
	switch (c) {
	case COLLATE_OCTET:
		buf_add(key, s);
		break;
	case COLLATE_ASCII_CASEMAP:
		ascii(s, key);
		break;
	case COLLATE_ASCII_NUMERIC:
		numeric(s, key);
		break;
	case COLLATE_UNICODE_CASEMAP:
		unicode(s, key);
		break;
	}
}

int
collation_cmp(enum collation c, struct span a, struct span b)
{
	struct buf x = { 0 }, y = { 0 };
	int r;

	if (c == COLLATE_OCTET)
		return span_cmp(a, b);
	collation_key(c, a, &x);
	collation_key(c, b, &y);
	r = span_cmp(buf_span(&x), buf_span(&y));
	buf_free(&x);
	buf_free(&y);
	return r;
}

bool
collation_eq(enum collation c, struct span a, struct span b)
{
	return collation_cmp(c, a, b) == 0;
}

bool
collation_contains(enum collation c, struct span hay, struct span needle)
{
	struct buf x = { 0 }, y = { 0 };
	bool found;

	if (!collation_has_substring(c))
		return false;
	if (needle.n == 0)
		return true;
	/* RFC 5051 2 (1) (b): either of them as octets, then both. */
	if (c == COLLATE_UNICODE_CASEMAP &&
	    !(utf8_valid(hay) && utf8_valid(needle)))
		c = COLLATE_OCTET;
	collation_key(c, hay, &x);
	collation_key(c, needle, &y);
	found = y.n <= x.n && span_find(buf_span(&x), buf_span(&y)) < x.n;
	buf_free(&x);
	buf_free(&y);
	return found;
}
