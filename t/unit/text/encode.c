/* SPDX-License-Identifier: ISC */
#include "text/encode.h"

#include "text/header.h"

#include "../../t.h"

int
main(void)
{
	static const struct {
		struct span in, want;
		const char *name;
	} cases[] = {
		{ SPAN_INIT("About our trip"), SPAN_INIT("About our trip"),
		    "ASCII stays" },
		{ SPAN_INIT(""), SPAN_INIT(""), "and so does nothing" },
		{ SPAN_INIT("a\r\nBcc: b"),
		    SPAN_INIT("=?utf-8?B?YSAgQmNjOiBi?="),
		    "no line end makes a field" },
		{ SPAN_INIT("=?utf-8?Q?x?="),
		    SPAN_INIT("=?utf-8?B?PT91dGYtOD9RP3g/PQ==?="),
		    "what looks like a word is none" },
		{ SPAN_INIT("\xff" "a"), SPAN_INIT("=?utf-8?B?77+9YQ==?="),
		    "what is no UTF-8 is shown as such" },
	};
	struct buf b = { 0 }, back = { 0 }, text = { 0 };
	struct span rest;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&b);
		encode_text(cases[i].in, &b);
		is(buf_span(&b), cases[i].want, cases[i].name);
	}
	for (int i = 0; i < 60; i++)
		buf_adds(&text, i % 2 ? "\xe2\x82\xac" : "x");
	buf_clear(&b);
	encode_text(buf_span(&text), &b);
	rest = buf_span(&b);
	while (rest.p != NULL)
		ok(span_cut(&rest, ' ').n <= 75, "a word is short");
	ok(header_decode(buf_span(&b), &back), "and whole");
	is(buf_span(&back), buf_span(&text), "and comes back");
	buf_free(&b);
	buf_free(&back);
	buf_free(&text);
	return done();
}
