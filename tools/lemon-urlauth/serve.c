/* SPDX-License-Identifier: ISC */
/* What URLs of any owner name, for our other servers (url/remote.h). */
#include "serve.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "keeper.h"
#include "net/peer.h"

enum {
	REQUEST_MS = 30 * 1000,		/* for all of a request, once begun */
	ANSWER_MS = 25 * 1000		/* for a keeper to begin, or go on */
};

struct serving {
	struct control control;
	struct peer peer;
	struct in in;
	struct out out;
	struct arena arena;	/* of one request */
	struct keepers keepers;
	bool believed;		/* whatever the peer says of the caller */
	uid_t uid;		/* else: whose peer it is */
	int64_t idle_ms, started;
	uint64_t requests;
};

static void
log_refused(const struct remote_request *q, struct span owner,
    const char *why)
{
	struct span user = q->caller.user;
	struct log l;

	log_begin(&l, "refused");
	log_kv(&l, "user", user.p != NULL ? user : SPAN("-"));
	log_ks(&l, "rip", "local");
	log_kv(&l, "owner", owner);
	log_ks(&l, "why", why);
	log_end(&l);
}

/* --- who asks --- */

/* Whose the accounts are reads all their verifiers, and so speaks for them. */
static bool
has_accounts(const struct control *c, uid_t uid)
{
	struct buf path = { 0 };
	struct stat st;

	buf_adds(&path, c->dir);
	buf_adds(&path, "/users");
	bool yes = stat(buf_cstr(&path), &st) == 0 && st.st_uid == uid;

	buf_free(&path);
	return yes;
}

/* In an owner's process: nothing of what others were asked and gave. */
static void
forget(void *ctx)
{
	struct serving *s = ctx;

	stream_wipe(&s->in, &s->out);
	for (size_t i = 0; i < KEEPERS_MAX; i++)
		stream_wipe(&s->keepers.keeper[i].line.in,
		    &s->keepers.keeper[i].line.out);
	arena_wipe(&s->arena);
}

/* A pipe is whoever started us. */
static void
meet(struct serving *s)
{
	struct ucred who;
	socklen_t n = sizeof who;

	peer_find(&s->peer);
	if (s->peer.network && !s->peer.unix_socket)
		die_temp("only a UNIX socket is safe here");
	if (getsockopt(0, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0) {
		s->believed = errno == ENOTSOCK;
		s->uid = (uid_t)-1;
		return;
	}
	s->uid = who.uid;
	s->believed = who.uid == 0 || who.uid == geteuid() ||
	    has_accounts(&s->control, who.uid);
}

/* A session that runs as a user of the system is that user's, whatever it
 * says, and so is what that user runs. */
static bool
believe(const struct serving *s, struct remote_request *q)
{
	struct account a = { 0 };

	if (s->believed || q->caller.user.p == NULL)
		return true;
	bool good = account_find(&s->control, q->caller.user, &a) == 1 &&
	    span_eq(span_str(a.name), q->caller.user) &&
	    a.uid != (uid_t)-1 && a.uid == s->uid;

	account_free(&a);
	q->caller.submitter = good && q->caller.submitter &&
	    control_listed(&s->control, "submitters", q->caller.user);
	return good;
}

/* --- whose mail --- */

/* The owner that a URL names: 1, 0, or -1 if that cannot be told now. */
static int
find_owner(const struct serving *s, struct span user, struct mail *m)
{
	struct buf locals = { 0 };
	int r = account_find(&s->control, user, &m->account);

	control_list(&s->control, "locals", &locals);
	const struct owner o = { .locals = buf_span(&locals) };

	/* An app password's label, say, is not part of a name. */
	if (r == 1 && !grant_is_user(&o, user, span_str(m->account.name)))
		r = 0;
	if (r != 1)
		account_free(&m->account);
	buf_free(&locals);
	return r;
}

/* The caller's own mail, to do the same work with for an owner that is none:
 * the time that it takes must not tell. */
static int
find_other(const struct serving *s, const struct remote_request *q,
    struct mail *m)
{
	int r = q->caller.user.p == NULL ? 0 :
	    account_find(&s->control, q->caller.user, &m->account);

	if (r != 1)
		account_free(&m->account);
	return r;
}

/* The keeper of that owner; NULL: *a is the answer. */
static struct keeper *
keeper_of(struct serving *s, const struct remote_request *q,
    struct span user, enum remote_result *a)
{
	struct keeper *k = keeper_find(&s->keepers, user);
	struct mail m = { 0 };
	struct kept kept = { .name = user, .mail = &m };

	if (k != NULL)
		return k;
	int r = find_owner(s, user, &m);

	if (r == 0) {
		kept.nobody = true;
		r = find_other(s, q, &m);
	}
	if (r == 1) {
		mail_settle(&s->control, &m);
		k = keeper_start(&s->keepers, &s->control, &kept);
	}
	if (k == NULL) {
		*a = r == 0 ? REMOTE_INVALID : REMOTE_LATER;
		log_refused(q, user, r == 0 ? "no such owner" :
		    strerror(errno));
	}
	mail_free(&m);
	return k;
}

/* --- answering --- */

static void
pass(void *arg, struct span octets)
{
	out_add(arg, octets);
}

/* What the keeper says; false if that broke off. */
static bool
relay(struct serving *s, struct keeper *k, const struct remote_request *q)
{
	struct buf structure = { 0 };
	uint64_t n;
	bool whole = true;

	remote_ask(&k->line, q);
	enum remote_result a = remote_answer(&k->line, ANSWER_MS, &structure,
	    &n);

	remote_give(&s->out, a, buf_span(&structure), n);
	if (a <= REMOTE_NUL) {
		whole = remote_read(&k->line, pass, &s->out) == 0;
		if (whole)
			remote_end(&s->out);
	}
	if (a == REMOTE_LATER || !whole)
		keeper_kill(k);
	buf_wipe(&structure);
	buf_free(&structure);
	return whole;
}

/* Which owner a URL names is read here; all else where it is safe. */
static bool
answer(struct serving *s, struct remote_request *q)
{
	enum remote_result a = REMOTE_INVALID;
	struct keeper *k = NULL;
	struct imap_url u;
	const char *why = imap_url_parse(&s->arena, q->url, &u);

	if (why == NULL && (u.user.n == 0 || u.token.p == NULL))
		why = grant_text(GRANT_SYNTAX);
	if (why == NULL && !believe(s, q))
		why = "the caller is somebody else";
	if (why != NULL)
		log_refused(q, u.user, why);
	else
		k = keeper_of(s, q, u.user, &a);
	if (k != NULL)
		return relay(s, k, q);
	remote_give(&s->out, a, SPAN(""), 0);
	return true;
}

/* A word for the log: why no request comes any more. */
static const char *
requests(struct serving *s)
{
	struct remote_request q;

	for (;;) {
		s->in.deadline = 0;
		if (!in_ready(&s->in) &&
		    in_wait(&s->in, NULL, 0, s->idle_ms) == 0)
			return "timeout";
		s->in.deadline = clock_ms() + REQUEST_MS;
		int r = remote_take(&s->in, &s->arena, &q);

		if (r != 1)
			return r == 0 ? "eof" :
			    s->in.state == STREAM_TIMEOUT ? "timeout" :
			    "protocol";
		s->requests++;
		if (!answer(s, &q) || s->out.state != STREAM_OK)
			return "error";
		arena_reset(&s->arena);
	}
}

static void
log_bye(const struct serving *s, const char *why)
{
	struct log l;

	log_begin(&l, "bye");
	log_ks(&l, "user", "-");
	log_ks(&l, "rip", "local");
	log_ks(&l, "why", why);
	log_ku(&l, "requests", s->requests);
	log_ku(&l, "in", s->in.total);
	log_ku(&l, "out", s->out.total);
	log_ku(&l, "wall_ms", (uint64_t)(clock_ms() - s->started));
	log_end(&l);
}

int
serve(void)
{
	static struct serving s;

	s.started = clock_ms();
	control_init(&s.control);
	s.idle_ms = (int64_t)control_num(&s.control, "timeout", 300, 1,
	    86400) * 1000;
	meet(&s);
	s.keepers.forget = forget;
	s.keepers.ctx = &s;
	stream_open(&s.in, &s.out, 0, 1);
	log_bye(&s, requests(&s));
	/* What broke off ends without a comma, and what is whole is sent. */
	out_flush(&s.out);
	keepers_end(&s.keepers);
	stream_free(&s.in, &s.out);
	arena_free(&s.arena);
	return EXIT_OK;
}
