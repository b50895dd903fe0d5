/* SPDX-License-Identifier: ISC */
#include "imap/client.h"

#include <unistd.h>

#include "base/clock.h"
#include "net/connect.h"
#include "text/base64.h"

enum {
	PATIENCE_MS = 60 * 1000,
	LINE_MAX_IN = 64 * 1024,	/* of a response */
	RESPONSE_MAX = 256 * 1024,	/* lines and small literals of one */
	ANSWER_MAX = 4 * 1024 * 1024,	/* all that was not asked for */
	LITERAL_MINUS_MAX = 4096,	/* RFC 7888 5 */
	WHY_MAX = 300,
	EARLY_MAX = 4096		/* of an answer before its time */
};

/* --- failing --- */

/* Text from the server goes to logs and terminals. */
static void
set_why(struct imap_client *c, const char *what, struct span text)
{
	buf_clear(&c->why);
	buf_adds(&c->why, what);
	for (size_t i = 0; i < text.n && c->why.n < WHY_MAX; i++)
		buf_addc(&c->why, text.p[i] < ' ' || text.p[i] > '~' ? '?' :
		    text.p[i]);
}

/* The first reason is the real one. */
static void
lose(struct imap_client *c, const char *what, struct span text)
{
	if (!c->lost)
		set_why(c, what, text);
	c->lost = true;
}

static void
lose_stream(struct imap_client *c)
{
	if (c->in.state == STREAM_TIMEOUT || c->out.state == STREAM_TIMEOUT)
		lose(c, "the server does not answer", SPAN(""));
	else if (c->in.state == STREAM_OK && c->out.state == STREAM_OK)
		lose(c, "the server says too much", SPAN(""));
	else
		lose(c, "the connection to the server was lost", SPAN(""));
}

static int64_t
limit(const struct imap_client *c)
{
	int64_t at = clock_ms() + c->timeout_ms;

	return c->deadline != 0 && c->deadline < at ? c->deadline : at;
}

/* --- hearing --- */

static const struct {
	const char *name;
	unsigned bit;
} capabilities[] = {
	{ "STARTTLS", IMAP_STARTTLS },
	{ "LOGINDISABLED", IMAP_LOGINDISABLED },
	{ "AUTH=PLAIN", IMAP_AUTH_PLAIN },
	{ "SASL-IR", IMAP_SASL_IR },
	{ "LITERAL+", IMAP_LITERAL_PLUS },
	{ "LITERAL-", IMAP_LITERAL_MINUS },
	{ "UIDPLUS", IMAP_UIDPLUS },
	{ "CATENATE", IMAP_CATENATE },
	{ "URLAUTH", IMAP_URLAUTH },
	{ "SPECIAL-USE", IMAP_SPECIAL_USE },
};

static void
learn(struct imap_client *c, struct span names)
{
	c->offered = 0;
	c->known = true;
	while (names.p != NULL) {
		struct span name = span_cut(&names, ' ');

		for (size_t i = 0; i < COUNT(capabilities); i++)
			if (span_ieq(name, span_str(capabilities[i].name)))
				c->offered |= capabilities[i].bit;
	}
}

/* RFC 3501 9: resp-text = ["[" resp-text-code "]" SP] text.  The text may end
 * in what looks like a literal's announcement, and is none. */
static void
status(struct imap_client *c, struct lex *l)
{
	lex_try(l, ' ');
	if (lex_try(l, '[')) {
		c->args = span_head(l->in, span_chr(l->in, ']'));
		l->in = span_skip(l->in, c->args.n + 1);
		c->code = span_cut(&c->args, ' ');
		lex_try(l, ' ');
	}
	c->text = l->in;
	l->in = span_skip(l->in, l->in.n);
	c->reader.last = SPAN("");
	if (span_ieq(c->code, SPAN("CAPABILITY")))
		learn(c, c->args);
}

/* The next response; false if none comes. */
static bool
next(struct imap_client *c, struct lex *l)
{
	const char *why;

	arena_reset(&c->arena);
	c->code = c->args = c->text = SPAN("");
	if (c->out.total != c->said)
		c->trips++;
	c->said = c->out.total;
	/* What it said before it hung up is worth more than EPIPE. */
	if (c->out.state != STREAM_OK)
		c->in.tie = NULL;
	if (c->in.total - c->from - c->streamed > ANSWER_MAX)
		lose(c, "the server says too much", SPAN(""));
	/* Of a line that is too long its beginning is there, and that has to
	 * do. */
	else if (reader_command(&c->reader, l, &why) == READER_END)
		lose_stream(c);
	return !c->lost;
}

static void
untagged(struct imap_client *c, struct lex *l, imap_heard *heard, void *ctx)
{
	uint32_t number = 0;

	lex_space(l);
	if (l->in.n > 0 && ascii_digit(l->in.p[0])) {
		number = lex_number(l);
		lex_space(l);
	}
	struct span name = lex_atom(l);

	if (!lex_ok(l))
		return;
	if (span_ieq(name, SPAN("OK")) || span_ieq(name, SPAN("NO")) ||
	    span_ieq(name, SPAN("BAD")))
		status(c, l);
	else
		lex_try(l, ' ');
	if (span_ieq(name, SPAN("BYE"))) {
		status(c, l);
		lose(c, "the server says goodbye: ", c->text);
	} else if (span_ieq(name, SPAN("CAPABILITY"))) {
		learn(c, l->in);
	}
	if (heard != NULL && !c->lost)
		heard(ctx, number, name, l);
}

/* The answer to the command that is waited for. */
static enum imap_result
conclude(struct imap_client *c, struct lex *l, enum imap_result r)
{
	status(c, l);
	if (r != IMAP_OK)
		set_why(c, "", c->text);
	return r;
}

/* One that is waited for later.  NULL if there is none such. */
static struct imap_early *
put_by(struct imap_client *c, unsigned tag, enum imap_result r)
{
	struct imap_early *e = NULL;

	for (size_t i = 0; i < COUNT(c->early); i++) {
		if (c->early[i].tag == tag)
			return NULL;
		if (c->early[i].tag == 0)
			e = &c->early[i];
	}
	if (e == NULL)
		return NULL;
	e->tag = tag;
	e->result = r;
	buf_clear(&e->text);
	return e;
}

static bool
put_line_by(struct imap_client *c, const struct lex *l, unsigned tag,
    enum imap_result r)
{
	struct imap_early *e = put_by(c, tag, r);

	if (e != NULL)
		buf_add(&e->text, span_head(l->in, EARLY_MAX));
	c->reader.last = SPAN("");
	return e != NULL;
}

/* Whether that answer came before. */
static bool
came_before(struct imap_client *c, unsigned tag, enum imap_result *r)
{
	struct lex l = { .arena = &c->arena };

	for (size_t i = 0; i < COUNT(c->early); i++) {
		if (c->lost || tag == 0 || c->early[i].tag != tag)
			continue;
		c->early[i].tag = 0;
		c->code = c->args = c->text = SPAN("");
		l.in = buf_span(&c->early[i].text);
		*r = conclude(c, &l, c->early[i].result);
		return true;
	}
	return false;
}

/* True if it is the answer to that command. */
static bool
tagged(struct imap_client *c, struct lex *l, unsigned tag,
    enum imap_result *result)
{
	static const char *const words[] = { [IMAP_OK] = "OK",
		[IMAP_NO] = "NO", [IMAP_BAD] = "BAD" };
	unsigned got = lex_number(l), r = IMAP_OK;

	lex_space(l);
	while (r <= IMAP_BAD && !(lex_ok(l) && lex_word(l, words[r])))
		r++;
	if (r <= IMAP_BAD && got == tag) {
		*result = conclude(c, l, (enum imap_result)r);
		return true;
	}
	if (r > IMAP_BAD || got < tag || got > c->tag ||
	    !put_line_by(c, l, got, (enum imap_result)r))
		lose(c, "the server does not speak IMAP: ",
		    buf_span(&c->reader.line));
	return false;
}

enum imap_result
imap_client_answer(struct imap_client *c, unsigned tag, imap_heard *heard,
    void *ctx)
{
	enum imap_result r;
	struct lex l;

	if (c->cut && tag == c->tag) {
		c->cut = false;
		return c->refused;
	}
	if (came_before(c, tag, &r))
		return r;
	c->from = c->in.total;
	c->streamed = 0;
	c->in.deadline = limit(c);
	while (!c->lost && next(c, &l)) {
		if (lex_try(&l, '*')) {
			untagged(c, &l, heard, ctx);
		} else if (!lex_try(&l, '+')) {
			if (!tagged(c, &l, tag == 0 ? c->tag : tag, &r))
				continue;
			if (tag == 0 && r == IMAP_OK)
				lose(c, "the server does not wait for more",
				    SPAN(""));
			return c->lost ? IMAP_LOST : r;
		} else if (tag == 0) {
			return IMAP_OK;
		} else {
			lose(c, "the server waits for more", SPAN(""));
		}
		if (!c->lost && !reader_finish(&c->reader))
			lose_stream(c);
	}
	return IMAP_LOST;
}

/* --- saying --- */

unsigned
imap_client_begin(struct imap_client *c, const char *text)
{
	c->cut = false;
	out_addu(&c->out, ++c->tag);
	out_addc(&c->out, ' ');
	out_adds(&c->out, text);
	return c->tag;
}

void
imap_client_add(struct imap_client *c, struct span text)
{
	if (!c->cut)
		out_add(&c->out, text);
}

void
imap_client_add_number(struct imap_client *c, uint64_t v)
{
	char digits[DECIMAL_MAX];

	imap_client_add(c, ascii_decimal(digits, v));
}

/* Octets cost, and many strings could be atoms; some servers take a bare NIL
 * for no string at all. */
static bool
atomic(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!lex_astring_char(s.p[i]))
			return false;
	return s.n > 0 && !span_ieq(s, SPAN("NIL"));
}

void
imap_client_add_string(struct imap_client *c, struct span s)
{
	if (atomic(s)) {
		imap_client_add(c, s);
		return;
	}
	/* RFC 3501 9, QUOTED-CHAR, of which controls are nobody's friends. */
	if (!span_printable(s)) {
		imap_client_add_literal(c, s.n);
		imap_client_add(c, s);
		return;
	}
	struct buf quoted = { 0 };

	/* At once, so that no piece of a password stays in memory. */
	buf_room(&quoted, 2 * s.n + 2);
	buf_addquoted(&quoted, s);
	imap_client_add(c, buf_span(&quoted));
	buf_wipe(&quoted);
	buf_free(&quoted);
}

void
imap_client_add_literal(struct imap_client *c, uint64_t n)
{
	bool wait = !(c->offered & IMAP_LITERAL_PLUS) &&
	    !(c->offered & IMAP_LITERAL_MINUS && n <= LITERAL_MINUS_MAX);

	imap_client_add(c, SPAN("{"));
	imap_client_add_number(c, n);
	imap_client_add(c, wait ? SPAN("}\r\n") : SPAN("+}\r\n"));
	if (!wait || c->cut)
		return;
	c->refused = imap_client_answer(c, 0, NULL, NULL);
	c->cut = c->refused != IMAP_OK;
}

void
imap_client_end(struct imap_client *c)
{
	imap_client_add(c, SPAN("\r\n"));
}

enum imap_result
imap_client_command(struct imap_client *c, const char *text,
    imap_heard *heard, void *ctx)
{
	unsigned tag = imap_client_begin(c, text);

	imap_client_end(c);
	return imap_client_answer(c, tag, heard, ctx);
}

enum imap_result
imap_client_learn(struct imap_client *c)
{
	enum imap_result r = c->known ? IMAP_OK :
	    imap_client_command(c, "CAPABILITY", NULL, NULL);

	return r == IMAP_OK && !c->known ? IMAP_BAD : r;
}

/* --- coming in --- */

static bool
handshake(struct imap_client *c, const struct imap_client_opts *o)
{
	struct buf name = { 0 };
	const char *why = NULL;
	int e;

	buf_add(&name, connect_host(o->where));
	c->in.deadline = limit(c);
	e = tls_connect(&c->tls, &c->in, &c->out, buf_cstr(&name), o->cafile,
	    o->tls == IMAP_TLS_VERIFY, &why);
	buf_free(&name);
	if (e != 0)
		lose(c, "no TLS with the server: ", span_str(why));
	return e == 0;
}

/* RFC 3501 7.1: OK, PREAUTH or BYE */
static bool
greeting(struct imap_client *c)
{
	struct lex l;

	c->in.deadline = limit(c);
	if (!next(c, &l))
		return false;
	lex_char(&l, '*');
	lex_space(&l);
	if (lex_word(&l, "BYE")) {
		status(c, &l);
		lose(c, "the server does not let us in: ", c->text);
		return false;
	}
	c->logged_in = lex_word(&l, "PREAUTH");
	if (!c->logged_in && !lex_word(&l, "OK")) {
		lose(c, "the server does not speak IMAP: ",
		    buf_span(&c->reader.line));
		return false;
	}
	status(c, &l);
	return true;
}

/* RFC 3501 6.2.1 */
static bool
starttls(struct imap_client *c, const struct imap_client_opts *o)
{
	if (c->logged_in)
		lose(c, "the server says PREAUTH where TLS is wanted",
		    SPAN(""));
	else if (c->known && !(c->offered & IMAP_STARTTLS))
		lose(c, "the server does not offer TLS", SPAN(""));
	else if (imap_client_command(c, "STARTTLS", NULL, NULL) != IMAP_OK)
		lose(c, "the server refuses TLS: ", c->text);
	/* Answers sent in advance would be taken for protected ones. */
	else if (in_discard(&c->in) > 0)
		lose(c, "the server talks before the handshake", SPAN(""));
	c->known = false;
	c->offered = 0;
	return !c->lost && handshake(c, o);
}

static void
prepare(struct imap_client *c, const struct imap_client_opts *o)
{
	*c = (struct imap_client){ .fd = -1, .deadline = o->deadline,
	    .timeout_ms = o->timeout_ms != 0 ? o->timeout_ms : PATIENCE_MS };
}

void
imap_client_until(struct imap_client *c, int64_t deadline)
{
	c->deadline = c->out.deadline = deadline;
}

bool
imap_client_start(struct imap_client *c, int fd,
    const struct imap_client_opts *o)
{
	prepare(c, o);
	c->fd = fd;
	stream_open(&c->in, &c->out, fd, fd);
	c->out.timeout = c->timeout_ms;
	imap_client_until(c, o->deadline);
	c->reader = (struct reader){ .in = &c->in, .out = &c->out,
	    .arena = &c->arena, .answers = true, .line_max = LINE_MAX_IN,
	    .total_max = RESPONSE_MAX, .skip_max = ANSWER_MAX };
	if (o->implicit && !handshake(c, o))
		return false;
	return greeting(c) && (o->implicit || o->tls == IMAP_TLS_NONE ||
	    starttls(c, o));
}

bool
imap_client_open(struct imap_client *c, const struct imap_client_opts *o)
{
	const char *why = NULL, *port = o->port != NULL ? o->port :
	    o->implicit ? "993" : "143";

	prepare(c, o);
	int fd = o->connect != NULL ?
	    o->connect(o->connect_ctx, limit(c), &why) :
	    connect_to(o->where, port, limit(c), &why);

	if (fd >= 0)
		return imap_client_start(c, fd, o);
	lose(c, "cannot reach the server: ", span_str(why));
	return false;
}

/* Wait for the answer, for who waits for it once more. */
static void
answer_now(struct imap_client *c, unsigned tag)
{
	enum imap_result r = imap_client_answer(c, tag, NULL, NULL);
	struct imap_early *e = r == IMAP_LOST ? NULL : put_by(c, tag, r);

	if (e == NULL)
		return;
	if (c->code.n > 0) {
		buf_adds(&e->text, " [");
		buf_add(&e->text, c->code);
		buf_addc(&e->text, ' ');
		buf_add(&e->text, c->args);
		buf_adds(&e->text, "] ");
	}
	buf_add(&e->text, c->text);
}

/*
 * RFC 4616 2, in one line with the command where that is known to do (RFC
 * 4959), else after the server's "+".  Nothing may follow before the answer:
 * it could be under a security layer then (RFC 3501 6.2.2), and Cyrus reads
 * what came behind it anew.
 */
static unsigned
say_plain(struct imap_client *c, const struct imap_login *l)
{
	struct buf plain = { 0 }, coded = { 0 };
	unsigned tag = imap_client_begin(c, "AUTHENTICATE PLAIN");

	if (c->offered & IMAP_SASL_IR) {
		imap_client_add(c, SPAN(" "));
	} else {
		imap_client_end(c);
		c->refused = imap_client_answer(c, 0, NULL, NULL);
		c->cut = c->refused != IMAP_OK;
	}
	buf_add(&plain, l->authzid);
	buf_addc(&plain, '\0');
	buf_add(&plain, l->user);
	buf_addc(&plain, '\0');
	buf_add(&plain, l->password);
	base64_add(buf_span(&plain), &coded);
	imap_client_add(c, buf_span(&coded));
	imap_client_end(c);
	buf_wipe(&plain);
	buf_wipe(&coded);
	buf_free(&plain);
	buf_free(&coded);
	c->known = false;
	answer_now(c, tag);
	return tag;
}

/* RFC 3501 6.2.3; after it the server may offer other things. */
static unsigned
say_login(struct imap_client *c, const struct imap_login *l)
{
	unsigned tag = imap_client_begin(c, "LOGIN ");

	imap_client_add_string(c, l->user);
	imap_client_add(c, SPAN(" "));
	imap_client_add_string(c, l->password);
	imap_client_end(c);
	c->known = false;
	return tag;
}

unsigned
imap_client_say_login(struct imap_client *c, const struct imap_login *l)
{
	bool simple = l->authzid.p == NULL && span_printable(l->user) &&
	    span_printable(l->password);
	unsigned tag;

	if (c->logged_in) {
		tag = imap_client_begin(c, "NOOP");
		imap_client_end(c);
		return tag;
	}
	/* What it offers under TLS it has not said yet; LOGIN it will. */
	if (simple && !c->known && c->tls != NULL)
		return say_login(c, l);
	if (imap_client_learn(c) != IMAP_OK)
		return 0;
	if (simple && !(c->offered & IMAP_LOGINDISABLED))
		return say_login(c, l);
	if (c->offered & IMAP_AUTH_PLAIN)
		return say_plain(c, l);
	set_why(c, c->tls == NULL ? "the server takes no password without TLS"
	    : "the server takes no password that way", SPAN(""));
	return 0;
}

enum imap_result
imap_client_logged_in(struct imap_client *c, unsigned tag)
{
	enum imap_result r = c->lost ? IMAP_LOST : IMAP_BAD;

	if (tag == 0)
		return r;
	r = imap_client_answer(c, tag, NULL, NULL);
	c->logged_in |= r == IMAP_OK;
	return r;
}

enum imap_result
imap_client_login(struct imap_client *c, const struct imap_login *l)
{
	return imap_client_logged_in(c, imap_client_say_login(c, l));
}

/* --- octets --- */

enum imap_fetched
imap_client_stream(struct imap_client *c, struct lex *l, imap_sink *sink,
    void *ctx)
{
	struct lex_literal literal;
	struct span s;

	if (lex_word(l, "NIL"))
		return IMAP_NIL;
	if (lex_next(l, '"')) {
		s = lex_string(l);
		if (!lex_ok(l))
			return IMAP_UNKNOWN;
		if (s.n == 0 || sink(ctx, s))
			return IMAP_GIVEN;
		lose(c, "given up", SPAN(""));
		return IMAP_UNKNOWN;
	}
	if (!lex_announce(l, &literal))
		return IMAP_UNKNOWN;
	reader_accept(&c->reader, &literal);
	c->pulled = 0;
	while ((s = reader_pull(&c->reader)).n > 0) {
		c->streamed += s.n;
		c->pulled += s.n;
		if (c->pulled >= STREAM_BUFFER) {
			c->in.deadline = limit(c);
			c->pulled = 0;
		}
		if (!sink(ctx, s)) {
			lose(c, "given up", SPAN(""));
			return IMAP_UNKNOWN;
		}
	}
	if (!reader_pulled(&c->reader)) {
		lose_stream(c);
		return IMAP_UNKNOWN;
	}
	reader_after(&c->reader, l);
	return lex_ok(l) ? IMAP_GIVEN : IMAP_UNKNOWN;
}

void
imap_client_close(struct imap_client *c)
{
	if (c->fd > 0 && !c->lost) {
		imap_client_begin(c, "LOGOUT");
		imap_client_end(c);
		out_flush(&c->out);
	}
	tls_free(c->tls);
	stream_free(&c->in, &c->out);
	if (c->fd > 0)
		close(c->fd);
	reader_free(&c->reader);
	arena_free(&c->arena);
	buf_free(&c->why);
	for (size_t i = 0; i < COUNT(c->early); i++)
		buf_free(&c->early[i].text);
	*c = (struct imap_client){ .lost = true };
}
