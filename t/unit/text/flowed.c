/* SPDX-License-Identifier: ISC */
#include "text/flowed.h"

#include "../../t.h"

/* What a reader makes of it, by RFC 3676 4.1 to 4.5: the paragraphs again,
 * "> " before what is quoted. */
static void
unflow(struct span s, struct buf *to)
{
	bool open = false;

	while (s.n > 0) {
		struct span line = span_head(s, span_find(s, SPAN("\r\n")));
		size_t depth = 0;
		bool flowed;

		s = span_skip(s, line.n + 2);
		while (depth < line.n && line.p[depth] == '>')
			depth++;
		if (!open) {
			buf_add(to, span_head(line, depth));
			buf_adds(to, depth > 0 ? " " : "");
		}
		line = span_skip(line, depth);
		if (span_starts(line, SPAN(" ")))
			line = span_skip(line, 1);
		flowed = span_ends(line, SPAN(" ")) &&
		    !span_eq(line, SPAN("-- "));
		buf_add(to, span_head(line, line.n - flowed));
		if (!flowed)
			buf_addc(to, '\n');
		open = flowed;
	}
}

#define WORDS "one two three four five six seven eight nine ten "

int
main(void)
{
	static const struct {
		struct span in, want;	/* want p NULL: not compared */
		const char *name;
	} cases[] = {
		{ SPAN_INIT("see below\n"), SPAN_INIT("see below\r\n"),
		    "a short line stays" },
		{ SPAN_INIT("a\n\nb"), SPAN_INIT("a\r\n\r\nb\r\n"),
		    "and so do empty ones" },
		{ SPAN_INIT("a  \nb\n"), SPAN_INIT("a\r\nb\r\n"),
		    "a blank at the end does not join lines" },
		{ SPAN_INIT("-- \nme\n"), SPAN_INIT("-- \r\nme\r\n"),
		    "a signature stays one" },
		{ SPAN_INIT(" x\nFrom me\n"),
		    SPAN_INIT("  x\r\n From me\r\n"), "lines are stuffed" },
		{ SPAN_INIT(">> x\n>y\n"), SPAN_INIT(">> x\r\n> y\r\n"),
		    "quotes stay quotes" },
		{ SPAN_INIT("a\r\nb\r\n"), SPAN_INIT("a\r\nb\r\n"),
		    "line ends may be CRLF" },
		{ SPAN_INIT(WORDS WORDS "end\n"), SPAN_INIT(
		    WORDS "one two three four  \r\nfive six seven eight nine "
		    "ten end\r\n"), "a long line is broken at a blank" },
		{ SPAN_INIT("> " WORDS WORDS "end\n"), { NULL, 0 },
		    "a long quote is quoted all over" },
		{ SPAN_INIT("\xc3\xa4 " WORDS WORDS WORDS "\xc3\xa4\n"),
		    { NULL, 0 }, "text beyond ASCII" },
		{ SPAN_INIT(WORDS "   " WORDS "  > " WORDS "From\n"),
		    { NULL, 0 }, "blanks are kept" },
	};
	struct buf b = { 0 }, back = { 0 }, text = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&b);
		buf_clear(&back);
		flowed_add(cases[i].in, &b);
		if (cases[i].want.p != NULL) {
			is(buf_span(&b), cases[i].want, cases[i].name);
			continue;
		}
		unflow(buf_span(&b), &back);
		is(buf_span(&back), cases[i].in, cases[i].name);
		for (struct span rest = buf_span(&b); rest.n > 0; )
			if (!ok(span_cut(&rest, '\n').n <= 79, "lines are "
			    "short"))
				break;
	}
	for (int i = 0; i < 2000; i++)
		buf_adds(&text, "\xe2\x82\xac");
	buf_addc(&text, '\n');
	buf_clear(&b);
	buf_clear(&back);
	flowed_add(buf_span(&text), &b);
	unflow(buf_span(&b), &back);
	is(buf_span(&back), buf_span(&text), "a word without end is cut");
	for (struct span rest = buf_span(&b); rest.n > 0; )
		ok(span_cut(&rest, '\n').n < 998, "into lines that may be");
	buf_free(&b);
	buf_free(&back);
	buf_free(&text);
	return done();
}
