/* SPDX-License-Identifier: ISC */
#include "text/charset.h"

#include <stdlib.h>

#include "text/utf8.h"

#include "../../t.h"

#define GRUESSE "Gr\xc3\xbc\xc3\x9f" "e"
#define PRIVET "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"
#define NIHON "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"
#define ZHONGWEN "\xe4\xb8\xad\xe6\x96\x87"
#define BAD "\xef\xbf\xbd"

static const struct {
	const char *name, *in, *out;
} good[] = {
	{ "us-ascii", "plain", "plain" },
	{ "", "plain", "plain" },
	{ "UTF-8", GRUESSE, GRUESSE },
	{ "iso-8859-1", "Gr\xfc\xdf" "e", GRUESSE },
	{ "ISO-8859-1", "\x80\xa4", "\xc2\x80\xc2\xa4" },
	{ "iso-8859-15", "Gr\xfc\xdf" "e \xa4\xbd",
	    GRUESSE " \xe2\x82\xac\xc5\x93" },
	{ "windows-1252", "\x80\x93x\x94", "\xe2\x82\xac\xe2\x80\x9cx"
	    "\xe2\x80\x9d" },
	{ "iso-8859-2", "\xb1\xe8", "\xc4\x85\xc4\x8d" },
	{ "koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", PRIVET },
	{ "windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", PRIVET },
	{ "iso-2022-jp", "\x1b$BF|K\\8l\x1b(B", NIHON },
	{ "shift_jis", "\x93\xfa\x96{\x8c\xea", NIHON },
	{ "euc-jp", "\xc6\xfc\xcb\xdc\xb8\xec", NIHON },
	{ "big5", "\xa4\xa4\xa4\xe5", ZHONGWEN },
	{ "gb2312", "\xd6\xd0\xce\xc4", ZHONGWEN },
	{ "gb2312", "\x81\x40", "\xe4\xb8\x82" },	/* in GBK only */
	{ "gb18030", "\xd6\xd0\xce\xc4\x94\x39\xfc\x36",
	    ZHONGWEN "\xf0\x9f\x98\x80" },
	{ "hz-gb-2312", "~{VPND~}", ZHONGWEN },
	{ "euc-kr", "\xc7\xd1\xb1\xdb", "\xed\x95\x9c\xea\xb8\x80" },
	{ "euc-kr", "\x8c\x63", "\xeb\x98\xa0" },	/* in CP949 only */
	{ "x-sjis", "\x93\xfa", "\xe6\x97\xa5" },
	{ "utf-7", "+2D3eAA-", "\xf0\x9f\x98\x80" },
	{ "tis-620", "\xa1", "\xe0\xb8\x81" },
};

static const struct {
	const char *name, *in, *out;
} bad[] = {
	{ "us-ascii", "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "us-ascii", "caf\xe9", "caf" BAD },
	{ "utf-8", "a\xff" "b", "a" BAD "b" },
	{ "utf-8", "a\xe2\x82", "a" BAD },
	{ "utf-8", "a\xe2\x82" "b\xc3", "a" BAD "b" BAD },
	{ "utf-8", "\xc0\x80", BAD BAD },
	{ "utf-8", "\xed\xa0\x80", BAD BAD BAD },
	{ "shift_jis", "a\x93", "a" BAD },
	{ "big5", "a\xa4", "a" BAD },
	{ "utf-16be", "\xd8", BAD },
};

static const char *const unknown[] = { "x-unknown", "no-such-charset",
	"utf-8,version=1", "../../etc/passwd", "ISO_2022,locale=ja,version=0",
	"koi8-r ", "\xc3\xa9", "koi8-r=", "default",
	"a-name-that-is-much-longer-than-that-of-any-charset-that-there-"
	"ever-was" };

/* In pieces of n octets. */
static bool
decode(const char *name, struct span in, size_t n, struct buf *to)
{
	struct charset *c = charset_open(span_str(name));
	bool fine, whole = true;

	if (c == NULL)
		return false;
	/* Twice, since one converter reads many texts. */
	for (int i = 0; i < 2; i++) {
		buf_clear(to);
		for (size_t at = 0; at < in.n; at += n) {
			charset_decode(c, span_head(span_skip(in, at), n), to);
			whole &= utf8_valid(buf_span(to));
		}
		charset_decode_end(c, to);
	}
	fine = !charset_failed(c);
	charset_close(c);
	ok(whole, "each piece is whole characters");
	return fine;
}

static void
noise(void)
{
	static const char *const name[] = { "us-ascii", "utf-8",
		"iso-8859-15", "koi8-r", "iso-2022-jp", "shift_jis", "euc-jp",
		"big5", "gb18030", "euc-kr", "utf-7", "utf-16", "utf-32",
		"hz-gb-2312", "iso-2022-kr", "windows-1258" };
	bool valid = true, same = true;

	srandom(1);
	for (size_t i = 0; i < COUNT(name); i++)
		for (int round = 0; round < 40; round++) {
			struct charset *c = charset_open(span_str(name[i]));
			struct buf in = { 0 }, one = { 0 }, many = { 0 };
			size_t at = 0;

			for (long n = random() % 3000; n > 0; n--)
				buf_addc(&in, (char)(random() %
				    (round % 2 == 0 ? 256 : 128)));
			charset_to_utf8(span_str(name[i]), buf_span(&in), &one);
			while (c != NULL && at < in.n) {
				struct span rest = span_skip(buf_span(&in), at);
				size_t n = 1 + (size_t)random() % 70;

				charset_decode(c, span_head(rest, n), &many);
				at += n;
			}
			if (c != NULL)
				charset_decode_end(c, &many);
			valid &= c != NULL && utf8_valid(buf_span(&one));
			same &= span_eq(buf_span(&one), buf_span(&many));
			charset_close(c);
			buf_free(&in);
			buf_free(&one);
			buf_free(&many);
		}
	ok(valid, "whatever comes in, UTF-8 comes out");
	ok(same, "and it is the same in any pieces");
}

int
main(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t n = 1; n < 4; n++) {
			ok(decode(good[i].name, span_str(good[i].in), n, &b),
			    "nothing is wrong with it");
			is(buf_span(&b), span_str(good[i].out), good[i].name);
		}
	for (size_t i = 0; i < COUNT(bad); i++)
		for (size_t n = 1; n < 4; n++) {
			ok(!decode(bad[i].name, span_str(bad[i].in), n, &b),
			    "what is wrong is told");
			is(buf_span(&b), span_str(bad[i].out), bad[i].name);
		}
	buf_clear(&b);
	for (size_t i = 0; i < COUNT(unknown); i++)
		ok(charset_to_utf8(span_str(unknown[i]), SPAN("x"), &b) ==
		    CHARSET_UNKNOWN && b.n == 0, unknown[i]);
	buf_free(&b);
	noise();
	return done();
}
