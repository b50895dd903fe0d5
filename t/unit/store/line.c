/* SPDX-License-Identifier: ISC */
#include "store/line.h"

#include "../../t.h"

int
main(void)
{
	static const struct {
		struct span word, escaped;
	} word[] = {
		{ { "", 0 }, { "%", 1 } },
		{ { "plain", 5 }, { "plain", 5 } },
		{ { "two words\n", 10 }, { "two%20words%0A", 14 } },
		{ { "100%", 4 }, { "100%25", 6 } },
		{ { "\0\x7f", 2 }, { "%00%7F", 6 } },
		{ { "\xc3\xa9", 2 }, { "\xc3\xa9", 2 } },
	};
	static const char *const bad[] = { "", "%2", "%zz", "a%0", "x%" };
	struct buf b = { 0 };
	struct span text;

	ok(line_crc(SPAN("123456789")) == 0xcbf43926,
	    "the checksum is the CRC-32 that everyone has");
	buf_adds(&b, "before\n");
	buf_adds(&b, "K 0 work");
	line_seal(&b, 7);
	ok(b.p[b.n - 1] == '\n' && line_check((struct span){ b.p + 7,
	    b.n - 8 }, &text) && span_eq(text, SPAN("K 0 work")),
	    "a sealed line is whole");
	b.p[9]++;
	ok(!line_check((struct span){ b.p + 7, b.n - 8 }, &text),
	    "a changed line is not");
	ok(!line_check((struct span){ b.p + 7, b.n - 9 }, &text),
	    "a torn line is not");
	ok(!line_check(SPAN(""), &text) && !line_check(SPAN(" 0000000"),
	    &text), "a line without a checksum is not");
	ok(line_check(SPAN(" 00000000"), &text) && text.n == 0,
	    "an empty text has the checksum 0");
	for (size_t i = 0; i < COUNT(word); i++) {
		buf_clear(&b);
		line_escape(&b, word[i].word);
		is(buf_span(&b), word[i].escaped, "a word is escaped");
		buf_clear(&b);
		ok(line_unescape(&b, word[i].escaped) &&
		    span_eq(buf_span(&b), word[i].word), "and comes back");
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		buf_clear(&b);
		ok(!line_unescape(&b, span_str(bad[i])) && b.n == 0,
		    "what is no word is refused");
	}
	buf_free(&b);
	return done();
}
