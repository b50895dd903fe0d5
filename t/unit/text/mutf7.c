/* SPDX-License-Identifier: ISC */
#include "text/mutf7.h"

#include <stdlib.h>

#include "text/utf8.h"

#include "../../t.h"

static const struct {
	const char *coded, *utf8;
} pair[] = {
	/* RFC 3501 5.1.3 */
	{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
	    "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
	    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
	{ "&Jjo-!", "\xe2\x98\xba!" },
	{ "&U,BTF2XlZyyKng-", "\xe5\x8f\xb0\xe5\x8c\x97"
	    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
	{ "", "" }, { "INBOX", "INBOX" }, { "A&-B", "A&B" }, { "&-&-", "&&" },
	{ "Entw&APw-rfe", "Entw\xc3\xbcrfe" },
	{ "&2D3eAA-", "\xf0\x9f\x98\x80" },
	{ "a.b\\c~", "a.b\\c~" },
	{ "&AAE-", "\x01" }, { "&AH8-", "\x7f" },
};

static const struct {
	const char *coded, *name;
} wrong[] = {
	/* RFC 3501 5.1.3 */
	{ "&Jjo!", "no shift back" },
	{ "&U,BTFw-&ZeVnLIqe-", "a superfluous shift" },
	{ "&", "a shift and no more" },
	{ "a&Jjo", "the end in base64" },
	{ "&AGE-", "a letter in base64" },
	{ "&ACY-", "an ampersand in base64" },
	{ "&AOkAYQ-", "a letter after another character in base64" },
	{ "&AOl-", "stray bits" },
	{ "&AOkA-", "half a unit" },
	{ "&A-", "less than an octet" },
	{ "&2AA-", "a high surrogate alone" },
	{ "&3AA-", "a low surrogate alone" },
	{ "&2ADYAA-", "two high surrogates" },
	{ "&AOk=-", "padding" },
	{ "&AO k-", "a blank inside" },
	{ "&U/BTFw-", "a slash for the comma" },
	{ "caf\xc3\xa9", "UTF-8" },
	{ "a\nb", "a control character" },
};

static void
escapes(void)
{
	struct buf b = { 0 };

	ok(mutf7_encode(SPAN("a.b"), ".", &b), "a dot can be escaped");
	is(buf_span(&b), SPAN("a&AC4-b"), "it is written in base64");
	buf_clear(&b);
	ok(mutf7_decode(SPAN("a&AC4-b"), ".", &b), "and read back");
	is(buf_span(&b), SPAN("a.b"), "as a dot");
	ok(!mutf7_decode(SPAN("a.b"), ".", &b) &&
	    !mutf7_decode(SPAN("a&AC4-b"), NULL, &b),
	    "each only where it is the canonical form");
	is(buf_span(&b), SPAN("a.b"), "a refusal adds nothing");
	buf_clear(&b);
	ok(mutf7_encode(SPAN("\xc3\xa9.\xc3\xa9"), ".", &b),
	    "an escape between others");
	is(buf_span(&b), SPAN("&AOkALgDp-"), "shares their shift");
	buf_free(&b);
}

static void
round_trips(void)
{
	static const uint32_t some[] = { 'a', '&', '-', '.', 0xe9, 0x20ac,
		0x1f600, 0x7f, 0, ',', '+', 0xffff };
	bool same = true;

	for (unsigned seed = 1; seed < 500; seed++) {
		struct buf in = { 0 }, coded = { 0 }, back = { 0 };

		srandom(seed);
		for (long n = random() % 12; n > 0; n--)
			utf8_add(&in, some[(size_t)random() % COUNT(some)]);
		same &= mutf7_encode(buf_span(&in), NULL, &coded) &&
		    mutf7_decode(buf_span(&coded), NULL, &back) &&
		    span_eq(buf_span(&in), buf_span(&back));
		buf_free(&in);
		buf_free(&coded);
		buf_free(&back);
	}
	ok(same, "what is encoded is decoded");
}

int
main(void)
{
	static const char *const no[] = { "", ".", "..", "a/b", "a\tb",
		"a\x7f", "a\xc2\x85", "a\xff", "\xe2\x80\xa8", "\xef\xbf\xbf",
		"\xef\xb7\x90", "\xc0\xaf" };
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(pair); i++) {
		buf_clear(&b);
		ok(mutf7_decode(span_str(pair[i].coded), NULL, &b),
		    "decodes");
		is(buf_span(&b), span_str(pair[i].utf8), pair[i].coded);
		buf_clear(&b);
		ok(mutf7_encode(span_str(pair[i].utf8), NULL, &b), "encodes");
		is(buf_span(&b), span_str(pair[i].coded), pair[i].coded);
	}
	buf_clear(&b);
	for (size_t i = 0; i < COUNT(wrong); i++)
		ok(!mutf7_decode(span_str(wrong[i].coded), NULL, &b) &&
		    b.n == 0, wrong[i].name);
	ok(!mutf7_encode(SPAN("a\xff"), NULL, &b) && b.n == 0,
	    "what is no UTF-8 is not encoded");
	buf_free(&b);
	for (size_t i = 0; i < COUNT(no); i++)
		ok(!mutf7_component(span_str(no[i])), no[i]);
	ok(mutf7_component(SPAN("a.b")) && mutf7_component(SPAN("~x\\")) &&
	    mutf7_component(SPAN("\xc3\xbc")), "names that are fine");
	escapes();
	round_trips();
	return done();
}
