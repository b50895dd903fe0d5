/* SPDX-License-Identifier: ISC */
#include "smtp/client.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/connect.h"
#include "text/base64.h"

enum {
	CONNECT_MS = 30 * 1000,
	/* RFC 5321 4.5.3.2; a little less than what our own client waits */
	COMMAND_MS = 4 * 60 * 1000,
	DATA_MS = 2 * 60 * 1000,
	END_MS = 9 * 60 * 1000,
	LINE_MAX_IN = 2048,
	LINES_MAX = 200,
	BATCH = 100		/* commands on the way at once */
};

static void
lose(struct smtp_client *c, struct smtp_reply *r)
{
	c->lost = true;
	smtp_reply_set(r, 451, "4.4.2", c->in.state == STREAM_TIMEOUT ?
	    "The next hop does not answer" :
	    "Lost the connection to the next hop");
}

/* Read a reply, however it reads.  False: there was none. */
static bool
listen(struct smtp_client *c, int64_t ms, struct smtp_reply *r)
{
	struct buf line = { 0 };
	int more = 0;

	r->code = 0;
	if (c->lost) {
		lose(c, r);
		return false;
	}
	/* What it said before it hung up is worth more than EPIPE. */
	if (c->out.state != STREAM_OK)
		c->in.tie = NULL;
	if (c->out.total != c->said)
		c->trips++;
	c->said = c->out.total;
	c->in.deadline = clock_ms() + (c->timeout_ms ? c->timeout_ms : ms);
	for (int i = 0; more == 0 && i < LINES_MAX; i++) {
		buf_clear(&line);
		if (in_line(&c->in, &line, LINE_MAX_IN) == LINE_END)
			more = -1;
		else
			more = smtp_reply_line(r, buf_span(&line));
	}
	buf_free(&line);
	if (more != 1) {
		lose(c, r);
		return false;
	}
	if (r->code == 421)	/* RFC 5321 4.2.1: it closes */
		c->lost = true;
	return true;
}

/* Read the answer to a command that is done or refused, never "go on". */
static bool
answer(struct smtp_client *c, int64_t ms, struct smtp_reply *r)
{
	if (!listen(c, ms, r))
		return false;
	if (smtp_reply_class(r) == 3) {
		lose(c, r);
		return false;
	}
	return smtp_reply_class(r) == 2;
}

static void
say(struct smtp_client *c, struct buf *line)
{
	buf_adds(line, "\r\n");
	out_add(&c->out, buf_span(line));
	buf_clear(line);
}

static const struct {
	const char *name;
	unsigned bit;
} extensions[] = {
	{ "PIPELINING", SMTP_PIPELINING },
	{ "SIZE", SMTP_SIZE },
	{ "8BITMIME", SMTP_8BITMIME },
	{ "STARTTLS", SMTP_STARTTLS },
	{ "AUTH", SMTP_AUTH },
	{ "ENHANCEDSTATUSCODES", SMTP_ENHANCED },
	{ "DSN", SMTP_DSN },
	{ "SMTPUTF8", SMTP_UTF8 },
	{ "CHUNKING", SMTP_CHUNKING },
	{ "BINARYMIME", SMTP_BINARYMIME },
	{ "BURL", SMTP_BURL },
};

static void
learn(struct smtp_client *c, struct span lines)
{
	c->offered = 0;
	c->size_max = 0;
	buf_clear(&c->mechs);
	span_cut(&lines, '\n');		/* its name */
	while (lines.p != NULL) {
		struct span args = span_trim(span_cut(&lines, '\n'));
		struct span name = span_cut(&args, ' ');

		for (size_t i = 0; i < COUNT(extensions); i++)
			if (span_ieq(name, span_str(extensions[i].name)))
				c->offered |= extensions[i].bit;
		if (span_ieq(name, SPAN("SIZE")))
			span_u64(args, INT64_MAX, &c->size_max);
		if (span_ieq(name, SPAN("AUTH")))
			buf_add(&c->mechs, args);
	}
}

static bool
hello(struct smtp_client *c, const char *name, struct smtp_reply *r)
{
	struct buf line = { 0 };
	bool good;

	buf_adds(&line, c->lmtp ? "LHLO " : "EHLO ");
	buf_adds(&line, name);
	say(c, &line);
	good = answer(c, COMMAND_MS, r);
	if (good) {
		learn(c, buf_span(&r->text));
	} else if (!c->lmtp && !c->lost && smtp_reply_class(r) == 5) {
		/* RFC 5321 3.2: a server without extensions */
		buf_adds(&line, "HELO ");
		buf_adds(&line, name);
		say(c, &line);
		good = answer(c, COMMAND_MS, r);
		c->offered = 0;
	}
	buf_free(&line);
	return good;
}

static bool
handshake(struct smtp_client *c, const struct smtp_client_opts *o,
    struct smtp_reply *r)
{
	struct buf name = { 0 };
	const char *why = NULL;
	int e;

	buf_add(&name, connect_host(o->where));
	c->in.deadline = clock_ms() + CONNECT_MS;
	e = tls_connect(&c->tls, &c->in, &c->out, buf_cstr(&name), o->cafile,
	    o->tls == SMTP_TLS_VERIFY, &why);
	buf_free(&name);
	if (e == 0)
		return true;
	c->lost = true;
	buf_clear(&r->text);
	smtp_reply_set(r, 451, "4.7.5", "No TLS with the next hop: ");
	buf_adds(&r->text, why == NULL ? "unknown" : why);
	return false;
}

/* RFC 3207 */
static bool
secure(struct smtp_client *c, const struct smtp_client_opts *o,
    struct smtp_reply *r)
{
	if (o->tls == SMTP_TLS_NONE || o->implicit)
		return true;
	if (!(c->offered & SMTP_STARTTLS)) {
		if (o->tls == SMTP_TLS_MAY)
			return true;
		smtp_reply_set(r, 451, "4.7.4",
		    "The next hop does not offer TLS");
		return false;
	}
	out_adds(&c->out, "STARTTLS\r\n");
	if (!answer(c, DATA_MS, r)) {
		if (o->tls == SMTP_TLS_MAY && !c->lost)
			return true;
		smtp_reply_set(r, 451, "4.7.4", "The next hop refuses TLS");
		return false;
	}
	/* Answers sent in advance would be taken for protected ones. */
	if (in_discard(&c->in) > 0) {
		smtp_reply_set(r, 451, "4.7.5",
		    "The next hop talks before the handshake");
		return false;
	}
	return handshake(c, o, r) && hello(c, o->helo, r);
}

static bool
has_mech(const struct smtp_client *c, const char *name)
{
	struct span list = buf_span(&c->mechs);

	while (list.p != NULL)
		if (span_ieq(span_cut(&list, ' '), span_str(name)))
			return true;
	return false;
}

/* RFC 4616; RFC 4954 4 */
static bool
auth_plain(struct smtp_client *c, const struct smtp_client_opts *o,
    struct smtp_reply *r)
{
	struct buf plain = { 0 }, line = { 0 };
	bool good;

	buf_addc(&plain, '\0');
	buf_add(&plain, o->user);
	buf_addc(&plain, '\0');
	buf_add(&plain, o->password);
	buf_adds(&line, "AUTH PLAIN ");
	base64_add(buf_span(&plain), &line);
	say(c, &line);
	good = answer(c, COMMAND_MS, r);
	explicit_bzero(plain.p, plain.n);
	buf_free(&plain);
	buf_free(&line);
	return good;
}

static bool
auth_login(struct smtp_client *c, const struct smtp_client_opts *o,
    struct smtp_reply *r)
{
	const struct span part[] = { o->user, o->password };
	struct buf line = { 0 };

	buf_adds(&line, "AUTH LOGIN");
	for (size_t i = 0; i < COUNT(part); i++) {
		say(c, &line);
		if (!listen(c, COMMAND_MS, r) || r->code != 334) {
			buf_free(&line);
			return false;
		}
		base64_add(part[i], &line);
	}
	say(c, &line);
	buf_free(&line);
	return answer(c, COMMAND_MS, r);
}

static bool
login(struct smtp_client *c, const struct smtp_client_opts *o,
    struct smtp_reply *r)
{
	bool good = false;

	if (o->user.p == NULL)
		return true;
	/* Credentials never go over an open line by accident. */
	if (c->tls == NULL && o->tls != SMTP_TLS_NONE)
		smtp_reply_set(r, 451, "4.7.4",
		    "No TLS with the next hop to log in under");
	else if (has_mech(c, "PLAIN"))
		good = auth_plain(c, o, r);
	else if (has_mech(c, "LOGIN"))
		good = auth_login(c, o, r);
	else
		smtp_reply_set(r, 451, "4.7.0",
		    "The next hop offers no AUTH that we know");
	/* Our administrator's trouble, and not the sender's fault. */
	if (!good && smtp_reply_class(r) != 4)
		smtp_reply_set(r, 451, "4.7.0",
		    "The next hop does not accept our login");
	return good;
}

static void
unwilling(struct smtp_reply *r)
{
	struct buf said = r->text;

	r->text = (struct buf){ 0 };
	smtp_reply_set(r, 451, "4.4.1",
	    "The next hop does not take our mail: ");
	buf_add(&r->text, buf_span(&said));
	buf_free(&said);
}

/* The client is not told where we send to; who runs the server is. */
static int
unreachable(const struct smtp_client_opts *o, const struct smtp_reply *r)
{
	if (!o->quiet)
		log_warn("next hop %.*s: %u %s %.*s", (int)o->where.n,
		    o->where.p, r->code, r->status, (int)r->text.n,
		    r->text.p);
	return -1;
}

int
smtp_client_open(struct smtp_client *c, const struct smtp_client_opts *o,
    struct smtp_reply *r)
{
	int64_t deadline = clock_ms() +
	    (o->timeout_ms ? o->timeout_ms : CONNECT_MS);
	const char *why = NULL;

	*c = (struct smtp_client){ .lmtp = o->lmtp,
	    .timeout_ms = o->timeout_ms };
	c->fd = o->connect != NULL ?
	    o->connect(o->connect_ctx, deadline, &why) :
	    connect_to(o->where, o->port == NULL ? "25" : o->port, deadline,
	    &why);
	if (c->fd < 0) {
		smtp_reply_set(r, 451, "4.4.1",
		    "Cannot reach the next hop: ");
		buf_adds(&r->text, why == NULL ? "unknown" : why);
		return unreachable(o, r);
	}
	stream_open(&c->in, &c->out, c->fd, c->fd);
	if ((o->implicit && !handshake(c, o, r)) ||
	    !answer(c, COMMAND_MS, r) || !hello(c, o->helo, r) ||
	    !secure(c, o, r) || !login(c, o, r)) {
		/* RFC 5321 3.1: 554 at the greeting and the like say that
		 * this server does not want us now. */
		if (smtp_reply_class(r) != 4 || r->code == 421)
			unwilling(r);
		smtp_client_close(c);
		return unreachable(o, r);
	}
	return 0;
}

static void
say_mail(struct smtp_client *c, const struct smtp_mail *m)
{
	struct buf line = { 0 };

	smtp_mail_print(m, c->offered, &line);
	say(c, &line);
	buf_free(&line);
}

static void
say_rcpt(struct smtp_client *c, const struct smtp_rcpt *rc)
{
	struct buf line = { 0 };

	smtp_rcpt_print(rc, c->offered, &line);
	say(c, &line);
	buf_free(&line);
}

bool
smtp_client_mail(struct smtp_client *c, const struct smtp_mail *m,
    struct smtp_reply *r)
{
	say_mail(c, m);
	c->in_mail = answer(c, COMMAND_MS, r);
	return c->in_mail;
}

bool
smtp_client_rcpt(struct smtp_client *c, const struct smtp_rcpt *rc,
    struct smtp_reply *r)
{
	say_rcpt(c, rc);
	return answer(c, COMMAND_MS, r);
}

bool
smtp_client_rset(struct smtp_client *c, struct smtp_reply *r)
{
	out_adds(&c->out, "RSET\r\n");
	c->in_mail = false;
	return answer(c, COMMAND_MS, r);
}

size_t
smtp_client_envelope(struct smtp_client *c, const struct smtp_mail *m,
    const struct smtp_rcpt *const *rc, struct smtp_reply *r, size_t n)
{
	size_t step = c->offered & SMTP_PIPELINING ? BATCH : 1;
	struct smtp_reply mail = { 0 };
	size_t accepted = 0;
	bool good = true;

	for (size_t from = 0; from < n; from += step) {
		size_t to = from + step < n ? from + step : n;

		if (from == 0) {
			say_mail(c, m);
			if (step == 1)
				good = answer(c, COMMAND_MS, &mail);
		}
		for (size_t i = from; good && i < to; i++)
			say_rcpt(c, rc[i]);
		if (from == 0 && step > 1)
			good = answer(c, COMMAND_MS, &mail);
		if (from == 0)
			c->in_mail = good;
		for (size_t i = from; i < to; i++) {
			/* What was pipelined behind a refused MAIL is
			 * answered too. */
			if (good || (from == 0 && step > 1))
				accepted += answer(c, COMMAND_MS, &r[i]) &&
				    good;
			if (!good)
				smtp_reply_copy(&r[i], &mail);
		}
	}
	c->sender_ok = good;
	smtp_reply_free(&mail);
	return accepted;
}

static void
say_piece(struct smtp_client *c, const struct smtp_piece *p, bool last)
{
	if (p->url.p != NULL) {
		out_adds(&c->out, "BURL ");
		out_add(&c->out, p->url);
	} else {
		out_adds(&c->out, "BDAT ");
		out_addu(&c->out, p->octets.n);
	}
	out_adds(&c->out, last ? " LAST\r\n" : "\r\n");
	out_add(&c->out, p->octets);
}

/* Read the answer to a piece; *end keeps the first refusal. */
static bool
hear_piece(struct smtp_client *c, struct smtp_reply *end)
{
	struct smtp_reply r = { 0 };
	bool good = answer(c, END_MS, &r);

	if (end->code == 0 || smtp_reply_class(end) == 2)
		smtp_reply_copy(end, &r);
	smtp_reply_free(&r);
	return good;
}

/* One after the other. */
static size_t
assemble_slowly(struct smtp_client *c, const struct smtp_mail *m,
    const struct smtp_rcpt *const *rc, struct smtp_reply *r, size_t n,
    const struct smtp_piece *p, size_t pieces, struct smtp_reply *end)
{
	size_t accepted = smtp_client_envelope(c, m, rc, r, n);
	bool good = accepted > 0;

	for (size_t i = 0; i < pieces && good; i++) {
		say_piece(c, &p[i], i + 1 == pieces);
		good = hear_piece(c, end);
		c->in_mail = !good || i + 1 < pieces;
	}
	return accepted;
}

size_t
smtp_client_assemble(struct smtp_client *c, const struct smtp_mail *m,
    const struct smtp_rcpt *const *rc, struct smtp_reply *r, size_t n,
    const struct smtp_piece *p, size_t pieces, struct smtp_reply *end)
{
	struct smtp_reply mail = { 0 };
	size_t accepted = 0;
	bool good;

	end->code = 0;
	if (!(c->offered & SMTP_PIPELINING) || n > BATCH)
		return assemble_slowly(c, m, rc, r, n, p, pieces, end);
	say_mail(c, m);
	for (size_t i = 0; i < n; i++)
		say_rcpt(c, rc[i]);
	for (size_t i = 0; i < pieces; i++)
		say_piece(c, &p[i], i + 1 == pieces);
	good = answer(c, COMMAND_MS, &mail);
	for (size_t i = 0; i < n; i++) {
		accepted += answer(c, COMMAND_MS, &r[i]) && good;
		if (!good)
			smtp_reply_copy(&r[i], &mail);
	}
	for (size_t i = 0; i < pieces; i++)
		hear_piece(c, end);
	c->sender_ok = good;
	smtp_reply_free(&mail);
	return accepted;
}

bool
smtp_client_data(struct smtp_client *c, struct smtp_reply *r)
{
	c->dots = (struct dot_writer){ 0 };
	out_adds(&c->out, "DATA\r\n");
	if (!listen(c, DATA_MS, r))
		return false;
	if (r->code == 354)
		return true;
	if (smtp_reply_class(r) < 4)
		lose(c, r);
	return false;
}

static void
wire(void *ctx, struct span octets)
{
	struct smtp_client *c = ctx;

	out_add(&c->out, octets);
}

void
smtp_client_write(struct smtp_client *c, struct span octets)
{
	dot_write(&c->dots, octets, wire, c);
}

void
smtp_client_end(struct smtp_client *c, struct smtp_reply *r, size_t n)
{
	dot_write_end(&c->dots, wire, c);
	c->in_mail = false;
	for (size_t i = 0; i < (c->lmtp ? n : 1); i++)
		answer(c, END_MS, &r[i]);
}

static void
release(struct smtp_client *c)
{
	tls_free(c->tls);
	stream_free(&c->in, &c->out);
	if (c->fd > 0)
		close(c->fd);
	buf_free(&c->mechs);
	*c = (struct smtp_client){ .lost = true };
}

void
smtp_client_close(struct smtp_client *c)
{
	if (!c->lost && c->fd > 0) {
		out_adds(&c->out, "QUIT\r\n");
		out_flush(&c->out);
	}
	release(c);
}

void
smtp_client_abort(struct smtp_client *c)
{
	release(c);
}
