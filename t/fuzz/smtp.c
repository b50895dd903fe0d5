/* SPDX-License-Identifier: ISC */
#include "smtp/server.h"

#include <stdlib.h>

#include "../memory.h"
#include "smtp/dot.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

/*
 * The first octet chooses (1: LMTP, 2: logged in from the start, 4: octet by
 * octet), the rest is what the client sends.  Every accepted MAIL is reset
 * once, no message ends that did not begin, and every reply line is a reply
 * line with an enhanced code of its class.
 */
struct host {
	struct t_said input;
	struct buf output;
	int mails, resets;
	bool begun;
};

static void
mechs(void *ctx, struct buf *list)
{
	(void)ctx;
	buf_adds(list, "PLAIN");
}

static enum sasl_step
auth(void *ctx, struct span response, struct buf *challenge)
{
	(void)ctx;
	(void)challenge;
	if (response.p == NULL || response.n > 8)
		return SASL_STEP_MORE;
	return response.n > 4 ? SASL_STEP_BAD : SASL_STEP_DONE;
}

static enum sasl_step
auth_start(void *ctx, struct span mech, struct span initial,
    struct buf *challenge)
{
	return mech.n > 5 ? SASL_STEP_NOMECH : auth(ctx, initial, challenge);
}

static int
starttls(void *ctx, struct in *in, struct out *out)
{
	(void)ctx;
	(void)out;
	if (in->from != in->to)
		abort();
	return 0;
}

static void
mail(void *ctx, const struct smtp_mail *m, struct smtp_reply *r)
{
	struct host *h = ctx;

	if (m->from.local.n == 3)
		smtp_reply_set(r, 553, "5.7.1", "No");
	else
		h->mails++;
	h->begun = false;
}

static void
rcpt(void *ctx, const struct smtp_rcpt *c, struct smtp_reply *r)
{
	(void)ctx;
	if (c->to.local.n == 3)
		smtp_reply_set(r, 550, "5.1.1", "No");
}

static void
begin(void *ctx, struct smtp_reply *r)
{
	struct host *h = ctx;

	(void)r;
	h->begun = true;
}

static void
chunk(void *ctx, struct span octets)
{
	struct host *h = ctx;

	if (!h->begun || octets.n == 0)
		abort();
}

static void
end(void *ctx, struct smtp_reply *r, size_t n)
{
	struct host *h = ctx;

	if (!h->begun || n == 0 || r[n - 1].code != 250)
		abort();
	h->begun = false;
}

static void
reset(void *ctx)
{
	struct host *h = ctx;

	h->resets++;
}

static void
check_replies(struct span out)
{
	bool first = true;

	while (out.n > 0) {
		struct span line = span_cut(&out, '\n');

		if (line.n < 5 || line.p[line.n - 1] != '\r' ||
		    span_chr(line, '\r') != line.n - 1 ||
		    line.p[0] < '2' || line.p[0] > '5' ||
		    (line.p[3] != ' ' && line.p[3] != '-'))
			abort();
		if (line.p[0] > '3' && (line.p[4] != line.p[0] ||
		    line.p[5] != '.'))
			abort();
		if (first && !span_starts(line, SPAN("220 ")))
			abort();
		first = false;
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	static const struct smtp_host hooks = { .mechs = mechs,
		.auth_start = auth_start, .auth_step = auth,
		.starttls = starttls, .mail = mail, .rcpt = rcpt,
		.begin = begin, .chunk = chunk, .end = end,
		.reset = reset };
	struct span said = { (const char *)p, n };
	struct host h = { 0 };
	unsigned kind = n > 0 ? p[0] : 0;
	struct out out = { .op = t_hear, .ctx = &h.output };
	struct in in = { .op = t_say, .ctx = &h.input, .tie = &out };
	struct smtp_server s = { .in = &in, .out = &out, .host = &hooks,
		.ctx = &h, .name = "fuzz", .lmtp = kind & 1,
		.features = SMTP_PIPELINING | SMTP_SIZE | SMTP_8BITMIME |
		SMTP_ENHANCED | SMTP_DSN | SMTP_UTF8 | (kind & 1 ?
		SMTP_CHUNKING | SMTP_BINARYMIME : SMTP_STARTTLS | SMTP_AUTH),
		.need_auth = !(kind & 3), .secure = kind & 2,
		.size_max = 4096, .rcpts_max = 20 };

	h.input.text = span_skip(said, 1);
	h.input.step = kind & 4 ? 1 : 65536;
	smtp_server_run(&s);
	if (h.mails != h.resets)
		abort();
	check_replies(buf_span(&h.output));
	smtp_server_free(&s);
	stream_free(&in, &out);
	buf_free(&h.output);
	return 0;
}
