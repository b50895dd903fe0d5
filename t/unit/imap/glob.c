/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "imap/glob.h"

#include <time.h>

#include "../../t.h"

static const struct {
	const char *pattern, *name;
	bool match;
} table[] = {
	{ "*", "a", true }, { "*", "a/b", true }, { "*", "", true },
	{ "%", "a", true }, { "%", "a/b", false }, { "%", "", true },
	{ "", "", true }, { "", "a", false },
	{ "a", "a", true }, { "a", "A", false }, { "a", "ab", false },
	{ "a*", "a/b/c", true }, { "a%", "a/b", false },
	{ "a/%", "a/b", true }, { "a/%", "a/b/c", false },
	{ "a/%", "a", false }, { "a/%/c", "a/b/c", true },
	{ "%/%", "a/b", true }, { "%/%", "a", false },
	{ "*c", "a/b/c", true }, { "%c", "a/b/c", false },
	{ "%b*d", "ab/c/d", true }, { "%*", "a/b", true },
	{ "*%", "a/b", true }, { "%%", "a", true }, { "%%", "a/b", false },
	{ "a*b*c", "aXbXc", true }, { "a*b*c", "aXcXb", false },
	{ "inbox", "INBOX", true }, { "InBoX", "inbox", true },
	{ "inbox%", "INBOX", true }, { "inboxes", "INBOXES", false },
	{ "INBOX/%", "inbox/x", true }, { "in*", "INBOX", false },
	{ "IN*", "inbox", true },
	{ "a.b", "axb", false }, { "[a]", "a", false }, { "?", "a", false },
	{ "\\*", "\\x", true },
};

int
main(void)
{
	struct arena a = { 0 };
	struct buf many = { 0 }, name = { 0 };
	struct timespec begin, end;
	struct glob *g;
	bool hit = false;
	long ms;

	for (size_t i = 0; i < COUNT(table); i++) {
		g = glob_new(&a, span_str(table[i].pattern), '/');
		if (!ok(glob_match(g, span_str(table[i].name)) ==
		    table[i].match, table[i].pattern))
			printf("# for %s\n", table[i].name);
	}
	g = glob_new(&a, SPAN("a.%"), '.');
	ok(glob_match(g, SPAN("a.b/c")) && !glob_match(g, SPAN("a.b.c")),
	    "the delimiter is what it is told to be");

	/* Each length around the words of 64 bits. */
	for (size_t n = 60; n < 140; n++) {
		buf_clear(&many);
		buf_clear(&name);
		for (size_t i = 0; i < n; i++) {
			buf_addc(&many, i % 7 == 3 ? '%' : 'a');
			buf_addc(&name, 'a');
		}
		g = glob_new(&a, buf_span(&many), '/');
		hit = glob_match(g, buf_span(&name)) &&
		    !glob_match(g, span_head(buf_span(&name), n / 2));
		if (!hit)
			break;
	}
	ok(hit, "patterns of any length match");

	buf_clear(&many);
	for (int i = 0; i < 500; i++)
		buf_adds(&many, i % 2 ? "%a" : "*a");
	buf_clear(&name);
	for (int i = 0; i < 255; i++)
		buf_addc(&name, 'a');
	name.p[254] = 'b';
	g = glob_new(&a, buf_span(&many), '/');
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (int i = 0; i < 1000; i++)
		hit = glob_match(g, buf_span(&name));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	ms = (end.tv_sec - begin.tv_sec) * 1000 +
	    (end.tv_nsec - begin.tv_nsec) / 1000000;
	ok(!hit && ms < 1000, "a thousand wildcards cost nothing to speak of");
	printf("# 1000 names in %ld ms\n", ms);

	buf_clear(&many);
	for (int i = 0; i <= GLOB_MAX; i++)
		buf_addc(&many, 'a');
	g = glob_new(&a, buf_span(&many), '/');
	ok(!glob_match(g, buf_span(&many)), "an endless one matches nothing");
	buf_free(&many);
	buf_free(&name);
	arena_free(&a);
	return done();
}
