/* SPDX-License-Identifier: ISC */
#include "text/scan.h"

#include <stdlib.h>

#include "text/collation.h"
#include "text/utf8.h"

#include "../../t.h"

static void
one_text(struct casemap_cache *cache)
{
	static const struct span needle[] = {
		{ "he", 2 }, { "SHE", 3 }, { "his", 3 }, { "hers", 4 },
		{ "", 0 }, { "he", 2 }, { "\xc3\x89t\xc3\xa9", 5 },
		{ "absent", 6 }
	};
	static const bool want[] = { true, true, false, true, true, true,
		true, false };
	struct scan *s = scan_new(needle, COUNT(needle), cache);
	bool all = true;

	scan_begin(s);
	for (struct span t = SPAN("usHErs in the "); t.n > 0;
	    t = span_skip(t, 1))
		scan_feed(s, span_head(t, 1));
	scan_feed(s, SPAN("\xc3\xa9"));
	scan_feed(s, SPAN("t"));
	ok(scan_feed(s, SPAN("\xc3\x89")), "it goes on while one is missing");
	for (size_t i = 0; i < COUNT(needle); i++)
		all &= scan_found(s, i) == want[i];
	ok(all, "needles within needles, twice, empty and absent");
	scan_begin(s);
	scan_feed(s, SPAN("abs"));
	scan_begin(s);
	scan_feed(s, SPAN("ent"));
	ok(!scan_found(s, 7), "a match does not reach from text to text");
	ok(!scan_feed(s, SPAN(" his absent")), "it stops when all are found");
	scan_clear(s);
	ok(scan_found(s, 4) && !scan_found(s, 0) && !scan_found(s, 7),
	    "what was found is forgotten, but the empty one is everywhere");
	scan_free(s);
}

/* Against the plain definition, on texts of few letters so that much
 * matches. */
static void
noise(struct casemap_cache *cache)
{
	static const char *const letter[] = { "a", "B", "\xc3\xa9", "\xc4\xb0",
		"\xef\xac\x81", "e", "f", "I", "\xe1\x83\x90" };
	bool same = true;

	for (unsigned seed = 1; seed < 400; seed++) {
		struct buf t[13] = { { 0 } };
		struct span needle[12];
		struct scan *s;
		struct span text;

		srandom(seed);
		for (size_t i = 0; i < 13; i++) {
			long n = random() % (i == 12 ? 200 : 5);

			for (; n > 0; n--)
				buf_adds(&t[i], letter[random() % 9]);
		}
		for (size_t i = 0; i < 12; i++)
			needle[i] = buf_span(&t[i]);
		s = scan_new(needle, 12, cache);
		scan_begin(s);
		for (text = buf_span(&t[12]); text.n > 0;) {
			uint32_t cp;
			bool good;
			size_t n = utf8_next(text, &cp, &good);

			scan_feed(s, span_head(text, n));
			text = span_skip(text, n);
		}
		for (size_t i = 0; i < 12; i++)
			same &= scan_found(s, i) == collation_contains(
			    COLLATE_UNICODE_CASEMAP, buf_span(&t[12]),
			    needle[i]);
		scan_free(s);
		for (size_t i = 0; i < 13; i++)
			buf_free(&t[i]);
	}
	ok(same, "many needles are found exactly where each alone would be");
}

static void
limits(struct casemap_cache *cache)
{
	struct buf b = { 0 };
	struct span needle[200], all;
	struct scan *s;
	bool found = true;

	for (size_t i = 0; i < SCAN_OCTETS_MAX; i++)
		buf_addc(&b, (char)('A' + i % 26));
	all = buf_span(&b);
	s = scan_new(&all, 1, cache);
	ok(s != NULL, "a needle of the greatest length");
	scan_feed(s, all);
	ok(scan_found(s, 0), "is found");
	scan_free(s);
	buf_addc(&b, 'x');
	all = buf_span(&b);
	ok(scan_new(&all, 1, cache) == NULL, "a longer one is refused");
	buf_clear(&b);
	for (int i = 0; i < 256; i++)
		buf_addc(&b, (char)i);
	for (size_t i = 0; i < 200; i++)
		needle[i] = (struct span){ b.p + i, 1 };
	s = scan_new(needle, 200, cache);
	scan_feed(s, buf_span(&b));
	for (size_t i = 0; i < 200; i++)
		found &= scan_found(s, i);
	ok(found, "octets of every value");
	scan_free(s);
	buf_free(&b);
}

int
main(void)
{
	struct casemap_cache *cache = casemap_cache_new();

	one_text(cache);
	noise(cache);
	limits(cache);
	casemap_cache_free(cache);
	return done();
}
