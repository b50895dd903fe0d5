/* SPDX-License-Identifier: ISC */
#include "text/param.h"

#include "../../t.h"

static const struct {
	const char *field, *name, *want;	/* NULL: there is none */
} row[] = {
	/* RFC 2231 3 and 4 */
	{ "message/external-body; access-type=URL;\r\n"
	    " URL*0=\"ftp://\";\r\n"
	    " URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"",
	    "url", "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar" },
	{ "application/x-stuff;\r\n"
	    " title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
	    "title", "This is ***fun***" },
	{ "application/x-stuff;\r\n"
	    " title*0*=us-ascii'en'This%20is%20even%20more%20;\r\n"
	    " title*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n"
	    " title*2=\"isn't it!\"",
	    "title", "This is even more ***fun*** isn't it!" },
	/* Plain ones. */
	{ "text/plain; charset=us-ascii (Plain text)", "CHARSET", "us-ascii" },
	{ "text/plain; charset=\"a\\\"b;c\"; x=y", "charset", "a\"b;c" },
	{ "text/plain; charset=\"a\\\"b;c\"; x=y", "x", "y" },
	{ "attachment; filename=a b.txt ; size=3", "filename", "a b.txt" },
	{ "attachment; filename=\"folded\r\n name\"", "filename",
	    "folded name" },
	{ "attachment; (a;b=c) filename = x", "filename", "x" },
	{ "attachment; filename=", "filename", "" },
	{ "attachment; filename", "filename", NULL },
	{ "attachment; filename=\"open", "filename", "open" },
	{ "attachment", "filename", NULL },
	{ "attachment; filenames=x", "filename", NULL },
	{ "x; a=1; a=2", "a", "1" },
	/* Charsets, encoded words, and what is wrong. */
	{ "x; f*=iso-8859-1''caf%E9", "f", "caf\xc3\xa9" },
	{ "x; f=plain; f*=utf-8''caf%C3%A9", "f", "caf\xc3\xa9" },
	{ "x; f*0*=utf-8''%C3; f*1*=%A9", "f", "\xc3\xa9" },
	{ "x; f*1=b; f*0=a; f*3=d", "f", "ab" },
	{ "x; f*1=b", "f", NULL },
	{ "x; f*1=b; f=a", "f", "a" },
	{ "x; f*00=b; f*01=c", "f", NULL },
	{ "x; f*99999999999999999999=b", "f", NULL },
	{ "x; f*=caf%C3%A9", "f", "caf\xc3\xa9" },
	{ "x; f*=nonesuch''caf%FF%zz%4", "f", "caf\xef\xbf\xbd%zz%4" },
	{ "x; f=\"=?iso-8859-1?q?caf=E9?=\"", "f", "caf\xc3\xa9" },
	{ "x; f=(c)", "f", "" },
	{ ";;;=;=x;\"\";(", "f", NULL },
};

int
main(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(row); i++) {
		buf_clear(&b);
		ok(param_get(span_str(row[i].field), span_str(row[i].name),
		    &b) == (row[i].want != NULL), "whether it is there");
		is(buf_span(&b), span_str(row[i].want), row[i].field);
	}
	for (const char *const *p = (const char *const[]){ ";", "(", "\"",
	    ";f*1=a", ";f=\"", "; f*0*=utf-8''%41", NULL }; *p != NULL; p++) {
		struct buf in = { 0 };

		while (in.n < 1024 * 1024)
			buf_adds(&in, *p);
		param_get(buf_span(&in), SPAN("f"), &b);
		ok(true, "a megabyte takes no time");
		buf_free(&in);
	}
	buf_free(&b);
	return done();
}
