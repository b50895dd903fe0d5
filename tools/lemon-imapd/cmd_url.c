/* SPDX-License-Identifier: ISC */
/* GENURLAUTH, URLFETCH and RESETKEY.  RFC 4467 7, RFC 5524 3. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "body.h"
#include "updates.h"
#include "url/remote.h"
#include "url/structure.h"

enum { REMOTE_MS = 30 * 1000 };

static struct owner
owner(const struct session *s)
{
	return (struct owner){ .store = s->store, .space = &s->space,
		.name = span_str(s->mail.account.name),
		.locals = buf_span(&s->locals) };
}

/* --- GENURLAUTH --- */

/* RFC 4467 7: what is wrong with the URL is BAD; the world is NO. */
static enum result
refuse(struct session *s, const struct imap_url *u, enum grant g)
{
	if (g == GRANT_EXPIRED)
		return reply_no(s, NULL, "That URL has expired already.");
	if (g == GRANT_LATER) {
		session_warn(s, "GENURLAUTH");
		return reply_no(s, "UNAVAILABLE", "Not now.");
	}
	if (g == GRANT_GONE)
		return reply_bad(s, "No such mailbox.");
	if (g == GRANT_ACCESS)
		return reply_bad(s, "That is another owner's URL.");
	if (u->uid == 0)
		return reply_bad(s, "The URL names no message.");
	if (!u->absolute || u->user.p == NULL)
		return reply_bad(s, "The URL names no owner.");
	if (u->access == URL_NONE)
		return reply_bad(s, "The URL says not who may use it.");
	return reply_bad(s, "That URL has a token already.");
}

/* Sign one URL; add it after a blank, in quotes. */
static enum result
sign(struct session *s, struct span text, struct span mech, struct buf *to)
{
	const struct owner own = owner(s);
	struct imap_url u;
	const char *why = imap_url_parse(&s->arena, text, &u);

	if (why != NULL)
		return reply_bad(s, why);
	if (!span_ieq(mech, SPAN("INTERNAL")))
		return reply_no(s, NULL, "The one mechanism is INTERNAL.");
	/* No URL has a quote or a backslash. */
	buf_adds(to, " \"");
	enum grant g = grant_mint(&own, clock_now(), &u, to);

	buf_addc(to, '"');
	return g == GRANT_OK ? OK : refuse(s, &u, g);
}

struct pair {
	struct span rump, mech;
};

/* RFC 4467 9: "GENURLAUTH" 1*(SP url-rump SP mechanism) */
static enum result
cmd_genurlauth(struct session *s, struct lex *l)
{
	struct pair *pair = NULL;
	size_t n = 0, cap = 0;
	struct buf urls = { 0 };
	enum result answer = OK;

	do {
		pair = arena_grow(&s->arena, pair, &cap, n + 1, sizeof *pair);
		lex_space(l);
		pair[n].rump = lex_astring(l);
		lex_space(l);
		pair[n++].mech = lex_atom(l);
	} while (lex_next(l, ' '));
	if (!lex_end(l))
		return BAD;

	for (size_t i = 0; i < n && answer == OK; i++)
		answer = sign(s, pair[i].rump, pair[i].mech, &urls);
	if (answer == OK) {
		untagged(s);
		out_adds(&s->out, "GENURLAUTH");
		out_add(&s->out, buf_span(&urls));
		untagged_end(s);
		reply_ok(s, "Signed.");
	}
	buf_free(&urls);
	return answer;
}

/* --- URLFETCH --- */

enum { WANT_BODY = 1, WANT_BINARY = 2, WANT_STRUCTURE = 4 };

struct wanted {
	struct span url;
	unsigned want;		/* 0: unextended */
};

struct fetching {
	struct session *s;
	struct remote remote;
	bool binary;		/* of what is being written */
	bool later;		/* some could not be told */
	bool broken;		/* an answer broke off */
	bool deaf;		/* nobody is behind the socket: once is enough
				   to wait for that */
};

/* What is written for a URL that is good for nothing. */
static void
nil(struct fetching *f)
{
	out_adds(&f->s->out, " NIL");
}

static void
later(struct fetching *f)
{
	f->later = true;
	nil(f);
}

/* RFC 5524 3.2: what stands before the octets; false if none are wanted. */
static bool
metadata(struct fetching *f, unsigned want, struct span structure)
{
	struct out *o = &f->s->out;

	if (want & WANT_STRUCTURE) {
		out_adds(o, " (BODYPARTSTRUCTURE ");
		out_add(o, structure);
		out_addc(o, ')');
	}
	if (want & (WANT_BODY | WANT_BINARY))
		out_adds(o, want & WANT_BINARY ? " (BINARY " : " (BODY ");
	else if (want == 0)
		out_addc(o, ' ');
	return want != WANT_STRUCTURE;
}

static void
metadata_end(struct fetching *f, unsigned want)
{
	if (want != 0)
		out_addc(&f->s->out, ')');
}

/* What the URL names in our own store. */
static void
own(struct fetching *f, const struct wanted *w, const struct imap_url *u)
{
	struct session *s = f->s;
	struct resolved r = { 0 };
	struct buf structure = { 0 };
	enum store_result e = url_resolve(s->store, &s->space, u, NULL, &r);
	enum store_result decoded = STORE_OK;

	if (e == STORE_OK && w->want & WANT_BINARY) {
		decoded = resolved_decode(&r, u);
		if (decoded != STORE_OK && decoded != STORE_CANNOT)
			e = decoded;
	}
	if (e == STORE_OK && w->want & WANT_STRUCTURE &&
	    !url_structure(u, &r, &structure))
		e = STORE_ERROR;
	if (e == STORE_NONEXISTENT) {
		nil(f);
	} else if (e != STORE_OK) {
		session_warn(s, "URLFETCH");
		later(f);
	} else if (metadata(f, w->want, buf_span(&structure))) {
		if (decoded != STORE_OK)
			out_adds(&s->out, "NIL");
		else if (!body_string(&s->out, r.message, &r.piece, r.from,
		    r.n, w->want & WANT_BINARY))
			f->broken = true;
		metadata_end(f, w->want);
	}
	s->count.fetched += e == STORE_OK;
	buf_free(&structure);
	resolved_free(&r);
}

static void
remote_octets(void *arg, struct span s)
{
	struct fetching *f = arg;

	body_octets(&f->s->out, s, f->binary);
}

static void
give_remote(struct fetching *f, enum remote_result a, uint64_t n)
{
	struct out *o = &f->s->out;

	if (a == REMOTE_UNKNOWN_CTE)
		out_adds(o, "NIL");
	else if (n == 0)
		out_adds(o, "\"\"");
	else
		body_literal(o, n, f->binary && a == REMOTE_NUL);
	if (a <= REMOTE_NUL &&
	    remote_read(&f->remote, remote_octets, f) != 0)
		f->broken = true;
}

/* What it names in another owner's. */
static void
others(struct fetching *f, const struct wanted *w)
{
	struct session *s = f->s;
	const struct remote_request q = { .url = w->url,
		.caller = { span_str(s->mail.account.name), s->submitter },
		.binary = w->want & WANT_BINARY,
		.structure = w->want & WANT_STRUCTURE };
	struct buf structure = { 0 };
	uint64_t n;

	if (f->deaf) {
		later(f);
		return;
	}
	if (remote_open(&f->remote, buf_cstr(&s->urlfetch), REMOTE_MS) != 0) {
		log_warn("user=%s URLFETCH: %s: %s", s->mail.account.name,
		    buf_cstr(&s->urlfetch), strerror(errno));
		f->deaf = true;
		later(f);
		return;
	}
	remote_ask(&f->remote, &q);
	enum remote_result a = remote_answer(&f->remote, REMOTE_MS,
	    &structure, &n);

	f->binary = w->want & WANT_BINARY;
	if (a == REMOTE_INVALID) {
		nil(f);
	} else if (a == REMOTE_LATER) {
		f->deaf = f->remote.in.state != STREAM_OK;
		remote_close(&f->remote);
		later(f);
	} else if (metadata(f, w->want, buf_span(&structure))) {
		give_remote(f, a, n);
		metadata_end(f, w->want);
	} else {
		/* Its octets come all the same. */
		remote_close(&f->remote);
	}
	buf_free(&structure);
}

static void
fetch(struct fetching *f, const struct wanted *w)
{
	struct session *s = f->s;
	const struct owner o = owner(s);
	const struct caller c = { o.name, s->submitter };
	struct imap_url u;

	out_addc(&s->out, ' ');
	wire_string(&s->out, w->url);
	if (imap_url_parse(&s->arena, w->url, &u) != NULL ||
	    u.token.p == NULL || u.user.p == NULL) {
		nil(f);
		return;
	}
	if (!grant_is_user(&o, u.user, o.name) && s->urlfetch.n > 0) {
		others(f, w);
		return;
	}
	switch (grant_check(&o, clock_now(), &u, &c)) {
	case GRANT_OK:
		own(f, w, &u);
		break;
	case GRANT_LATER:
		session_warn(s, "URLFETCH");
		later(f);
		break;
	default:
		nil(f);
	}
}

/* RFC 5524 5: url-fetch-ext = "(" url-full *(SP url-fetch-param) ")" */
static void
parse_wanted(struct lex *l, struct wanted *w)
{
	static const char *const names[] = { "BODY", "BINARY",
		"BODYPARTSTRUCTURE" };

	w->want = 0;
	if (!lex_next(l, '(')) {
		w->url = lex_astring(l);
		return;
	}
	lex_open(l);
	w->url = lex_astring(l);
	while (lex_try(l, ' ')) {
		size_t i = 0;

		while (i < COUNT(names) && !lex_word(l, names[i]))
			i++;
		if (i == COUNT(names) || w->want & 1u << i)
			lex_fail(l, "No such parameter, or twice");
		w->want |= 1u << i;
	}
	lex_close(l);
	/* RFC 5524 3.1 */
	if ((w->want & WANT_BODY) && (w->want & WANT_BINARY))
		lex_fail(l, "Either BODY or BINARY");
}

/* A response that breaks off in a literal leaves nothing to go on with. */
static enum result
broken(struct session *s)
{
	if (s->out.state == STREAM_OK)
		log_warn("user=%s URLFETCH: cannot be read to its end",
		    s->mail.account.name);
	s->out.state = STREAM_ERROR;
	s->closing = true;
	s->bye = "error";
	return ANSWERED;
}

/* RFC 4467 9, RFC 5524 5: "URLFETCH" 1*(SP url-fetch-arg) */
static enum result
cmd_urlfetch(struct session *s, struct lex *l)
{
	struct fetching f = { .s = s };
	struct wanted *w = NULL;
	size_t n = 0, cap = 0;

	do {
		w = arena_grow(&s->arena, w, &cap, n + 1, sizeof *w);
		lex_space(l);
		parse_wanted(l, &w[n++]);
	} while (lex_next(l, ' '));
	if (!lex_end(l))
		return BAD;

	untagged(s);
	out_adds(&s->out, "URLFETCH");
	for (size_t i = 0; i < n && !f.broken &&
	    s->out.state == STREAM_OK; i++)
		fetch(&f, &w[i]);
	remote_close(&f.remote);
	if (f.broken)
		return broken(s);
	untagged_end(s);
	if (f.later)
		return reply_no(s, "UNAVAILABLE", "Not all can be told now.");
	return reply_ok(s, "Fetched.");
}

/* --- RESETKEY --- */

/* RFC 4467 9: "RESETKEY" [SP mailbox *(SP mechanism)] */
static enum result
cmd_resetkey(struct session *s, struct lex *l)
{
	struct span wire = { NULL, 0 }, name;
	struct mailbox *mb;
	bool internal = true;

	if (lex_try(l, ' '))
		wire = lex_astring(l);
	while (wire.p != NULL && lex_try(l, ' '))
		internal &= span_ieq(lex_atom(l), SPAN("INTERNAL"));
	if (!lex_end(l))
		return BAD;

	if (!internal)
		return reply_no(s, NULL, "The one mechanism is INTERNAL.");
	if (wire.p != NULL && !session_name(s, wire, &name))
		return NO;
	enum store_result r = wire.p == NULL ? urlkey_reset_all(s->store) :
	    mailbox_open(s->store, name, RIGHT_READ | RIGHT_WRITE, &mb);

	if (wire.p != NULL && r == STORE_OK) {
		r = urlkey_reset(mb);
		mailbox_close(mb);
	}
	if (r != STORE_OK)
		return reply_store(s, r);
	/* The tagged OK tells it. */
	if (s->view != NULL)
		urlkey_watch(s->mailbox, &s->key);
	if (wire.p == NULL)
		return reply_ok(s, "All keys are gone.");
	if (s->urlmech)
		buf_adds(&s->code, "URLMECH INTERNAL");
	return reply_ok(s, "The key is another.");
}

const struct cmd cmds_url[] = {
	{ "GENURLAUTH", USER, "URLAUTH", cmd_genurlauth },
	{ "URLFETCH", USER, "URLAUTH", cmd_urlfetch },
	{ "RESETKEY", USER, "URLAUTH", cmd_resetkey },
	{ 0 }
};
