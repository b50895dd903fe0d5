/* SPDX-License-Identifier: ISC */
#include "smtp/reply.h"

#include "../../memory.h"
#include "../../t.h"

static const struct {
	unsigned code;
	const char *status, *text;
	bool utf8;
	const char *want;
} writes[] = {
	{ 250, "2.1.0", "Ok", false, "250 2.1.0 Ok\r\n" },
	{ 250, NULL, "a\nb", false, "250-a\r\n250 b\r\n" },
	{ 550, "5.1.1", "a\nb", false, "550-5.1.1 a\r\n550 5.1.1 b\r\n" },
	{ 550, "2.1.0", "No", false, "550 5.0.0 No\r\n" },
	{ 451, "4.4444.1", "No", false, "451 4.0.0 No\r\n" },
	{ 354, "2.0.0", "Go", false, "354 Go\r\n" },
	{ 250, "2.0.0", "", false, "250 2.0.0 \r\n" },
	{ 550, "5.0.0", "a\rb\x01\xc3\xa4", false,
	    "550 5.0.0 a?b???\r\n" },
	{ 550, "5.0.0", "\xc3\xa4", true, "550 5.0.0 \xc3\xa4\r\n" },
	{ 550, "5.0.0", "\xc3\xff", true, "550 5.0.0 ??\r\n" },
};

static const struct {
	const char *lines;	/* separated by '\n' */
	int end;		/* of the last one */
	unsigned code;
	const char *status, *text;
} reads[] = {
	{ "250 2.1.0 Ok", 1, 250, "2.1.0", "Ok" },
	{ "250", 1, 250, "2.0.0", "" },
	{ "250 Ok", 1, 250, "2.0.0", "Ok" },
	{ "550 2.0.0 No", 1, 550, "5.0.0", "2.0.0 No" },
	{ "550-5.1.1 a\n550 5.1.1 b", 1, 550, "5.1.1", "a\nb" },
	{ "250-x\n250 y", 1, 250, "2.0.0", "x\ny" },
	{ "250-x\n251 y", -1, 250, "2.0.0", "x" },
	{ "354 go", 1, 354, "", "go" },
	{ "25", -1, 0, "", "" },
	{ "2500 x", -1, 0, "", "" },
	{ "199 x", -1, 0, "", "" },
	{ "600 x", -1, 0, "", "" },
	{ "abc", -1, 0, "", "" },
	{ "", -1, 0, "", "" },
};

int
main(void)
{
	struct buf b = { 0 };
	struct smtp_reply r = { 0 };

	for (size_t i = 0; i < COUNT(writes); i++) {
		struct out o = { .op = t_hear, .ctx = &b };
		struct in in = { 0 };

		buf_clear(&b);
		smtp_reply_set(&r, writes[i].code, writes[i].status,
		    writes[i].text);
		smtp_reply_write(&r, &o, writes[i].utf8);
		out_flush(&o);
		stream_free(&in, &o);
		is(buf_span(&b), span_str(writes[i].want), writes[i].want);
	}
	for (size_t i = 0; i < COUNT(reads); i++) {
		struct span s = span_str(reads[i].lines);
		int end = 0;

		smtp_reply_free(&r);
		while (s.p != NULL && end == 0)
			end = smtp_reply_line(&r, span_cut(&s, '\n'));
		ok(end == reads[i].end && r.code == reads[i].code &&
		    strcmp(r.status, reads[i].status) == 0 &&
		    span_eq(buf_span(&r.text), span_str(reads[i].text)),
		    reads[i].lines);
	}
	for (int a = SMTP_OK; a <= SMTP_NO_RCPT; a++) {
		smtp_reply_std(&r, (enum smtp_answer)a);
		ok(r.status[0] == (char)('0' + r.code / 100) && r.text.n > 0,
		    "a standard answer has a code of its class");
	}
	smtp_reply_free(&r);
	buf_free(&b);
	return done();
}
