/* SPDX-License-Identifier: ISC */
#include "text/casemap.h"

#include "text/icu.h"
#include "text/utf8.h"

#include "../../t.h"

static const struct {
	const char *in, *out, *name;
} row[] = {
	{ "Hello, World 1", "HELLO, WORLD 1", "ASCII" },
	{ "\xc7\x84", "Dz\xcc\x8c", "the example of RFC 5051 2 (2) (b)" },
	{ "\xc3\x9f", "\xc3\x9f", "sharp s stays: it is not SS" },
	{ "\xe1\xba\x9e", "\xe1\xba\x9e", "capital sharp s is another" },
	{ "\xc4\xb0", "I\xcc\x87", "I with a dot is I and a dot" },
	{ "\xc4\xb1", "I", "i without a dot is I" },
	{ "\xcf\x82", "\xce\xa3", "the final sigma is a sigma" },
	{ "\xcf\x83", "\xce\xa3", "and so is the other" },
	{ "\xc3\xa9", "E\xcc\x81", "an accent is taken off" },
	{ "\xef\xac\x81", "fi", "a ligature is taken apart, not cased" },
	{ "\xef\xbd\x81", "A", "a wide letter" },
	{ "\xe2\x80\xa6", "...", "an ellipsis" },
	{ "\xc2\xa0", " ", "a no-break space" },
	{ "\xed\x95\x9c", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "Hangul" },
	{ "\xe3\x81\x8c", "\xe3\x81\x8b\xe3\x82\x99", "kana with a mark" },
	{ "\xe1\x83\x90", "\xe1\x83\x90", "Georgian has no titlecase" },
	{ "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80", "Deseret" },
};

/* Our tables against the standard's, for every code point. */
static void
tables(void)
{
	const struct icu *lib = icu();
	uint32_t wrong = 0, quick = 0;

	for (uint32_t cp = 0; lib != NULL && cp <= 0x10ffff; cp++) {
		UChar u[CASEMAP_MAX];
		UErrorCode e = U_ZERO_ERROR;
		UChar32 title = lib->u_totitle((UChar32)cp);
		uint32_t out[CASEMAP_MAX];
		size_t n, k = 0;
		int32_t m;
		bool same;

		if (!casemap_quick(cp))
			continue;
		quick++;
		m = lib->unorm2_getDecomposition(lib->nfkd, title, u,
		    CASEMAP_MAX, &e);
		if (m < 0) {
			u[0] = (UChar)title;
			m = 1;
		}
		n = casemap_cp(cp, out);
		same = n == (size_t)m;
		for (; same && k < n; k++)
			same = (out[k] & 0xffff) == u[k];
		if (!same && wrong == 0)
			wrong = cp;
	}
	if (!ok(lib != NULL && wrong == 0, "our tables say what ICU says"))
		printf("# U+%04X\n", wrong);
	ok(quick > 80000, "and are many");
}

int
main(void)
{
	struct buf b = { 0 };
	uint32_t out[CASEMAP_MAX];
	size_t most = 0;

	for (size_t i = 0; i < COUNT(row); i++) {
		buf_clear(&b);
		ok(casemap_add(span_str(row[i].in), &b), "is UTF-8");
		is(buf_span(&b), span_str(row[i].out), row[i].name);
	}
	buf_clear(&b);
	ok(!casemap_add(SPAN("a\xff" "b"), &b), "what is no UTF-8 is told");
	is(buf_span(&b), SPAN("A\xff" "B"), "and kept");
	buf_free(&b);
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		size_t n = casemap_cp(cp, out);

		most = n > most ? n : most;
	}
	ok(most == 18, "no character becomes more than eighteen");
	tables();
	return done();
}
