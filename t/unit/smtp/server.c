/* SPDX-License-Identifier: ISC */
#include "smtp/server.h"

#include "../../memory.h"
#include "../../t.h"

/*
 * Whole sessions (server, server_auth, server_data): what the client sends,
 * all of it at once and octet by octet, and the codes it gets.  The host notes
 * what it is asked: '[' begin, the octets, ']' end, '~' a transaction dropped
 * before its end.
 */
struct host {
	struct t_said input;
	struct buf output, seen;
	struct smtp_server *s;
	bool ended, tls_down;
};

static void
mechs(void *ctx, struct buf *list)
{
	struct host *h = ctx;

	if (h->s->secure)
		buf_adds(list, "PLAIN");
}

static enum sasl_step
auth_start(void *ctx, struct span mech, struct span initial,
    struct buf *challenge)
{
	struct host *h = ctx;

	(void)challenge;
	if (!h->s->secure || !span_ieq(mech, SPAN("PLAIN")))
		return SASL_STEP_NOMECH;
	if (initial.p == NULL)
		return SASL_STEP_MORE;
	return span_eq(initial, SPAN("good")) ? SASL_STEP_DONE :
	    SASL_STEP_BAD;
}

static enum sasl_step
auth_step(void *ctx, struct span response, struct buf *challenge)
{
	return auth_start(ctx, SPAN("PLAIN"), response, challenge);
}

static int
starttls(void *ctx, struct in *in, struct out *out)
{
	struct host *h = ctx;

	(void)out;
	ok(in->from == in->to, "no octet from before the handshake is left");
	return h->tls_down ? -1 : 0;
}

static void
mail(void *ctx, const struct smtp_mail *m, struct smtp_reply *r)
{
	struct host *h = ctx;

	h->ended = false;
	if (span_eq(m->from.local, SPAN("not")))
		smtp_reply_set(r, 553, "5.7.1", "Not yours");
}

static void
rcpt(void *ctx, const struct smtp_rcpt *c, struct smtp_reply *r)
{
	(void)ctx;
	if (span_eq(c->to.local, SPAN("no")))
		smtp_reply_set(r, 550, "5.1.1", "Nobody");
}

static void
begin(void *ctx, struct smtp_reply *r)
{
	struct host *h = ctx;

	buf_addc(&h->seen, '[');
	if (span_eq(h->s->mail.from.local, SPAN("full")))
		smtp_reply_std(r, SMTP_FULL);
}

static void
chunk(void *ctx, struct span octets)
{
	struct host *h = ctx;

	buf_add(&h->seen, octets);
}

/* "big" goes on as long as it may. */
static void
burl(void *ctx, struct span url, struct smtp_reply *r)
{
	struct host *h = ctx;

	smtp_server_add(h->s, SPAN("("));
	smtp_server_add(h->s, url);
	if (span_eq(url, SPAN("big")))
		while (smtp_server_add(h->s, SPAN("0123456789")))
			;
	smtp_server_add(h->s, SPAN(")"));
	if (span_eq(url, SPAN("no")))
		smtp_reply_set(r, 554, "5.6.6", "Not there");
}

static void
burl_words(void *ctx, struct buf *words)
{
	(void)ctx;
	buf_adds(words, "imap");
}

static void
end(void *ctx, struct smtp_reply *r, size_t n)
{
	struct host *h = ctx;

	buf_addc(&h->seen, ']');
	h->ended = true;
	if (n > 1)
		smtp_reply_set(&r[1], 452, "4.2.2", "Full");
}

static void
reset(void *ctx)
{
	struct host *h = ctx;

	if (!h->ended)
		buf_addc(&h->seen, '~');
}

static const struct smtp_host hooks = { .mechs = mechs,
	.auth_start = auth_start, .auth_step = auth_step,
	.starttls = starttls, .mail = mail, .rcpt = rcpt, .begin = begin,
	.chunk = chunk, .burl = burl, .burl_words = burl_words, .end = end,
	.reset = reset };

enum { LMTP = 1, SUBMIT = 2, ONE = 4 /* not octet by octet */ };

#define HI "LHLO x\r\n"
#define TO "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
#define FORTY "1234567890123456789012345678901234567890"
#define SIXTY FORTY "12345678901234567890"

static const struct session {
	const char *name;
	int kind;
	const char *in, *codes, *seen;
	enum smtp_bye bye;
} sessions[] = {
	{ "a message by DATA", LMTP, HI TO "DATA\r\n..x\r\n.\r\nQUIT\r\n",
	    "220 250 250 250 354 250 221", "[.x\r\n]", SMTP_BYE_QUIT },
	{ "a reply for each recipient of LMTP", LMTP,
	    HI "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<no@d>\r\n"
	    "RCPT TO:<e@d>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
	    "220 250 250 250 550 250 354 250 452 221", "[x\r\n]",
	    SMTP_BYE_QUIT },
	{ "chunks, the last with a length and without", LMTP,
	    HI TO "BDAT 3\r\na\nbBDAT 2 LAST\r\ncd" TO "BDAT 1\r\nx"
	    "BDAT 0 LAST\r\nQUIT\r\n",
	    "220 250 250 250 250 250 250 250 250 250 221", "[a\nbcd][x]",
	    SMTP_BYE_QUIT },
	{ "a chunk that looks like commands is none", LMTP,
	    HI TO "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	    "220 250 250 250 250 250", "[QUIT\r\n]", SMTP_BYE_EOF },
	{ "BDAT after LAST is out of order", LMTP,
	    HI TO "BDAT 1 LAST\r\nxBDAT 1 LAST\r\nyNOOP\r\n",
	    "220 250 250 250 250 503 250", "[x]", SMTP_BYE_EOF },
	{ "DATA after BDAT is out of order, and nothing but RSET helps", LMTP,
	    HI TO "BDAT 1\r\nxDATA\r\nBDAT 1 LAST\r\nyRSET\r\n" TO
	    "BDAT 1 LAST\r\nz",
	    "220 250 250 250 250 503 503 250 250 250 250", "[x~[z]",
	    SMTP_BYE_EOF },
	{ "a recipient does not mend a chunk that came before it", LMTP,
	    HI "MAIL FROM:<a@b>\r\nBDAT 1\r\nxRCPT TO:<c@d>\r\n"
	    "BDAT 1 LAST\r\ny", "220 250 250 503 503 503", "~",
	    SMTP_BYE_EOF },
	{ "DATA is not for BINARYMIME", LMTP,
	    HI "MAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<c@d>\r\nDATA\r\n",
	    "220 250 250 250 503", "~", SMTP_BYE_EOF },
	{ "BDAT without a recipient is read and refused", LMTP,
	    HI "MAIL FROM:<a@b>\r\nBDAT 4 LAST\r\nNOOPQUIT\r\n",
	    "220 250 250 503 221", "~", SMTP_BYE_QUIT },
	{ "a refused chunk fails what follows until RSET", LMTP,
	    HI "MAIL FROM:<full@b>\r\nRCPT TO:<c@d>\r\nBDAT 1\r\nx"
	    "BDAT 1\r\ny" "BDAT 1 LAST\r\nzRSET\r\n" TO "BDAT 1 LAST\r\nw",
	    "220 250 250 250 452 503 503 250 250 250 250", "[~[w]",
	    SMTP_BYE_EOF },
	{ "a chunk over the limit fails the message", LMTP,
	    HI TO "BDAT 60\r\n"
	    "123456789012345678901234567890123456789012345678901234567890"
	    "BDAT 60\r\n"
	    "123456789012345678901234567890123456789012345678901234567890"
	    "BDAT 0 LAST\r\nNOOP\r\n",
	    "220 250 250 250 250 552 503 250",
	    "[123456789012345678901234567890123456789012345678901234567890~",
	    SMTP_BYE_EOF },
	{ "a chunk's size over 2^63 ends the session", LMTP,
	    HI TO "BDAT 18446744073709551617 LAST\r\nMAIL FROM:<x@y>\r\n",
	    "220 250 250 250 501", "~", SMTP_BYE_SYNC },
	{ "what follows a chunk's line that ends in a bare LF is no command",
	    LMTP, HI TO "BDAT 6 LAST\nQUIT\r\n", "220 250 250 250 500", "~",
	    SMTP_BYE_SYNC },
	{ "nor what follows one with a TAB in it", LMTP,
	    HI TO "bdat\t6 LAST\r\nQUIT\r\n", "220 250 250 250 500", "~",
	    SMTP_BYE_SYNC },
	{ "a message of just the size that is announced is taken", LMTP,
	    HI TO "BDAT 60\r\n" SIXTY "BDAT 40 LAST\r\n" FORTY
	    TO "DATA\r\n" SIXTY "12345678901234567890123456789012345678\r\n"
	    ".\r\n", "220 250 250 250 250 250 250 250 354 250", NULL,
	    SMTP_BYE_EOF },
	{ "and of one octet more is not", LMTP,
	    HI TO "BDAT 60\r\n" SIXTY "BDAT 41 LAST\r\n" FORTY "1"
	    TO "RSET\r\n" TO
	    "DATA\r\n" SIXTY "123456789012345678901234567890123456789\r\n"
	    ".\r\n", "220 250 250 250 250 552 503 503 250 250 250 354 552",
	    NULL, SMTP_BYE_EOF },
	{ "the last chunk is answered for each recipient, failed or not", LMTP,
	    HI "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<no@d>\r\n"
	    "RCPT TO:<e@d>\r\nBDAT 1\r\nxBDAT 1 LAST\r\ny"
	    "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@d>\r\n"
	    "BDAT 60\r\n" SIXTY "BDAT 60\r\n" SIXTY "BDAT 0 LAST\r\n",
	    "220 250 250 250 550 250 250 250 452 250 250 250 250 552 503 503",
	    NULL, SMTP_BYE_EOF },
	{ "half a chunk is no message", LMTP, HI TO "BDAT 9 LAST\r\nabc",
	    "220 250 250 250", "[abc~", SMTP_BYE_EOF },
	{ "half of DATA is no message", LMTP, HI TO "DATA\r\nabc\r\n.",
	    "220 250 250 250 354", "[abc\r\n~", SMTP_BYE_EOF },
	{ "a bare LF ends the session", LMTP,
	    HI TO "DATA\r\nx\n.\r\nMAIL FROM:<x@y>\r\n",
	    "220 250 250 250 354 554", NULL, SMTP_BYE_BARE },
	{ "no message over the limit", LMTP, HI TO "DATA\r\n"
	    "123456789012345678901234567890123456789012345678901234567890\r\n"
	    "123456789012345678901234567890123456789012345678901234567890\r\n"
	    ".\r\nNOOP\r\n", "220 250 250 250 354 552 250", NULL,
	    SMTP_BYE_EOF },
	{ "SIZE over the limit is refused at once", LMTP,
	    HI "MAIL FROM:<a@b> SIZE=101\r\nMAIL FROM:<a@b> SIZE=100\r\n",
	    "220 250 552 250", "~", SMTP_BYE_EOF },
	{ "LMTP has no EHLO, and SMTP no LHLO", LMTP, "EHLO x\r\nHELO x\r\n",
	    "220 500 500", "", SMTP_BYE_EOF },
	{ "LMTP says 503 to DATA without a recipient", LMTP,
	    HI "MAIL FROM:<a@b>\r\nRCPT TO:<no@d>\r\nDATA\r\nNOOP\r\n",
	    "220 250 250 550 503 250", "~", SMTP_BYE_EOF },
	{ "commands before LHLO are out of order", LMTP,
	    "MAIL FROM:<a@b>\r\nNOOP\r\n", "220 503 250", "", SMTP_BYE_EOF },
	{ "one MAIL at a time; RSET begins anew", LMTP,
	    HI "MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nRSET\r\n"
	    "MAIL FROM:<a@b>\r\n", "220 250 250 503 250 250", "~~",
	    SMTP_BYE_EOF },
	{ "LHLO drops the transaction", LMTP, HI TO HI "DATA\r\n",
	    "220 250 250 250 250 503", "~", SMTP_BYE_EOF },
	{ "a command line with a bare LF or a NUL is refused", LMTP,
	    HI "NOOP\nNOOP x\ry\r\nNOOP\r\n", "220 250 500 500 250", "",
	    SMTP_BYE_EOF },
	{ "arguments where there are none", LMTP,
	    HI "RSET x\r\nQUIT x\r\nDATA x\r\nVRFY\r\nVRFY a\r\nHELP\r\n",
	    "220 250 501 501 501 501 252 214", "", SMTP_BYE_EOF },
	{ "nothing but AUTH before AUTH", SUBMIT,
	    "EHLO x\r\nMAIL FROM:<a@b>\r\nVRFY x\r\nDATA\r\nAUTH PLAIN\r\n"
	    "NOOP\r\n", "220 250 530 530 530 538 250", "", SMTP_BYE_EOF },
	{ "what is pipelined behind STARTTLS ends the session", SUBMIT | ONE,
	    "EHLO x\r\nSTARTTLS\r\nEHLO evil\r\nMAIL FROM:<a@b>\r\n",
	    "220 250 554", "", SMTP_BYE_INJECTION },
	{ "and so does one octet", SUBMIT | ONE,
	    "EHLO x\r\nSTARTTLS\r\nX", "220 250 554", "",
	    SMTP_BYE_INJECTION },
	{ "AUTH needs EHLO", SUBMIT, "AUTH PLAIN Z29vZA==\r\n", "220 503",
	    "", SMTP_BYE_EOF },
	{ "what is in a chunk before AUTH is not listened to", SUBMIT,
	    "EHLO x\r\nBDAT 4 LAST\r\nQUIT\r\n", "220 250 530", "",
	    SMTP_BYE_SYNC },
	{ "BURL needs AUTH", SUBMIT, "EHLO x\r\nBURL imap://x LAST\r\n",
	    "220 250 530", "", SMTP_BYE_EOF },
	{ "LMTP has no BURL", LMTP, HI TO "BURL imap://x LAST\r\n",
	    "220 250 250 250 502", "~", SMTP_BYE_EOF },
	{ "junk is not listened to for ever", SUBMIT,
	    "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\n10\r\n11\r\n12\r\n",
	    "220 500 500 500 500 500 500 500 500 500 500 500 421", "",
	    SMTP_BYE_JUNK },
};

/* What follows is after TLS, to an octet-wise reader that cannot pipeline
 * across the handshake. */
#define AUTHED "EHLO x\r\nAUTH PLAIN Z29vZA==\r\n"
static const struct session secured[] = {
	{ "AUTH with an initial response, then a message", SUBMIT,
	    "EHLO x\r\nAUTH PLAIN Z29vZA==\r\n" TO "DATA\r\nx\r\n.\r\n",
	    "220 250 235 250 250 354 250", "[x\r\n]", SMTP_BYE_EOF },
	{ "AUTH with a challenge", SUBMIT,
	    "EHLO x\r\nAUTH PLAIN\r\nZ29vZA==\r\nMAIL FROM:<a@b>\r\n",
	    "220 250 334 235 250", "~", SMTP_BYE_EOF },
	{ "AUTH cancelled, broken, unknown", SUBMIT,
	    "EHLO x\r\nAUTH PLAIN\r\n*\r\nAUTH PLAIN !\r\nAUTH PLAIN\r\n!\r\n"
	    "AUTH FOO\r\nAUTH\r\nMAIL FROM:<a@b>\r\n",
	    "220 250 334 501 501 334 501 504 501 530", "", SMTP_BYE_EOF },
	{ "an empty initial response is one", SUBMIT,
	    "EHLO x\r\nAUTH PLAIN =\r\n", "220 250 535", "", SMTP_BYE_EOF },
	{ "three failures end the session", SUBMIT,
	    "EHLO x\r\nAUTH PLAIN YmFk\r\nAUTH PLAIN YmFk\r\n"
	    "AUTH PLAIN YmFk\r\nAUTH PLAIN Z29vZA==\r\n",
	    "220 250 535 535 535 421", "", SMTP_BYE_AUTH },
	{ "AUTH comes once and outside a transaction", SUBMIT,
	    "EHLO x\r\nAUTH PLAIN Z29vZA==\r\nAUTH PLAIN Z29vZA==\r\n"
	    "STARTTLS\r\n", "220 250 235 503 503", "", SMTP_BYE_EOF },
	{ "chunks and URLs in their order", SUBMIT, AUTHED TO
	    "BDAT 2\r\nabBURL x:1\r\nBDAT 1\r\ncburl x:2 last\r\n",
	    "220 250 235 250 250 250 250 250 250", "[ab(x:1)c(x:2)]",
	    SMTP_BYE_EOF },
	{ "a URL alone is a message", SUBMIT, AUTHED TO "BURL x:1 LAST\r\n"
	    TO "BURL x:2\r\nBDAT 0 LAST\r\n",
	    "220 250 235 250 250 250 250 250 250 250", "[(x:1)][(x:2)]",
	    SMTP_BYE_EOF },
	{ "a URL that is not fetched fails what follows until RSET", SUBMIT,
	    AUTHED TO "BDAT 1\r\naBURL no\r\nBDAT 1\r\nbBURL x:1\r\n"
	    "BDAT 0 LAST\r\nBURL x:2 LAST\r\nMAIL FROM:<a@b>\r\nRSET\r\n"
	    TO "BURL x:3 LAST\r\n",
	    "220 250 235 250 250 250 554 503 503 503 503 503 250 250 250 250",
	    "[a(no)~[(x:3)]", SMTP_BYE_EOF },
	{ "a URL whose line is refused fails what follows until RSET", SUBMIT,
	    AUTHED TO "BDAT 1\r\naBURL x\x01y\r\nBDAT 0 LAST\r\nRSET\r\n"
	    TO "BURL x:1\nBURL x:2 LAST\r\nRSET\r\n" TO "BURL x:3 LAST\r\n",
	    "220 250 235 250 250 250 500 503 250 250 250 500 503 250 250 250 250",
	    "[a~~[(x:3)]", SMTP_BYE_EOF },
	{ "the last URL that is not fetched delivers nothing", SUBMIT,
	    AUTHED TO "BDAT 1\r\naBURL no LAST\r\nBDAT 0 LAST\r\n",
	    "220 250 235 250 250 250 554 503", "[a(no)~", SMTP_BYE_EOF },
	{ "without a recipient no URL is fetched", SUBMIT,
	    AUTHED "MAIL FROM:<a@b>\r\nBURL x:1 LAST\r\nRSET\r\n"
	    "MAIL FROM:<a@b>\r\nRCPT TO:<no@d>\r\nBURL x:1\r\n"
	    "BURL x:1 LAST\r\nRCPT TO:<c@d>\r\n",
	    "220 250 235 250 503 250 250 550 554 554 503", "~~",
	    SMTP_BYE_EOF },
	{ "nor without a sender, nor after LAST", SUBMIT,
	    AUTHED "BURL x:1 LAST\r\n" TO "BURL x:1 LAST\r\n"
	    "BURL x:1 LAST\r\nBDAT 1\r\nxDATA\r\n",
	    "220 250 235 503 250 250 250 503 503 503", "[(x:1)]",
	    SMTP_BYE_EOF },
	{ "DATA after BURL is out of order, and nothing but RSET helps",
	    SUBMIT, AUTHED TO "BURL x:1\r\nDATA\r\nBURL x:1 LAST\r\n",
	    "220 250 235 250 250 250 503 503", "[(x:1)~", SMTP_BYE_EOF },
	{ "RCPT after BURL is out of order", SUBMIT, AUTHED TO
	    "BURL x:1\r\nRCPT TO:<c@d>\r\nBURL x:1 LAST\r\n",
	    "220 250 235 250 250 250 503 250", "[(x:1)(x:1)]",
	    SMTP_BYE_EOF },
	{ "the limit is on what was fetched, whatever SIZE said", SUBMIT,
	    AUTHED "MAIL FROM:<a@b> SIZE=1\r\nRCPT TO:<c@d>\r\n"
	    "BDAT 60\r\n"
	    "123456789012345678901234567890123456789012345678901234567890"
	    "BURL big\r\nBDAT 0 LAST\r\n",
	    "220 250 235 250 250 250 552 503", NULL, SMTP_BYE_EOF },
	{ "BURL without a URL, or with another word than LAST", SUBMIT,
	    AUTHED TO "BURL\r\nRSET\r\n" TO "BURL x:1 FIRST\r\n"
	    "BURL x:1 LAST\r\n",
	    "220 250 235 250 250 501 250 250 250 501 503", "~~",
	    SMTP_BYE_EOF },
	{ "a refused sender has no chunks", SUBMIT, AUTHED
	    "MAIL FROM:<not@b>\r\nRCPT TO:<c@d>\r\nBDAT 1\r\nx"
	    "BURL x:1 LAST\r\n" TO "BURL x:2 LAST\r\n",
	    "220 250 235 553 503 503 503 250 250 250", "[(x:2)]",
	    SMTP_BYE_EOF },
	{ "DATA with all recipients refused", SUBMIT,
	    "EHLO x\r\nAUTH PLAIN Z29vZA==\r\nMAIL FROM:<a@b>\r\nDATA\r\n"
	    "RCPT TO:<no@d>\r\nDATA\r\n",
	    "220 250 235 250 503 550 554", "~", SMTP_BYE_EOF },
	{ "a refused sender opens no transaction", SUBMIT,
	    "EHLO x\r\nAUTH PLAIN Z29vZA==\r\nMAIL FROM:<not@b>\r\n"
	    "RCPT TO:<c@d>\r\n", "220 250 235 553 503", "", SMTP_BYE_EOF },
	{ "HELO has no parameters", SUBMIT,
	    "HELO x\r\nAUTH PLAIN Z29vZA==\r\nMAIL FROM:<a@b> SIZE=1\r\n",
	    "220 250 235 555", "", SMTP_BYE_EOF },
};

/* The codes of the replies, and whether each has an enhanced code where one
 * is due. */
static bool
codes(struct span out, struct buf *b)
{
	bool good = true;
	int n = 0;

	while (out.n > 0) {
		struct span line = span_cut(&out, '\n');
		bool bare = n == 0 || line.p[0] == '3' || line.n < 6 ||
		    (span_starts(line, SPAN("250")) &&
		    line.p[4] != '2');

		good &= line.n >= 5 && line.p[line.n - 1] == '\r';
		good &= bare || (line.p[4] == line.p[0] &&
		    line.p[5] == '.');
		if (line.p[3] == '-')
			continue;
		if (n++ > 0)
			buf_addc(b, ' ');
		buf_add(b, span_head(line, 3));
	}
	return good;
}

static void
run(const struct session *t, bool secure, size_t step)
{
	struct host h = { .input = { span_str(t->in), step } };
	struct out out = { .op = t_hear, .ctx = &h.output };
	struct in in = { .op = t_say, .ctx = &h.input, .tie = &out };
	struct buf got = { 0 };
	struct smtp_server s = { .in = &in, .out = &out, .host = &hooks,
		.ctx = &h, .name = "me.example", .lmtp = t->kind & LMTP,
		.features = SMTP_PIPELINING | SMTP_SIZE | SMTP_8BITMIME |
		SMTP_ENHANCED | SMTP_DSN | SMTP_UTF8 | SMTP_CHUNKING |
		SMTP_BINARYMIME | (t->kind & LMTP ? 0 :
		SMTP_STARTTLS | SMTP_AUTH | SMTP_BURL),
		.need_auth = t->kind & SUBMIT, .secure = secure,
		.size_max = 100 };

	h.s = &s;
	enum smtp_bye bye = smtp_server_run(&s);

	ok(codes(buf_span(&h.output), &got),
	    "each reply is well formed and has its enhanced code");
	is(buf_span(&got), span_str(t->codes), t->name);
	if (t->seen != NULL)
		is(buf_span(&h.seen), span_str(t->seen),
		    "and the host saw this");
	ok(bye == t->bye, "and it ended so");
	smtp_server_free(&s);
	stream_free(&in, &out);
	buf_free(&got);
	buf_free(&h.output);
	buf_free(&h.seen);
}

static void
long_url(void)
{
	struct session t = { "a URL whose line is too long fails what follows, too", SUBMIT,
	    NULL, "220 250 235 250 250 500 503", "~", SMTP_BYE_EOF };
	struct buf in = { 0 };

	buf_adds(&in, AUTHED TO "BURL ");
	for (int i = 0; i < 9000; i++)
		buf_addc(&in, 'x');
	buf_adds(&in, "\r\nBDAT 0 LAST\r\n");
	t.in = buf_cstr(&in);
	run(&t, true, 65536);
	buf_free(&in);
}

/* A URL may be as long as one may be. */
static void
longest_url(void)
{
	struct buf in = { 0 }, seen = { 0 };
	struct session s = { .name = "a URL of 8,192 octets is taken",
		.kind = SUBMIT, .codes = "220 250 235 250 250 552",
		.bye = SMTP_BYE_EOF };

	buf_adds(&in, AUTHED TO "BURL ");
	while (seen.n < 8192)
		buf_addc(&seen, 'x');
	buf_add(&in, buf_span(&seen));
	buf_adds(&in, " LAST\r\n");
	s.in = buf_cstr(&in);
	run(&s, true, 65536);
	buf_free(&in);
	buf_free(&seen);
}

/* What is in the buffer behind a BURL is known before its turn. */
static void
ahead(void)
{
	static char text[] = "xxBURL a:1\r\nBDAT 8\r\nBURL x\r\nburl a:2\r\n"
	    "BURL a:3 LAST\r\nBURL a:4\r\n";
	struct in in = { .p = text, .from = 2, .to = sizeof text - 1 };
	struct smtp_server s = { .in = &in };
	struct buf found = { 0 };
	struct span url;
	size_t at = 0;

	while (smtp_server_ahead(&s, &at, &url)) {
		buf_add(&found, url);
		buf_addc(&found, ' ');
	}
	is(buf_span(&found), SPAN("a:1 a:2 a:3 "),
	    "URLs that come next are known, over chunks and up to LAST");
	buf_free(&found);
	in.to -= 11;		/* in the end of the line with LAST */
	at = 0;
	ok(smtp_server_ahead(&s, &at, &url) &&
	    smtp_server_ahead(&s, &at, &url) &&
	    !smtp_server_ahead(&s, &at, &url), "if all of a line has come");
	in.to = 20;
	at = 0;
	ok(smtp_server_ahead(&s, &at, &url) &&
	    !smtp_server_ahead(&s, &at, &url), "and all of a chunk");
}

/* RFC 4468 3.1: a word of BURL only for who is authenticated. */
static void
burl_offered(void)
{
	struct host h = { .input = { SPAN("EHLO x\r\n"
	    "AUTH PLAIN Z29vZA==\r\nEHLO x\r\n"), 65536 } };
	struct out out = { .op = t_hear, .ctx = &h.output };
	struct in in = { .op = t_say, .ctx = &h.input, .tie = &out };
	struct smtp_server s = { .in = &in, .out = &out, .host = &hooks,
		.ctx = &h, .name = "me", .need_auth = true, .secure = true,
		.features = SMTP_AUTH | SMTP_BURL };

	h.s = &s;
	smtp_server_run(&s);
	is(buf_span(&h.output), SPAN("220 me ESMTP lemon\r\n"
	    "250-me\r\n250-AUTH PLAIN\r\n250 BURL\r\n"
	    "235 2.7.0 Welcome\r\n250-me\r\n250 BURL imap\r\n"),
	    "EHLO says BURL before AUTH, and what for after it");
	smtp_server_free(&s);
	stream_free(&in, &out);
	buf_free(&h.output);
	buf_free(&h.seen);
}

static void
ehlo(void)
{
	struct host h = { .input = { SPAN("EHLO x\r\nSTARTTLS\r\n"), 1 } };
	struct out out = { .op = t_hear, .ctx = &h.output };
	struct in in = { .op = t_say, .ctx = &h.input, .tie = &out };
	struct smtp_server s = { .in = &in, .out = &out, .host = &hooks,
		.ctx = &h, .name = "me.example", .need_auth = true,
		.features = SMTP_PIPELINING | SMTP_SIZE | SMTP_STARTTLS |
		SMTP_AUTH | SMTP_ENHANCED, .size_max = 100 };

	h.s = &s;
	h.tls_down = true;
	ok(smtp_server_run(&s) == SMTP_BYE_TLS,
	    "a failed handshake ends the session");
	is(buf_span(&h.output), SPAN("220 me.example ESMTP lemon\r\n"
	    "250-me.example\r\n250-PIPELINING\r\n250-SIZE 100\r\n"
	    "250-STARTTLS\r\n250 ENHANCEDSTATUSCODES\r\n"
	    "220 2.0.0 Ready to start TLS\r\n"),
	    "EHLO lists what is offered now, and no AUTH before TLS");
	smtp_server_free(&s);
	stream_free(&in, &out);
	buf_free(&h.output);
}

int
main(void)
{
	for (size_t i = 0; i < COUNT(sessions); i++) {
		run(&sessions[i], false, 65536);
		if (!(sessions[i].kind & ONE))
			run(&sessions[i], false, 1);
	}
	for (size_t i = 0; i < COUNT(secured); i++) {
		run(&secured[i], true, 65536);
		run(&secured[i], true, 1);
	}
	long_url();
	longest_url();
	ehlo();
	burl_offered();
	ahead();
	return done();
}
