/* SPDX-License-Identifier: ISC */
#include "mime/header.h"

#include "../../t.h"

static void
test_reading(void)
{
	struct span rest = SPAN("From x\nA: 1\r\n\t2\r\nb : 3\nno field\n"
	    " more\nC:\n\nbody: x\n");
	struct header_field f;
	struct buf got = { 0 };

	while (header_next(&rest, &f)) {
		buf_addc(&got, '<');
		buf_add(&got, f.name);
		buf_addc(&got, '=');
		header_unfold(f.value, &got);
		buf_addc(&got, '>');
	}
	is(buf_span(&got), SPAN("<=From x><A=1\t2><b=3><=no field more><C=>"),
	    "fields, folds and lines that are none");
	is(rest, SPAN("body: x\n"), "the empty line is cut off");
	ok(header_is_field(SPAN("X-Y: z")) && header_is_field(SPAN("a :")) &&
	    !header_is_field(SPAN("From x: y")) &&
	    !header_is_field(SPAN(": x")) && !header_is_field(SPAN("")),
	    "what begins a field");
	buf_free(&got);
}

static void
test_index(void)
{
	struct header_index x = { 0 };
	struct buf b = { 0 };

	for (int i = 0; i < 100; i++)
		buf_adds(&b, "A: 1\n 2\n");
	buf_adds(&b, "no field\nZ: 3\n\nbody: x\n");
	header_index(&x, buf_span(&b));
	ok(x.n == 102, "an index has all fields of a header");
	is(x.f[99].value, SPAN(" 1\n 2"), "with their values");
	is(x.f[101].name, SPAN("Z"), "in their order");
	header_index(&x, SPAN("B: 2\n"));
	ok(x.n == 1 && span_eq(x.f[0].name, SPAN("B")),
	    "and another header's then");
	header_index(&x, SPAN("\n"));
	ok(x.n == 0, "or none");
	header_index_free(&x);
	buf_free(&b);
}

static void
test_cut(void)
{
	static const struct { const char *in; size_t want; } rows[] = {
		{ "A: 1\r\n\r\nb", 6 }, { "A: 1\n\nb", 5 }, { "\r\nb", 0 },
		{ "\nb", 0 }, { "A: 1\r\n", 6 }, { "A: 1", 4 },
		{ "A: 1\n\rb\n\nc", 8 }
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct header_cut c = { 0 };
		struct span s = span_str(rows[i].in);
		size_t n = header_cut(&c, s), one = 0;

		ok(n == rows[i].want, rows[i].in);
		c = (struct header_cut){ 0 };
		for (size_t k = 0; k < s.n && !c.done; k++)
			one += header_cut(&c, span_head(span_skip(s, k), 1));
		ok(one == n || one == n + 1, "the same, octet by octet");
	}
}

static void
test_writing(void)
{
	struct buf b = { 0 };

	ok(header_add(&b, SPAN("Subject"), SPAN(" hello ")), "a field");
	is(buf_span(&b), SPAN("Subject: hello\r\n"), "is written trimmed");
	buf_clear(&b);
	ok(!header_add(&b, SPAN("To"), SPAN("a\r\nBcc: b")) &&
	    !header_add(&b, SPAN("To"), SPAN("a\nb")) &&
	    !header_add(&b, SPAN("To"), SPAN("a\rb")) &&
	    !header_add(&b, SPAN("To"), SPAN("a\0b")) &&
	    !header_add(&b, SPAN("T o"), SPAN("a")) &&
	    !header_add(&b, SPAN("To:"), SPAN("a")) &&
	    !header_add(&b, SPAN(""), SPAN("a")) && b.n == 0,
	    "nothing that would be another field is written");
	for (int i = 0; i < 40; i++)
		buf_adds(&b, "word ");
	struct buf line = { 0 };

	header_add(&line, SPAN("X"), buf_span(&b));
	struct span s = buf_span(&line);
	bool fits = true;

	while (s.p != NULL)
		fits = fits && span_cut(&s, '\n').n <= 79;
	ok(fits, "long values are folded");
	buf_clear(&b);
	header_add(&b, SPAN("X"), SPAN(""));
	is(buf_span(&b), SPAN("X:\r\n"), "an empty value");
	buf_free(&b);
	buf_free(&line);
}

int
main(void)
{
	test_reading();
	test_index();
	test_cut();
	test_writing();
	return done();
}
