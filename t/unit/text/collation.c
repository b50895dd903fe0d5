/* SPDX-License-Identifier: ISC */
#include "text/collation.h"

#include "../../t.h"

#define O COLLATE_OCTET
#define A COLLATE_ASCII_CASEMAP
#define N COLLATE_ASCII_NUMERIC
#define U COLLATE_UNICODE_CASEMAP

static const struct {
	enum collation c;
	const char *a, *b;
	int order;
} order[] = {
	{ O, "", "", 0 }, { O, "", "a", -1 }, { O, "a", "", 1 },
	{ O, "a", "A", 1 }, { O, "\x7f", "\x80", -1 }, { O, "ab", "a", 1 },
	{ A, "abc", "ABC", 0 }, { A, "[", "a", 1 }, { A, "B", "a", 1 },
	{ A, "\xc3\xa9", "\xc3\x89", 1 },
	/* RFC 4790 9.1.1 */
	{ N, "0", "1", -1 }, { N, "1", "4294967298", -1 },
	{ N, "4294967298", "04294967298", 0 },
	{ N, "4294967298", "4294967298b", 0 },
	{ N, "04294967298", "", -1 }, { N, "", "x", 0 }, { N, "x", "y", 0 },
	{ N, "9", "10", -1 }, { N, "000", "0", 0 }, { N, "-1", "5", 1 },
	{ N, "99999999999999999999999", "100000000000000000000000", -1 },
	{ U, "\xc3\xa9", "\xc3\x89", 0 }, { U, "e", "\xc3\x89", -1 },
	{ U, "\xce\xa3", "\xcf\x82", 0 }, { U, "ss", "\xc3\x9f", -1 },
	{ U, "abc", "ABD", -1 },
	/* RFC 5255 4.6 (d): what cannot be decoded is behind. */
	{ U, "\xff", "\xf4\x8f\xbf\xbf", 1 }, { U, "a\x80", "zzz", 1 },
	{ U, "A\x80", "a\x80", -1 },
};

static const struct {
	enum collation c;
	const char *hay, *needle;
	bool found;
} within[] = {
	{ O, "abc", "b", true }, { O, "abc", "B", false },
	{ O, "", "", true }, { O, "", "a", false },
	{ A, "abc", "BC", true }, { N, "123", "2", false },
	{ U, "stra\xc3\x9f" "e", "STRASSE", false },
	{ U, "stra\xc3\x9f" "e", "STRA\xc3\x9f" "E", true },
	{ U, "\xc4\xb0stanbul", "i", true },
	{ U, "\xc4\xb0stanbul", "istanbul", false },
	{ U, "\xce\x9f\xce\x94\xce\x9f\xce\xa3",
	    "\xce\xbf\xce\xb4\xce\xbf\xcf\x82", true },
	{ U, "r\xc3\xa9sum\xc3\xa9", "E", true },
	{ U, "a\xff" "B", "b", false }, { U, "a\xff" "B", "B", true },
	{ U, "ab", "abc", false },
};

int
main(void)
{
	enum collation c;

	for (size_t i = 0; i < COUNT(order); i++) {
		struct span a = span_str(order[i].a), b = span_str(order[i].b);
		int r = collation_cmp(order[i].c, a, b);
		int back = collation_cmp(order[i].c, b, a);
		int want = order[i].order;

		ok((r > 0) - (r < 0) == want && (back > 0) - (back < 0) ==
		    -want, collation_name(order[i].c));
		ok(collation_eq(order[i].c, a, b) == (want == 0),
		    "equality agrees with order");
	}
	for (size_t i = 0; i < COUNT(within); i++)
		ok(collation_contains(within[i].c, span_str(within[i].hay),
		    span_str(within[i].needle)) == within[i].found,
		    within[i].needle);
	ok(collation_named(SPAN("I;Unicode-CaseMap"), &c) &&
	    c == COLLATE_UNICODE_CASEMAP, "names have no case");
	ok(!collation_named(SPAN("i;basic"), &c), "there are no others");
	ok(!collation_has_substring(COLLATE_ASCII_NUMERIC) &&
	    collation_has_substring(COLLATE_OCTET),
	    "numbers have no substrings");
	return done();
}
