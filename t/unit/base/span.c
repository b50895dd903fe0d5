/* SPDX-License-Identifier: ISC */
#include "base/span.h"

#include "../../t.h"

static void
numbers(void)
{
	static const struct {
		const char *in;
		uint64_t max, want;
		bool good;
	} row[] = {
		{ "0", 10, 0, true },
		{ "10", 10, 10, true },
		{ "11", 10, 7, false },
		{ "007", 10, 7, true },
		{ "", 10, 7, false },
		{ "1x", 10, 7, false },
		{ "-1", 10, 7, false },
		{ "4294967295", UINT32_MAX, UINT32_MAX, true },
		{ "4294967296", UINT32_MAX, 7, false },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX, true },
		{ "18446744073709551616", UINT64_MAX, 7, false },
		{ "99999999999999999999", UINT64_MAX, 7, false },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		uint64_t v = 7;
		bool good = span_u64(span_str(row[i].in), row[i].max, &v);

		ok(good == row[i].good && v == row[i].want, row[i].in);
	}
}

static void
digits(void)
{
	static const struct {
		const char *in;
		int first;		/* span_hex */
		bool whole;		/* span_unhex of two octets */
	} row[] = {
		{ "00ff", 0, true }, { "Ff0a", 255, true }, { "7", -1, false },
		{ "", -1, false }, { "4g00", -1, false }, { "414", 65, false },
		{ "41424", 65, false }, { "414243", 65, false },
		{ "410x", 65, false },
	};
	char t[DECIMAL_MAX];
	uint8_t two[2];

	for (size_t i = 0; i < COUNT(row); i++) {
		struct span s = span_str(row[i].in);

		ok(span_hex(s) == row[i].first &&
		    span_unhex(s, two, 2) == row[i].whole, row[i].in);
	}
	ok(span_unhex(SPAN("0aFe"), two, 2) && two[0] == 10 && two[1] == 254,
	    "hexadecimal digits are read in either case");
	is(ascii_decimal(t, 0), SPAN("0"), "zero has a digit");
	is(ascii_decimal(t, UINT64_MAX), SPAN("18446744073709551615"),
	    "the largest number has twenty");
}

int
main(void)
{
	struct span empty = { 0 };

	ok(span_eq(empty, SPAN("")) && !span_eq(empty, SPAN("x")),
	    "the empty span equals the empty string");
	ok(span_ieq(SPAN("aBc[{"), SPAN("AbC[{")) &&
	    !span_ieq(SPAN("[") , SPAN("{")),
	    "case is that of ASCII letters alone");
	ok(span_cmp(SPAN("a"), SPAN("ab")) < 0 &&
	    span_cmp(SPAN("b"), SPAN("ab")) > 0 &&
	    span_cmp(SPAN("\xff"), SPAN("a")) > 0,
	    "order is by octets, and a prefix is first");
	ok(span_find(SPAN("abcabd"), SPAN("abd")) == 3 &&
	    span_find(SPAN("abc"), SPAN("abcd")) == 3 &&
	    span_ifind(SPAN("xxABD"), SPAN("abd")) == 2,
	    "substrings are found, or the length is returned");
	ok(span_printable(SPAN(" a~")) && span_printable(SPAN("")) &&
	    !span_printable(SPAN("a\t")) && !span_printable(SPAN("\x7f")) &&
	    !span_printable(SPAN("\xe9")) && !span_printable(SPAN("\0")),
	    "controls and what is beyond ASCII are not printable");
	is(span_trim(SPAN(" \t a b\r\n")), SPAN("a b"), "blanks are trimmed");
	is(span_skip(SPAN("abc"), 9), SPAN(""), "skipping stops at the end");

	struct span s = SPAN("a,,b");
	struct span f[4];
	size_t n = 0;

	while (s.p != NULL && n < COUNT(f))
		f[n++] = span_cut(&s, ',');
	ok(n == 3 && span_eq(f[0], SPAN("a")) && f[1].n == 0 &&
	    span_eq(f[2], SPAN("b")), "fields are cut, empty ones too");
	numbers();
	digits();
	return done();
}
