/* SPDX-License-Identifier: ISC */
#include "smtp/server.h"

#include <string.h>

#include "base/clock.h"
#include "smtp/verbs.h"

enum {
	COMMAND_MS = 5 * 60 * 1000,	/* RFC 5321 4.5.3.2.7 */
	LOGIN_MS = 60 * 1000,
	LAST_WORDS_MS = 5 * 1000,	/* to be told that it was too slow */
	RCPTS_MAX = 1000,		/* RFC 5321 4.5.3.1.8: 100 at least */
	JUNK_MAX = 10,			/* refused commands before login */
	JUNK_MAX_AUTHED = 50,
	IDLE_MAX = 100			/* NOOPs and the like in a row */
};

void
smtp_leave(struct smtp_server *s, enum smtp_bye why)
{
	if (!s->over)
		s->bye = why;
	s->over = true;
}

void
smtp_say_reply(struct smtp_server *s, const struct smtp_reply *r)
{
	smtp_reply_write(r, s->out, s->in_mail && s->mail.utf8);
	if (r->code >= 400 && s->host->refused != NULL)
		s->host->refused(s->ctx, buf_span(&s->line), r);
}

void
smtp_say(struct smtp_server *s, enum smtp_answer a)
{
	struct smtp_reply r = { 0 };

	smtp_reply_std(&r, a);
	smtp_say_reply(s, &r);
	if (smtp_reply_class(&r) == 5)
		s->junk++;
	smtp_reply_free(&r);
}

enum smtp_answer
smtp_out_of_order(const struct smtp_server *s)
{
	return !s->in_mail ? SMTP_NO_MAIL :
	    s->chunk == SMTP_CHUNK_FAILED ? SMTP_CHUNK_REFUSED :
	    s->chunk == SMTP_CHUNK_OPEN ? SMTP_CHUNKS_CAME :
	    s->rcpts == 0 ? SMTP_NOBODY_YET : SMTP_BINARY_DATA;
}

void
smtp_say_text(struct smtp_server *s, unsigned code, const char *status,
    const char *text)
{
	struct smtp_reply r = { 0 };

	smtp_reply_set(&r, code, status, text);
	smtp_say_reply(s, &r);
	smtp_reply_free(&r);
}

void
smtp_lost(struct smtp_server *s)
{
	if (s->in->state != STREAM_TIMEOUT) {
		smtp_leave(s, SMTP_BYE_EOF);
		return;
	}
	/* RFC 5321 3.8 */
	smtp_say_text(s, 421, "4.4.2", "Waited too long, good bye");
	smtp_leave(s, SMTP_BYE_TIMEOUT);
}

void
smtp_patience(struct smtp_server *s)
{
	int64_t till = clock_ms() + s->command_ms;
	bool stranger = s->need_auth && !s->authed;

	if (stranger && s->login_deadline < till)
		till = s->login_deadline;
	s->in->deadline = till;
	/* Who reads an octet now and then is slow as well. */
	s->out->deadline = LAST_WORDS_MS + (stranger ? s->login_deadline :
	    till);
}

void
smtp_forget(struct smtp_server *s)
{
	if (s->in_mail && s->host->reset != NULL)
		s->host->reset(s->ctx);
	s->in_mail = false;
	s->mail = (struct smtp_mail){ 0 };
	s->rcpt = NULL;
	s->rcpts = s->rcpts_cap = s->rcpts_tried = 0;
	s->chunk = SMTP_CHUNK_NONE;
	s->size = 0;
	arena_reset(&s->arena);
}

/* What can be offered in this state. */
static unsigned
offered(const struct smtp_server *s)
{
	unsigned f = s->features;

	if (s->secure || s->authed)
		f &= ~(unsigned)SMTP_STARTTLS;
	if (s->authed)
		f &= ~(unsigned)SMTP_AUTH;
	return f;
}

static bool
args_size(struct smtp_server *s, struct buf *b)
{
	if (s->size_max > 0)
		buf_addu(b, s->size_max);
	return true;
}

static bool
args_auth(struct smtp_server *s, struct buf *b)
{
	if (s->host->mechs != NULL)
		s->host->mechs(s->ctx, b);
	return b->n > 0;
}

/* RFC 4468 3.1: without words it says that AUTH is needed first. */
static bool
args_burl(struct smtp_server *s, struct buf *b)
{
	if (s->authed && s->host->burl_words != NULL)
		s->host->burl_words(s->ctx, b);
	return true;
}

/* RFC 5321 4.1.1.1: what EHLO answers, in this order. */
static const struct keyword {
	const char *name;
	unsigned bit;
	bool (*args)(struct smtp_server *, struct buf *);	/* or NULL */
} keywords[] = {
	{ "PIPELINING", SMTP_PIPELINING, NULL },
	{ "SIZE", SMTP_SIZE, args_size },
	{ "8BITMIME", SMTP_8BITMIME, NULL },
	{ "STARTTLS", SMTP_STARTTLS, NULL },
	{ "AUTH", SMTP_AUTH, args_auth },
	{ "ENHANCEDSTATUSCODES", SMTP_ENHANCED, NULL },
	{ "DSN", SMTP_DSN, NULL },
	{ "SMTPUTF8", SMTP_UTF8, NULL },
	{ "CHUNKING", SMTP_CHUNKING, NULL },
	{ "BINARYMIME", SMTP_BINARYMIME, NULL },
	{ "BURL", SMTP_BURL, args_burl },
};

/* RFC 5321 4.1.3 and more: clients send all kinds of names; only what could
 * hurt in a Received field or a log is refused. */
static bool
helo_ok(struct span s)
{
	if (s.n == 0 || s.n > SMTP_DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_alpha(s.p[i]) && !ascii_digit(s.p[i]) &&
		    (s.p[i] == '\0' || strchr(".-_:[]", s.p[i]) == NULL))
			return false;
	return true;
}

static void
hello(struct smtp_server *s, struct span args, bool esmtp)
{
	struct smtp_reply r = { 0 };
	struct buf value = { 0 };

	args = span_trim(args);
	if (!helo_ok(args)) {
		smtp_say(s, SMTP_BAD_SYNTAX);
		return;
	}
	s->idle++;
	smtp_forget(s);		/* RFC 5321 4.1.4 */
	buf_clear(&s->helo);
	buf_add(&s->helo, args);
	s->esmtp = esmtp;
	smtp_reply_set(&r, 250, NULL, s->name);
	for (size_t i = 0; esmtp && i < COUNT(keywords); i++) {
		const struct keyword *k = &keywords[i];

		buf_clear(&value);
		if (!(k->bit & offered(s)) ||
		    (k->args != NULL && !k->args(s, &value)))
			continue;
		buf_addc(&r.text, '\n');
		buf_adds(&r.text, k->name);
		if (value.n > 0) {
			buf_addc(&r.text, ' ');
			buf_add(&r.text, buf_span(&value));
		}
	}
	smtp_say_reply(s, &r);
	smtp_reply_free(&r);
	buf_free(&value);
}

static void
verb_helo(struct smtp_server *s, struct span args)
{
	hello(s, args, false);
}

static void
verb_ehlo(struct smtp_server *s, struct span args)
{
	hello(s, args, true);
}

static void
verb_mail(struct smtp_server *s, struct span args)
{
	struct smtp_reply r = { 0 };
	struct smtp_mail m;

	if (s->in_mail) {	/* RFC 5321 4.1.4 */
		smtp_say_text(s, 503, "5.5.1", "One MAIL at a time");
		s->junk++;
		return;
	}
	smtp_reply_set(&r, 250, "2.1.0", "Ok");
	if (!smtp_mail_parse(args, s->esmtp ? s->features : 0, s->allow,
	    &s->arena, &m, &r)) {
		s->junk++;
	} else if (s->size_max > 0 && m.has_size && m.size > s->size_max) {
		smtp_reply_std(&r, SMTP_TOO_BIG);	/* RFC 1870 6.1 */
	} else {
		s->host->mail(s->ctx, &m, &r);
		s->in_mail = smtp_reply_class(&r) == 2;
		s->mail = m;
	}
	smtp_say_reply(s, &r);
	if (!s->in_mail)
		arena_reset(&s->arena);
	smtp_reply_free(&r);
}

static void
verb_rcpt(struct smtp_server *s, struct span args)
{
	unsigned allow = s->allow | (s->mail.utf8 ? SMTP_PATH_UTF8 : 0);
	struct smtp_reply r = { 0 };
	struct smtp_rcpt c;

	if (!s->in_mail || s->chunk != SMTP_CHUNK_NONE) {
		smtp_say(s, smtp_out_of_order(s));
		return;
	}
	s->rcpts_tried++;
	smtp_reply_set(&r, 250, "2.1.5", "Ok");
	/* Refused ones take time and memory, too. */
	if (s->rcpts >= s->rcpts_max || s->rcpts_tried > 2 * s->rcpts_max) {
		smtp_reply_std(&r, SMTP_TOO_MANY);
		s->junk += s->rcpts_tried > 4 * s->rcpts_max;
	} else if (!smtp_rcpt_parse(args, s->esmtp ? s->features : 0, allow,
	    &s->arena, &c, &r)) {
		s->junk++;
	} else {
		s->host->rcpt(s->ctx, &c, &r);
		if (smtp_reply_class(&r) == 2) {
			s->rcpt = arena_grow(&s->arena, s->rcpt,
			    &s->rcpts_cap, s->rcpts + 1, sizeof *s->rcpt);
			s->rcpt[s->rcpts++] = c;
		}
	}
	smtp_say_reply(s, &r);
	smtp_reply_free(&r);
}

static void
verb_rset(struct smtp_server *s, struct span args)
{
	if (args.n > 0) {
		smtp_say(s, SMTP_BAD_SYNTAX);
		return;
	}
	s->idle++;
	smtp_forget(s);
	smtp_say(s, SMTP_OK);
}

static void
verb_noop(struct smtp_server *s, struct span args)
{
	(void)args;
	s->idle++;
	smtp_say(s, SMTP_OK);
}

static void
verb_vrfy(struct smtp_server *s, struct span args)
{
	s->idle++;
	if (args.n == 0)
		smtp_say(s, SMTP_BAD_SYNTAX);
	else	/* RFC 5321 3.5.3 */
		smtp_say_text(s, 252, "2.5.2",
		    "Send some mail, it will be tried");
}

static void
verb_help(struct smtp_server *s, struct span args)
{
	(void)args;
	s->idle++;
	smtp_say_text(s, 214, "2.0.0",
	    s->lmtp ? "See RFC 2033" : "See RFC 6409");
}

static void
verb_quit(struct smtp_server *s, struct span args)
{
	if (args.n > 0) {
		smtp_say(s, SMTP_BAD_SYNTAX);
		return;
	}
	smtp_say_text(s, 221, "2.0.0", "Good bye");
	smtp_leave(s, SMTP_BYE_QUIT);
}

/* RFC 3207 4 */
static void
verb_starttls(struct smtp_server *s, struct span args)
{
	if (args.n > 0) {
		smtp_say(s, SMTP_BAD_SYNTAX);
		return;
	}
	if (!(offered(s) & SMTP_STARTTLS) || s->in_mail) {
		smtp_say(s, s->in_mail ? SMTP_IN_MAIL : SMTP_TLS_DONE);
		return;
	}
	/* What came before the handshake is not protected by it: whoever
	 * pipelines here puts words in somebody's mouth. */
	if (in_ready(s->in)) {
		smtp_say_text(s, 554, "5.5.1",
		    "Nothing may follow STARTTLS, good bye");
		smtp_leave(s, SMTP_BYE_INJECTION);
		return;
	}
	smtp_say_text(s, 220, "2.0.0", "Ready to start TLS");
	if (out_flush(s->out) != 0) {
		smtp_leave(s, SMTP_BYE_EOF);
		return;
	}
	smtp_patience(s);
	if (s->host->starttls(s->ctx, s->in, s->out) != 0) {
		smtp_leave(s, SMTP_BYE_TLS);
		return;
	}
	s->secure = true;
	s->esmtp = false;
	buf_clear(&s->helo);
}

enum {
	ANY = 1,	/* before EHLO and AUTH too */
	HELO = 2,	/* after EHLO, before AUTH too */
	SMTP_ONLY = 4,
	LMTP_ONLY = 8
};

static const struct verb {
	const char *name;
	unsigned when;
	unsigned feature;	/* 0, or it must be offered */
	void (*run)(struct smtp_server *, struct span args);
} verbs[] = {
	{ "HELO", ANY | SMTP_ONLY, 0, verb_helo },
	{ "EHLO", ANY | SMTP_ONLY, 0, verb_ehlo },
	{ "LHLO", ANY | LMTP_ONLY, 0, verb_ehlo },
	{ "MAIL", 0, 0, verb_mail },
	{ "RCPT", 0, 0, verb_rcpt },
	{ "DATA", 0, 0, smtp_verb_data },
	{ "BDAT", 0, SMTP_CHUNKING, smtp_verb_bdat },
	{ "BURL", 0, SMTP_BURL, smtp_verb_burl },
	{ "RSET", ANY, 0, verb_rset },
	{ "NOOP", ANY, 0, verb_noop },
	{ "QUIT", ANY, 0, verb_quit },
	{ "VRFY", 0, 0, verb_vrfy },
	{ "HELP", ANY, 0, verb_help },
	{ "STARTTLS", HELO, SMTP_STARTTLS, verb_starttls },
	{ "AUTH", HELO, SMTP_AUTH, smtp_verb_auth },
};

static const struct verb *
find_verb(const struct smtp_server *s, struct span name)
{
	unsigned other = s->lmtp ? SMTP_ONLY : LMTP_ONLY;

	for (size_t i = 0; i < COUNT(verbs); i++)
		if (!(verbs[i].when & other) &&
		    span_ieq(name, span_str(verbs[i].name)))
			return &verbs[i];
	return NULL;
}

/* A line that cannot be one.  If it was to be a chunk the octets behind it are
 * no commands, and without what it names the message is not whole. */
static void
garbled(struct smtp_server *s, enum smtp_answer a)
{
	struct span line = buf_span(&s->line);
	size_t n = 0;

	while (n < line.n && ascii_alpha(line.p[n]))
		n++;
	line = span_head(line, n);
	smtp_say(s, a);
	if (span_ieq(line, SPAN("BDAT")))
		smtp_leave(s, SMTP_BYE_SYNC);
	else if (s->in_mail && span_ieq(line, SPAN("BURL")))
		s->chunk = SMTP_CHUNK_FAILED;
}

static void
command(struct smtp_server *s)
{
	struct span args = buf_span(&s->line), name;
	const struct verb *v;

	for (size_t i = 0; i < args.n; i++) {
		unsigned char c = (unsigned char)args.p[i];

		if (c < ' ' || c == 0x7f) {
			garbled(s, SMTP_BAD_COMMAND);
			return;
		}
	}
	while (args.n > 0 && args.p[args.n - 1] == ' ')
		args.n--;
	name = span_cut(&args, ' ');
	v = find_verb(s, name);
	if (v == NULL) {
		smtp_say(s, SMTP_BAD_COMMAND);
	} else if (v->feature != 0 && !(s->features & v->feature)) {
		smtp_say(s, SMTP_NOT_HERE);
		/* What follows a BDAT is no command. */
		if (v->run == smtp_verb_bdat)
			smtp_leave(s, SMTP_BYE_SYNC);
	} else if (!(v->when & ANY) && s->helo.n == 0) {
		smtp_say(s, s->lmtp ? SMTP_NO_HELO_LMTP : SMTP_NO_HELO);
		if (v->run == smtp_verb_bdat)
			smtp_leave(s, SMTP_BYE_SYNC);
	} else if (!(v->when & (ANY | HELO)) && s->need_auth && !s->authed) {
		/* RFC 4954 6, RFC 3207 4 */
		smtp_say(s, !s->secure && s->features & SMTP_STARTTLS ?
		    SMTP_NEED_TLS : SMTP_NEED_AUTH);
		if (v->run == smtp_verb_bdat)
			smtp_leave(s, SMTP_BYE_SYNC);
	} else {
		v->run(s, args);
	}
}

static void
next_command(struct smtp_server *s)
{
	buf_clear(&s->line);
	smtp_patience(s);
	switch (in_line(s->in, &s->line, s->authed && s->features & SMTP_BURL ?
	    SMTP_BURL_LINE_MAX : SMTP_LINE_MAX)) {
	case LINE_OK:
		s->commands++;
		command(s);
		break;
	case LINE_LONG:
		garbled(s, SMTP_TOO_LONG);
		break;
	case LINE_BARE:
		/* RFC 5321 2.3.8 */
		garbled(s, SMTP_LINE_END);
		break;
	case LINE_END:
		smtp_lost(s);
		return;
	}
	if (!s->over && (s->idle > IDLE_MAX ||
	    s->junk > (s->authed ? JUNK_MAX_AUTHED : JUNK_MAX))) {
		smtp_say_text(s, 421, "4.7.0",
		    "Too many useless commands, good bye");
		smtp_leave(s, SMTP_BYE_JUNK);
	}
}

enum smtp_bye
smtp_server_run(struct smtp_server *s)
{
	struct buf text = { 0 };

	if (s->command_ms == 0)
		s->command_ms = COMMAND_MS;
	if (s->rcpts_max == 0)
		s->rcpts_max = RCPTS_MAX;
	/* So that no part of a password is left where a smaller one was. */
	buf_room(&s->line, SMTP_LINE_MAX + 2);
	s->login_deadline = clock_ms() +
	    (s->login_ms == 0 ? LOGIN_MS : s->login_ms);
	buf_adds(&text, s->name);
	buf_adds(&text, s->lmtp ? " LMTP lemon" : " ESMTP lemon");
	smtp_say_text(s, 220, NULL, buf_cstr(&text));
	buf_free(&text);
	while (!s->over)
		next_command(s);
	smtp_forget(s);
	out_flush(s->out);
	return s->bye;
}

void
smtp_server_free(struct smtp_server *s)
{
	arena_free(&s->arena);
	buf_free(&s->line);
	buf_free(&s->helo);
}

void
smtp_server_limits(struct smtp_server *s, const struct control *c)
{
	s->size_max = control_num(c, "databytes", SMTP_SIZE_DEFAULT, 0,
	    INT64_MAX);
	s->rcpts_max = (size_t)control_num(c, "rcptmax", 1000, 1, 100000);
	s->command_ms = (int64_t)control_num(c, "timeout", 300, 1, 86400) *
	    1000;
}

void
smtp_server_log(const struct smtp_server *s, struct log *l,
    enum smtp_bye bye, int64_t began)
{
	static const char *const word[] = {
		[SMTP_BYE_QUIT] = "quit", [SMTP_BYE_EOF] = "lost",
		[SMTP_BYE_TIMEOUT] = "timeout", [SMTP_BYE_JUNK] = "junk",
		[SMTP_BYE_BARE] = "smuggling", [SMTP_BYE_AUTH] = "auth",
		[SMTP_BYE_TLS] = "tls", [SMTP_BYE_SYNC] = "sync",
		[SMTP_BYE_INJECTION] = "injection",
	};

	log_ks(l, "why", word[bye]);
	log_ku(l, "commands", s->commands);
	log_ku(l, "messages", s->messages);
	log_ku(l, "in", s->in->total);
	log_ku(l, "out", s->out->total);
	log_ku(l, "wall_ms", (uint64_t)(clock_ms() - began));
}
