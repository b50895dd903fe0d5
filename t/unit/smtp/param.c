/* SPDX-License-Identifier: ISC */
#include "smtp/param.h"

#include "../../t.h"

enum { ALL = SMTP_SIZE | SMTP_8BITMIME | SMTP_BINARYMIME | SMTP_UTF8 |
	SMTP_AUTH | SMTP_DSN };

/* What is printed again for a peer that offers all, or the refusal. */
static const struct {
	const char *in;
	unsigned offered;
	const char *want;
} mails[] = {
	{ "FROM:<a@b>", ALL, "MAIL FROM:<a@b>" },
	{ "from:<a@b>", ALL, "MAIL FROM:<a@b>" },
	{ "FROM: <a@b>", ALL, "MAIL FROM:<a@b>" },
	{ "FROM:<>", ALL, "MAIL FROM:<>" },
	{ "FROM:<a@b> SIZE=0", ALL, "MAIL FROM:<a@b> SIZE=0" },
	{ "FROM:<a@b> size=12 body=8bitmime", ALL,
	    "MAIL FROM:<a@b> SIZE=12 BODY=8BITMIME" },
	{ "FROM:<a@b> BODY=BINARYMIME", ALL,
	    "MAIL FROM:<a@b> BODY=BINARYMIME" },
	{ "FROM:<a@b> BODY=BINARYMIME", ALL & ~SMTP_BINARYMIME, "501 5.5.4" },
	{ "FROM:<a@b> RET=FULL ENVID=QQ+2B1", ALL,
	    "MAIL FROM:<a@b> RET=FULL ENVID=QQ+2B1" },
	{ "FROM:<a@b> ENVID=a+20b+21", ALL, "MAIL FROM:<a@b> ENVID=a+20b!" },
	{ "FROM:<\xc3\xa4@b> SMTPUTF8", ALL,
	    "MAIL FROM:<\xc3\xa4@b> SMTPUTF8" },
	{ "FROM:<a@b> AUTH=<>", ALL, "MAIL FROM:<a@b> AUTH=<>" },
	{ "FROM:<a@b> AUTH=c+2B+40d", ALL, "MAIL FROM:<a@b> AUTH=c+2B@d" },
	{ "FROM:<a@b>  SIZE=1 ", ALL, "MAIL FROM:<a@b> SIZE=1" },
	{ "FROM:<\"a SMTPUTF8 b\"@c>", ALL,
	    "MAIL FROM:<\"a SMTPUTF8 b\"@c>" },
	{ "FROM:<\xc3\xa4@b>", ALL, "550 5.6.7" },
	{ "FROM:<a@b>SIZE=1", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE=", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE=-1", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE=+1", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE=1x", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE=9223372036854775807", ALL,
	    "MAIL FROM:<a@b> SIZE=9223372036854775807" },
	{ "FROM:<a@b> SIZE=9223372036854775808", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE=18446744073709551616", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE=99999999999999999999", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE=000000000000000000001", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SIZE=1 SIZE=1", ALL, "501 5.5.4" },
	{ "FROM:<a@b> BODY=9BIT", ALL, "501 5.5.4" },
	{ "FROM:<a@b> SMTPUTF8=1", ALL, "501 5.5.4" },
	{ "FROM:<a@b> RET=ALL", ALL, "501 5.5.4" },
	{ "FROM:<a@b> RET=FULL RET=HDRS", ALL, "501 5.5.4" },
	{ "FROM:<a@b> ENVID=", ALL, "501 5.5.4" },
	{ "FROM:<a@b> ENVID=a+0Ab", ALL, "501 5.5.4" },
	{ "FROM:<a@b> ENVID=a+2b", ALL, "501 5.5.4" },
	{ "FROM:<a@b> ENVID=a+", ALL, "501 5.5.4" },
	{ "FROM:<a@b> ENVID=a=b", ALL, "501 5.5.4" },
	{ "FROM:<a@b> AUTH=", ALL, "501 5.5.4" },
	{ "FROM:<a@b> NOTIFY=NEVER", ALL, "555 5.5.4" },
	{ "FROM:<a@b> FOO=BAR", ALL, "555 5.5.4" },
	{ "FROM:<a@b> SIZE=1", 0, "555 5.5.4" },
	{ "FROM:<a@b> RET=HDRS", SMTP_SIZE, "555 5.5.4" },
	{ "FROM:a@b", ALL, "501 5.5.4" },
	{ "FROM:", ALL, "501 5.5.4" },
	{ "TO:<a@b>", ALL, "501 5.5.4" },
	{ "", ALL, "501 5.5.4" },
	{ "FROM:<a@@b>", ALL, "553 5.1.7" },
}, rcpts[] = {
	{ "TO:<a@b>", ALL, "RCPT TO:<a@b>" },
	{ "TO:<postmaster>", ALL, "RCPT TO:<postmaster>" },
	{ "TO:<a@b> NOTIFY=NEVER", ALL, "RCPT TO:<a@b> NOTIFY=NEVER" },
	{ "TO:<a@b> NOTIFY=delay,Failure,success", ALL,
	    "RCPT TO:<a@b> NOTIFY=SUCCESS,FAILURE,DELAY" },
	{ "TO:<a@b> ORCPT=rfc822;a+2Bc@d", ALL,
	    "RCPT TO:<a@b> ORCPT=rfc822;a+2Bc@d" },
	{ "TO:<a@b> ORCPT=utf-8;\\x{E4}@d", ALL,
	    "RCPT TO:<a@b> ORCPT=utf-8;\\x{E4}@d" },
	{ "TO:<a@b> ORCPT=utf-8;\xc3\xa4@d", ALL, "501 5.5.4" },
	{ "TO:<a@b> ORCPT=utf-8;\\x{D800}@d", ALL, "501 5.5.4" },
	{ "TO:<a@b> ORCPT=utf-8;\\x{A}@d", ALL, "501 5.5.4" },
	{ "TO:<a@b> NOTIFY=NEVER,SUCCESS", ALL, "501 5.5.4" },
	{ "TO:<a@b> NOTIFY=SUCCESS,NEVER", ALL, "501 5.5.4" },
	{ "TO:<a@b> NOTIFY=NEVER,NEVER", ALL, "501 5.5.4" },
	{ "TO:<a@b> NOTIFY=SUCCESS NOTIFY=FAILURE", ALL, "501 5.5.4" },
	{ "TO:<a@b> NOTIFY=", ALL, "501 5.5.4" },
	{ "TO:<a@b> NOTIFY=SUCCESS,", ALL, "501 5.5.4" },
	{ "TO:<a@b> NOTIFY=MAYBE", ALL, "501 5.5.4" },
	{ "TO:<a@b> NOTIFY", ALL, "501 5.5.4" },
	{ "TO:<a@b> ORCPT=rfc822", ALL, "501 5.5.4" },
	{ "TO:<a@b> ORCPT=;a@b", ALL, "501 5.5.4" },
	{ "TO:<a@b> ORCPT=rfc822;", ALL, "501 5.5.4" },
	{ "TO:<a@b> ORCPT=rfc822;a+0D+0Ab", ALL, "501 5.5.4" },
	{ "TO:<a@b> ORCPT=rfc822;a@b ORCPT=rfc822;a@b", ALL, "501 5.5.4" },
	{ "TO:<a@b> RET=FULL", ALL, "555 5.5.4" },
	{ "TO:<a@b> SIZE=1", ALL, "555 5.5.4" },
	{ "TO:<>", ALL, "553 5.1.3" },
	{ "TO:<a>", ALL, "553 5.1.3" },
	{ "TO:<\xc3\xa4@b>", ALL, "553 5.6.7" },
};

#define SECRET \
	"BURL imap://a/b;UID=1;urlauth=submit+a:internal:91354a4737 LAST"

static const struct {
	const char *in;
	bool good, last;
	const char *url;
} burls[] = {
	{ "imap://a/b", true, false, "imap://a/b" },
	{ "imap://a/b LAST", true, true, "imap://a/b" },
	{ "imap://a/b last", true, true, "imap://a/b" },
	{ "", false, false, "" },
	{ " LAST", false, false, "" },
	{ "imap://a/b  LAST", false, false, "" },
	{ "imap://a/b LAST LAST", false, false, "" },
	{ "imap://a/b FIRST", false, false, "" },
};

static const struct {
	const char *in;
	bool good, last;
	uint64_t size;
} bdats[] = {
	{ "0", true, false, 0 },
	{ "0 LAST", true, true, 0 },
	{ "86 last", true, true, 86 },
	{ "9223372036854775807", true, false, INT64_MAX },
	{ "9223372036854775808", false, false, 0 },
	{ "18446744073709551617 LAST", false, false, 0 },
	{ "", false, false, 0 },
	{ "LAST", false, false, 0 },
	{ "-1", false, false, 0 },
	{ "+1", false, false, 0 },
	{ "0x10", false, false, 0 },
	{ "1 LAST X", false, false, 0 },
	{ "1 LASTX", false, false, 0 },
	{ "1 ", false, false, 0 },
	{ "1  LAST", false, false, 0 },
};

static void
refusal(const struct smtp_reply *r, struct buf *b)
{
	buf_clear(b);
	buf_addu(b, r->code);
	buf_addc(b, ' ');
	buf_adds(b, r->status);
}

int
main(void)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct smtp_reply r = { 0 };

	for (size_t i = 0; i < COUNT(mails); i++) {
		struct smtp_mail m;

		buf_clear(&b);
		if (smtp_mail_parse(span_str(mails[i].in), mails[i].offered,
		    0, &a, &m, &r))
			smtp_mail_print(&m, ALL, &b);
		else
			refusal(&r, &b);
		is(buf_span(&b), span_str(mails[i].want), mails[i].in);
		arena_reset(&a);
	}
	for (size_t i = 0; i < COUNT(rcpts); i++) {
		struct smtp_rcpt c;

		buf_clear(&b);
		if (smtp_rcpt_parse(span_str(rcpts[i].in), rcpts[i].offered,
		    0, &a, &c, &r))
			smtp_rcpt_print(&c, ALL, &b);
		else
			refusal(&r, &b);
		is(buf_span(&b), span_str(rcpts[i].want), rcpts[i].in);
		arena_reset(&a);
	}
	for (size_t i = 0; i < COUNT(burls); i++) {
		struct span url;
		bool last;
		bool good = smtp_burl_parse(span_str(burls[i].in), &url,
		    &last);

		ok(good == burls[i].good && (!good || (last == burls[i].last
		    && span_eq(url, span_str(burls[i].url)))), burls[i].in);
	}
	is(span_head(SPAN(SECRET), smtp_burl_shown(SPAN(SECRET))),
	    SPAN("BURL imap://a/b;UID=1;urlauth=submit+a"),
	    "a URL is shown without its token");
	is(span_head(SPAN(SECRET " a:b"), smtp_burl_shown(SPAN(SECRET
	    " a:b"))), SPAN("BURL imap://a/b;UID=1;urlauth=submit+a"),
	    "whatever is behind it");
	ok(smtp_burl_shown(SPAN("BURL imap://a/b")) == 15,
	    "and whole if it has none");
	for (size_t i = 0; i < COUNT(bdats); i++) {
		uint64_t size = 0;
		bool last = false;
		bool good = smtp_bdat_parse(span_str(bdats[i].in), &size,
		    &last);

		ok(good == bdats[i].good && (!good || (size ==
		    bdats[i].size && last == bdats[i].last)), bdats[i].in);
	}
	arena_free(&a);
	buf_free(&b);
	smtp_reply_free(&r);
	return done();
}
