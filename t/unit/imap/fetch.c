/* SPDX-License-Identifier: ISC */
#include "imap/fetch.h"

#include "../../t.h"

/* What the items of a command line are, and how they are answered. */
static void
show(struct span in, struct buf *to)
{
	struct arena arena = { 0 };
	struct lex l = { .in = in, .arena = &arena };
	struct fetch f = lex_fetch(&l);
	struct in unused = { 0 };
	struct out o = { 0 };

	stream_open(&unused, &o, -1, -1);
	if (lex_end(&l)) {
		out_addf(&o, "%u", f.items);
		for (size_t i = 0; i < f.sections; i++) {
			out_adds(&o, f.section[i].peek ? " -" : " ");
			wire_fetch_label(&o, &f.section[i]);
			if (f.section[i].partial)
				out_addf(&o, "+%u", f.section[i].length);
		}
		buf_add(to, (struct span){ o.p, o.n });
	} else
		buf_adds(to, "bad");
	stream_free(&unused, &o);
	arena_free(&arena);
}

int
main(void)
{
	static const char *const t[][2] = {
		{ "ALL", "30" },
		{ "fast", "14" },
		{ "FULL", "62" },
		{ "(ALL)", "bad" },
		{ "ALL FAST", "bad" },
		{ "UID", "1" },
		{ "(FLAGS UID RFC822.SIZE)", "11" },
		{ "(BODY BODYSTRUCTURE ENVELOPE)", "112" },
		{ "BODY[]", "0 BODY[]" },
		{ "body.peek[]<0.2048>", "0 -BODY[]<0>+2048" },
		{ "BODY[]<4294967295.1>", "0 BODY[]<4294967295>+1" },
		{ "BODY[]<0.0>", "bad" },
		{ "BODY[]<0>", "bad" },
		{ "BODY[]<4294967296.1>", "bad" },
		{ "BODY[]<-1.1>", "bad" },
		{ "BODY[1]", "0 BODY[1]" },
		{ "BODY[1.2.3.TEXT]", "0 BODY[1.2.3.TEXT]" },
		{ "BODY[4.1.mime]", "0 BODY[4.1.MIME]" },
		{ "BODY[MIME]", "bad" },
		{ "BODY[0]", "bad" },
		{ "BODY[1.]", "bad" },
		{ "BODY[.1]", "bad" },
		{ "BODY[1.0]", "bad" },
		{ "BODY[1", "bad" },
		{ "BODY[FOO]", "bad" },
		{ "BODY.PEEK", "bad" },
		{ "BODYSTRUCTURE[]", "bad" },
		{ "BODY[HEADER.FIELDS (From \"To\")]",
		    "0 BODY[HEADER.FIELDS (From To)]" },
		{ "BODY[1.HEADER.FIELDS.NOT (X)]",
		    "0 BODY[1.HEADER.FIELDS.NOT (X)]" },
		{ "BODY[HEADER.FIELDS]", "bad" },
		{ "BODY[HEADER.FIELDS ()]", "bad" },
		{ "BODY[HEADER.FIELDS (a)", "bad" },
		{ "BODY[HEADER.FIELDS.FOO (a)]", "bad" },
		{ "(RFC822 RFC822.HEADER RFC822.TEXT)",
		    "0 RFC822 -RFC822.HEADER RFC822.TEXT" },
		{ "RFC822.PEEK", "bad" },
		{ "BINARY[]", "0 BINARY[]" },
		{ "(binary[1.2] Binary.Size[3])",
		    "0 BINARY[1.2] -BINARY.SIZE[3]" },
		{ "BINARY.PEEK[2]<5.10>", "0 -BINARY[2]<5>+10" },
		{ "BINARY.SIZE[]", "0 -BINARY.SIZE[]" },
		{ "BINARY.SIZE[1]<0.1>", "bad" },
		{ "BINARY.SIZE.PEEK[1]", "bad" },
		{ "BINARY", "bad" },
		{ "BINARY.SIZE", "bad" },
		{ "BINARY[1]<1.0>", "bad" },
		{ "BINARY[TEXT]", "bad" },
		{ "BINARY[1.MIME]", "bad" },
		{ "BINARY[1.]", "bad" },
		{ "BINARY[0]", "bad" },
		{ "()", "bad" },
		{ "(FLAGS", "bad" },
		{ "(FLAGS )", "bad" },
		{ "((FLAGS))", "bad" },
		{ "", "bad" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(t); i++) {
		buf_clear(&b);
		show(span_str(t[i][0]), &b);
		is(buf_span(&b), span_str(t[i][1]), t[i][0]);
	}
	struct buf deep = { 0 };

	buf_adds(&deep, "BODY[1");
	for (int i = 0; i < 1000; i++)
		buf_adds(&deep, ".1");
	buf_adds(&deep, "]");
	buf_clear(&b);
	show(buf_span(&deep), &b);
	is(buf_span(&b), SPAN("bad"), "a part's number is bounded");
	buf_free(&deep);
	buf_free(&b);
	return done();
}
