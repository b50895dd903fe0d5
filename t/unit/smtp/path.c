/* SPDX-License-Identifier: ISC */
#include "smtp/path.h"

#include "../../t.h"

enum { N = SMTP_PATH_NULL, P = SMTP_PATH_POSTMASTER, B = SMTP_PATH_BARE,
	U = SMTP_PATH_UTF8 };

static const struct {
	const char *in;
	unsigned allow;
	const char *want;	/* canonical "|" rest, or the error */
} cases[] = {
	{ "<a@b.example>", 0, "a@b.example|" },
	{ "<a@b.example> SIZE=1", 0, "a@b.example| SIZE=1" },
	{ "<>", N, "|" },
	{ "<>", 0, "syntax" },
	{ "<postmaster>", P, "postmaster|" },
	{ "<PostMaster>", P, "PostMaster|" },
	{ "<postmaster>", 0, "syntax" },
	{ "<alice>", P, "syntax" },
	{ "<alice>", B, "alice|" },
	{ "<@a,@b.example:c@d.example>", 0, "c@d.example|" },
	{ "<@a:c@d>", 0, "c@d|" },
	{ "<@a,c@d>", 0, "syntax" },
	{ "<@a,@b.example>", 0, "syntax" },
	{ "<\"a b\"@c>", 0, "\"a b\"@c|" },
	{ "<\"ab\"@c>", 0, "ab@c|" },
	{ "<\"a\\b\"@c>", 0, "ab@c|" },
	{ "<\"a\\\"b\"@c>", 0, "\"a\\\"b\"@c|" },
	{ "<\"a>b\"@c> X", 0, "\"a>b\"@c| X" },
	{ "<\"a@x\"@c>", 0, "\"a@x\"@c|" },
	{ "<\"\"@c>", 0, "\"\"@c|" },
	{ "<\"a@c>", 0, "syntax" },
	{ "<\"a\"b@c>", 0, "syntax" },
	{ "<a.b+c=d/e@f-g.h>", 0, "a.b+c=d/e@f-g.h|" },
	{ "<a..b@c>", 0, "syntax" },
	{ "<.a@c>", 0, "syntax" },
	{ "<a.@c>", 0, "syntax" },
	{ "<a b@c>", 0, "syntax" },
	{ "<a@>", 0, "syntax" },
	{ "<@c>", 0, "syntax" },
	{ "<a@b@c>", 0, "syntax" },
	{ "<a@-b>", 0, "syntax" },
	{ "<a@b->", 0, "syntax" },
	{ "<a@b..c>", 0, "syntax" },
	{ "<a@b.>", 0, "syntax" },
	{ "<a@[127.0.0.1]>", 0, "a@[127.0.0.1]|" },
	{ "<a@[IPv6:::1]>", 0, "a@[IPv6:::1]|" },
	{ "<a@[x400:c=de]>", 0, "a@[x400:c=de]|" },
	{ "<a@[127.0.0.256]>", 0, "syntax" },
	{ "<a@[IPv6:zz]>", 0, "syntax" },
	{ "<a@[127.0.0.1>", 0, "syntax" },
	{ "<a@[]>", 0, "syntax" },
	{ "a@b.example", 0, "syntax" },
	{ "<a@b.example", 0, "syntax" },
	{ "<", 0, "syntax" },
	{ "", 0, "syntax" },
	{ "<\xc3\xa4@b>", U, "\xc3\xa4@b|" },
	{ "<a@\xc3\xa4.example>", U, "a@\xc3\xa4.example|" },
	{ "<\xc3\xa4@b>", 0, "ascii" },
	{ "<\xc0\xaf@b>", U, "syntax" },
	{ "<\xed\xa0\x80@b>", U, "syntax" },
	{ "<\xff@b>", 0, "syntax" },
};

static void
lengths(void)
{
	struct buf b = { 0 };
	struct smtp_path p;
	struct span s;

	for (int over = 0; over < 2; over++) {
		buf_clear(&b);
		buf_addc(&b, '<');
		for (int i = 0; i < SMTP_LOCAL_MAX + over; i++)
			buf_addc(&b, 'x');
		buf_adds(&b, "@b>");
		s = buf_span(&b);
		ok(smtp_path_parse(&s, 0, &p) == (over ? SMTP_PATH_TOO_LONG :
		    SMTP_PATH_OK), over ? "a local part over the limit" :
		    "a local part at the limit");
	}
	for (int over = 0; over < 2; over++) {
		buf_clear(&b);
		buf_adds(&b, "<a@");
		for (int i = 0; i < 127; i++)
			buf_adds(&b, "x.");
		buf_adds(&b, over ? "xx>" : "x>");
		s = buf_span(&b);
		ok(smtp_path_parse(&s, 0, &p) == (over ? SMTP_PATH_TOO_LONG :
		    SMTP_PATH_OK), over ? "a domain over 255 octets" :
		    "a domain of 255 octets");
	}
	buf_free(&b);
}

int
main(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span s = span_str(cases[i].in);
		struct smtp_path p;

		buf_clear(&b);
		switch (smtp_path_parse(&s, cases[i].allow, &p)) {
		case SMTP_PATH_OK:
			smtp_path_canon(&p, &b);
			buf_addc(&b, '|');
			buf_add(&b, s);
			break;
		case SMTP_PATH_SYNTAX:
			buf_adds(&b, "syntax");
			break;
		case SMTP_PATH_TOO_LONG:
			buf_adds(&b, "long");
			break;
		case SMTP_PATH_NOT_ASCII:
			buf_adds(&b, "ascii");
			break;
		}
		is(buf_span(&b), span_str(cases[i].want), cases[i].in);
	}
	lengths();
	buf_free(&b);
	return done();
}
