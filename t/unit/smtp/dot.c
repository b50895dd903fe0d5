/* SPDX-License-Identifier: ISC */
#include "smtp/dot.h"

#include "../../t.h"

static void
collect(void *ctx, struct span s)
{
	buf_add(ctx, s);
}

static const struct {
	const char *in, *out;
	enum dot_state end;
	const char *rest;
} cases[] = {
	{ "a\r\n.\r\nQUIT\r\n", "a\r\n", DOT_ENDED, "QUIT\r\n" },
	{ ".\r\n", "", DOT_ENDED, "" },
	{ "..\r\n.\r\n", ".\r\n", DOT_ENDED, "" },
	{ ".a\r\n.\r\n", "a\r\n", DOT_ENDED, "" },
	{ "a.\r\n.b.\r\n.\r\n", "a.\r\nb.\r\n", DOT_ENDED, "" },
	{ "\r\n\r\n.\r\n", "\r\n\r\n", DOT_ENDED, "" },
	{ "a\n.\r\n", "a", DOT_BARE, ".\r\n" },
	{ "a\r\n.\n", "a\r\n", DOT_BARE, "" },
	{ "a\r\n.\rx", "a\r\n", DOT_BARE, "" },
	{ "a\rb", "a\r", DOT_BARE, "" },
	{ "a\r\r\n.\r\n", "a\r", DOT_BARE, "\n.\r\n" },
	{ "a\r\n.", "a\r\n", DOT_DOT, "" },
	{ "a\r\n.\r", "a\r\n", DOT_DOT_CR, "" },
};

static void
table(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span in = span_str(cases[i].in);

		for (size_t step = in.n; step > 0; step = step == in.n &&
		    in.n > 1 ? 1 : 0) {
			struct dot d = { 0 };
			struct span s = in;

			buf_clear(&b);
			while (s.n > 0 && d.state < DOT_ENDED)
				s = span_skip(s, dot_read(&d,
				    span_head(s, step), collect, &b));
			ok(d.state == cases[i].end &&
			    span_eq(s, span_str(cases[i].rest)) &&
			    d.size == (cases[i].end == DOT_BARE ? d.size :
			    b.n), cases[i].in);
			if (cases[i].end != DOT_BARE)
				is(buf_span(&b), span_str(cases[i].out),
				    "and this is the message");
		}
	}
	buf_free(&b);
}

/* A reference: only CRLF.CRLF ends, any other CR or LF that is no CRLF is
 * bare.  Returns the end's offset, or (size_t)-1 for bare, -2 for no end. */
static size_t
reference(struct span s)
{
	bool start = true;

	for (size_t i = 0; i < s.n; i++) {
		if (start && span_starts(span_skip(s, i), SPAN(".\r\n")))
			return i + 3;
		start = false;
		if (s.p[i] == '\n')
			return (size_t)-1;
		if (s.p[i] != '\r')
			continue;
		if (i + 1 == s.n)
			return (size_t)-2;
		if (s.p[++i] != '\n')
			return (size_t)-1;
		start = true;
	}
	return (size_t)-2;
}

/* Three line ends of {CR, LF, CRLF, ""} … before and after a dot: all 243
 * of five places with three kinds each. */
static void
smuggling(void)
{
	static const char *const eol[] = { "\r", "\n", "\r\n" };
	struct buf b = { 0 }, out = { 0 };
	int bad = 0, ended = 0, inside = 0;

	for (int i = 0; i < 243; i++) {
		struct dot d = { 0 };
		struct span s;
		size_t want, used = 0;

		buf_clear(&b);
		buf_clear(&out);
		buf_adds(&b, "one");
		buf_adds(&b, eol[i % 3]);
		buf_adds(&b, eol[i / 3 % 3]);
		buf_addc(&b, '.');
		buf_adds(&b, eol[i / 9 % 3]);
		buf_adds(&b, eol[i / 27 % 3]);
		buf_adds(&b, "MAIL FROM:<b@c>");
		buf_adds(&b, eol[i / 81 % 3]);
		buf_adds(&b, "x\r\n.\r\n");
		s = buf_span(&b);
		want = reference(s);
		while (used < s.n && d.state < DOT_ENDED)
			used += dot_read(&d, span_head(span_skip(s, used),
			    1), collect, &out);
		if (want == (size_t)-1 ? d.state != DOT_BARE :
		    d.state != DOT_ENDED || used != want)
			bad++;
		ended += d.state == DOT_ENDED;
		/* What was given out never holds a second message. */
		if (d.state == DOT_ENDED &&
		    span_find(buf_span(&out), SPAN("MAIL")) != out.n)
			inside++;
	}
	ok(bad == 0, "243 line ends around a dot end as the reference says");
	ok(ended > 0 && ended < 30,
	    "few of them are messages, the others are refused");
	ok(inside == 0, "the end before MAIL is the end, or it is refused");
	buf_free(&b);
	buf_free(&out);
}

static void
writing(void)
{
	static const char *const texts[] = { "", ".", "..\r\n", "a", "a\r\n",
		"a\r\n.b\r\n..c\r\n", "\r\n.\r\n", ".\r\n.\r\n",
		"x\r\n.\r\nMAIL FROM:<a@b>\r\n" };
	struct buf b = { 0 }, back = { 0 };

	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t step = 1; step < 4; step++) {
			struct span s = span_str(texts[i]);
			struct dot_writer w = { 0 };
			struct dot d = { 0 };
			size_t used;

			buf_clear(&b);
			buf_clear(&back);
			for (; s.n > 0; s = span_skip(s, step))
				dot_write(&w, span_head(s, step), collect,
				    &b);
			dot_write_end(&w, collect, &b);
			used = dot_read(&d, buf_span(&b), collect, &back);
			s = span_str(texts[i]);
			ok(used == b.n && d.state == DOT_ENDED &&
			    span_starts(buf_span(&back), s) &&
			    back.n - s.n <= 2, texts[i]);
		}
	buf_free(&b);
	buf_free(&back);
}

int
main(void)
{
	table();
	smuggling();
	writing();
	return done();
}
