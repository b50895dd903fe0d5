/* SPDX-License-Identifier: ISC */
#include "mime/fields.h"

#include "base/buf.h"

#include "../../t.h"

static void
add(void *arg, struct span s)
{
	buf_add(arg, s);
}

static const char header[] =
    "From: a\r\nSubject: one\r\n two\r\n\tthree\r\nX-From: x\r\n"
    "from : b\r\nno colon here\r\nTo: c\r\n\r\nFrom: body\r\n";

int
main(void)
{
	static const struct span names[] = { { "FROM", 4 },
	    { "subject", 7 } };
	static const struct span prefix[] = { { "x-", 2 } };
	static const struct {
		enum fields_choice choice;
		const struct span *name;
		size_t names;
		const char *want;
	} t[] = {
		{ FIELDS_NAMED, names, 2, "From: a\r\nSubject: one\r\n two\r\n"
		    "\tthree\r\nfrom : b\r\n" },
		{ FIELDS_NOT_NAMED, names, 2, "X-From: x\r\n"
		    "no colon here\r\nTo: c\r\n" },
		{ FIELDS_PREFIX, prefix, 1, "X-From: x\r\n" },
		{ FIELDS_NAMED, names, 0, "" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(t); i++)
		for (size_t step = 1; step < 200; step += 1 + step / 3) {
			struct fields f = { .choice = t[i].choice,
			    .name = t[i].name, .names = t[i].names,
			    .sink = add, .arg = &b };
			struct span in = SPAN(header);

			buf_clear(&b);
			for (; in.n > 0; in = span_skip(in, step))
				fields_feed(&f, span_head(in, step));
			fields_finish(&f);
			is(buf_span(&b), span_str(t[i].want),
			    "fields are chosen, in pieces of any size");
		}
	struct buf big = { 0 };

	for (int i = 0; i < 1000; i++)
		buf_addc(&big, 'a');
	buf_adds(&big, ": x\r\nFrom: y");
	buf_clear(&b);
	struct fields f = { .choice = FIELDS_NAMED, .name = names,
	    .names = 2, .sink = add, .arg = &b };

	fields_feed(&f, buf_span(&big));
	fields_finish(&f);
	is(buf_span(&b), SPAN("From: y"), "long names are nobody's");
	buf_free(&big);
	buf_free(&b);
	return done();
}
