/* SPDX-License-Identifier: ISC */
#include "mime/emailid.h"

#include "../../t.h"

static void
hash(struct span s, bool raw, size_t step, uint8_t id[16])
{
	struct emailid e;

	emailid_init(&e, raw);
	for (; s.n > 0; s = span_skip(s, step))
		emailid_feed(&e, span_head(s, step));
	emailid_end(&e, id);
}

static bool
same(struct span a, bool raw_a, size_t step, struct span b)
{
	uint8_t x[16], y[16];

	hash(a, raw_a, step, x);
	hash(b, true, 100, y);
	return memcmp(x, y, 16) == 0;
}

int
main(void)
{
	static const uint8_t abc[16] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01,
		0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23 };
	uint8_t id[16];
	bool any = true;

	hash(SPAN("abc"), false, 3, id);
	ok(memcmp(id, abc, 16) == 0, "it is SHA-256 (FIPS 180-4)");
	for (size_t step = 1; step < 9; step++)
		any = any && same(SPAN("a\n\r\nb\r\n\nc\r"), false, step,
		    SPAN("a\r\n\r\nb\r\n\r\nc\r"));
	ok(any, "LF counts as CRLF, cut anywhere");
	any = true;
	for (size_t n = 8180; n < 8200; n++) {
		char lf[8202], crlf[8202];

		memset(lf, 'a', n);
		memset(crlf, 'a', n);
		lf[n] = '\n';
		memcpy(crlf + n, "\r\n", 2);
		any = any && same((struct span){ lf, n + 1 }, false, n + 1,
		    (struct span){ crlf, n + 2 });
	}
	ok(any, "wherever the line end falls");
	ok(same(SPAN("a\nb"), true, 1, SPAN("a\nb")) &&
	    !same(SPAN("a\nb"), false, 1, SPAN("a\nb")),
	    "but not where it is LF on the wire");
	return done();
}
