/* SPDX-License-Identifier: ISC */
#include "text/utf8.h"

#include "../../t.h"

static void
every_code_point(void)
{
	bool all = true;
	struct buf b = { 0 };

	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		uint32_t back;
		bool good;

		if (cp >= 0xd800 && cp < 0xe000)
			continue;
		buf_clear(&b);
		utf8_add(&b, cp);
		all &= utf8_next(buf_span(&b), &back, &good) == b.n && good &&
		    back == cp && utf8_valid(buf_span(&b)) &&
		    utf8_partial(buf_span(&b)) == 0;
		for (size_t n = 1; n < b.n; n++)
			all &= utf8_partial(span_head(buf_span(&b), n)) == n &&
			    !utf8_valid(span_head(buf_span(&b), n));
	}
	ok(all, "every code point is written and read back");
	buf_free(&b);
}

int
main(void)
{
	/* RFC 3629 7, and one skipped piece for each U+FFFD shown. */
	static const struct {
		struct span s;
		size_t skip;
		const char *name;
	} bad[] = {
		{ { "\x80", 1 }, 1, "a continuation alone" },
		{ { "\xc3", 1 }, 1, "a beginning alone" },
		{ { "\xc3" "A", 2 }, 1, "a beginning before a letter" },
		{ { "\xc0\x80", 2 }, 1, "NUL in two octets" },
		{ { "\xc1\xbf", 2 }, 1, "an overlong form of two" },
		{ { "\xe0\x9f\xbf", 3 }, 1, "an overlong form of three" },
		{ { "\xf0\x8f\xbf\xbf", 4 }, 1, "an overlong form of four" },
		{ { "\xed\xa0\x80", 3 }, 1, "a surrogate" },
		{ { "\xed\xbf\xbf", 3 }, 1, "the last surrogate" },
		{ { "\xf4\x90\x80\x80", 4 }, 1, "above U+10FFFF" },
		{ { "\xf5\x80\x80\x80", 4 }, 1, "octets that never occur" },
		{ { "\xff", 1 }, 1, "0xFF" },
		{ { "\xe2\x82", 2 }, 2, "two thirds of a character" },
		{ { "\xf0\x9f\x92" "A", 4 }, 3, "three quarters and a letter" },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		uint32_t cp;
		bool good;
		size_t n = utf8_next(bad[i].s, &cp, &good);

		ok(!good && cp == UTF8_BAD && n == bad[i].skip &&
		    !utf8_valid(bad[i].s), bad[i].name);
	}
	ok(utf8_valid(SPAN("")) && utf8_valid(SPAN("plain text, long enough")) &&
	    utf8_valid(SPAN("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80")),
	    "what is UTF-8 is valid");
	ok(utf8_ascii(SPAN("0123456789\xc3\xa9")) == 10 &&
	    utf8_ascii(SPAN("\xc3\xa9")) == 0 &&
	    utf8_ascii(SPAN("01234567")) == 8, "ASCII at the start is counted");
	ok(utf8_good(SPAN("a\xc3\xa9" "b\xe2\x82")) == 4 &&
	    utf8_good(SPAN("\xff")) == 0, "and so are whole characters");
	ok(utf8_partial(SPAN("a\xff")) == 0 && utf8_partial(SPAN("")) == 0 &&
	    utf8_partial(SPAN("\x80\x80\x80\x80")) == 0,
	    "what can never become a character is not waited for");
	every_code_point();
	return done();
}
