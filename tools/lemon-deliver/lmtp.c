/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "deliver.h"
#include "mime/build.h"
#include "mime/date.h"
#include "net/trace.h"
#include "smtp/inject.h"

/* Recipients of earlier messages that are remembered. */
enum { KNOWN_MAX = 200 };

/* Verb, user and address come first in every line. */
static void
log_start(const struct session *s, struct log *l, const char *verb,
    const char *user)
{
	log_begin(l, verb);
	log_ks(l, "user", user);
	log_ks(l, "rip", peer_shown(&s->peer));
}

static void
mail(void *ctx, const struct smtp_mail *m, struct smtp_reply *r)
{
	struct session *s = ctx;

	(void)m;
	(void)r;
	letter_begin(&s->letter);
}

/* What the user's own limit says of the size that was announced. */
static bool
fits(const struct session *s, const struct target *t)
{
	const struct smtp_mail *m = &s->server.mail;

	return t->databytes == 0 || !m->has_size || m->size <= t->databytes;
}

/* The target of an address that this connection had before. */
static struct target *
known(const struct session *s, struct span address)
{
	for (size_t i = 0; i < s->knowns; i++)
		if (span_eq(buf_span(&s->known[i]->address), address))
			return s->known[i];
	return NULL;
}

/* What the control files say of it holds until the connection ends. */
static struct target *
know(struct session *s, const struct target *t, struct buf *address)
{
	struct target *k = xmalloc(sizeof *k);

	/* Its settings point into its own buffers, whose memory stays where it
	 * is. */
	*k = *t;
	k->address = *address;
	*address = (struct buf){ 0 };
	if (s->knowns == s->known_cap) {
		s->known_cap = s->known_cap * 2 + 8;
		s->known = xrealloc(s->known,
		    s->known_cap * sizeof *s->known);
	}
	return s->known[s->knowns++] = k;
}

static void
forget(struct session *s)
{
	while (s->knowns > 0) {
		target_free(s->known[--s->knowns]);
		free(s->known[s->knowns]);
	}
}

static void
rcpt(void *ctx, const struct smtp_rcpt *c, struct smtp_reply *r)
{
	struct session *s = ctx;
	struct buf address = { 0 };
	struct target new = { 0 }, *t;
	int found = 1;

	smtp_path_canon(&c->to, &address);
	if ((t = known(s, buf_span(&address))) == NULL) {
		t = &new;
		found = target_address(&s->control, buf_span(&address), t);
	}
	if (found == 0) {
		smtp_reply_set(r, 550, "5.1.1", "No such user");
	} else if (found < 0) {
		struct buf why = { 0 };

		account_trouble(&s->control, &why);
		log_warn("%s", buf_cstr(&why));
		buf_free(&why);
		smtp_reply_set(r, 451, "4.3.0",
		    "The accounts cannot be read");
	} else if (!fits(s, t)) {
		smtp_reply_set(r, 552, "5.2.3", "The message is too big");
		target_free(&new);
	} else {
		if (t == &new)
			t = know(s, &new, &address);
		if (s->targets == s->cap) {
			s->cap = s->cap * 2 + 8;
			s->target = xrealloc(s->target,
			    s->cap * sizeof *s->target);
		}
		s->target[s->targets++] = t;
	}
	buf_free(&address);
}

static void
chunk(void *ctx, struct span octets)
{
	struct session *s = ctx;

	letter_add(&s->letter, octets);
}

/* RFC 5321 4.4, RFC 3848 2 */
static void
add_top(const struct session *s, const struct target *t, struct buf *top)
{
	struct build_trace trace = { .helo = buf_span(&s->server.helo),
		.ip = span_str(s->peer.ip), .by = buf_span(&s->me),
		.with = s->server.mail.utf8 ? "UTF8LMTP" : "LMTP",
		.now = clock_now() };
	struct buf sender = { 0 };

	trace.zone = date_local_zone(trace.now);
	if (s->server.mail.from.address.n > 0)
		smtp_path_canon(&s->server.mail.from, &sender);
	build_return_path(top, buf_span(&sender));
	build_delivered_to(top, buf_span(&t->address));
	build_received(top, &trace);
	buf_free(&sender);
}

static void
log_result(const struct session *s, const struct target *t,
    const struct smtp_reply *r, const char *why)
{
	struct log l;

	log_start(s, &l, smtp_reply_class(r) == 2 ? "delivered" :
	    "not-delivered", t->mail.account.name);
	log_kv(&l, "from", s->server.mail.from.address);
	log_kv(&l, "to", buf_span(&t->address));
	log_ku(&l, "size", spool_size(&s->letter.spool));
	log_ku(&l, "code", r->code);
	if (why != NULL && *why != '\0')
		log_ks(&l, "why", why);
	log_end(&l);
}

static void
deliver(struct session *s, const struct target *t, struct smtp_reply *r)
{
	const char *why = NULL;
	struct buf top = { 0 };

	if (s->letter.spool.error != 0) {
		smtp_reply_std(r, SMTP_FULL);
	} else if (t->databytes > 0 &&
	    spool_size(&s->letter.spool) > t->databytes) {
		smtp_reply_set(r, 552, "5.2.3", "The message is too big");
	} else if (letter_loops(&s->letter, buf_span(&t->address))) {
		smtp_reply_set(r, 554, "5.4.6", "This message was here "
		    "before: a loop");
	} else {
		add_top(s, t, &top);
		result_reply(t->own_process ?
		    children_put(&s->children, t, &s->letter, buf_span(&top),
		    &why) :
		    boxes_put(&s->boxes, t, &s->letter, buf_span(&top), &why),
		    r);
	}
	log_result(s, t, r, why);
	buf_free(&top);
}

/* The recipient before i that is the very same one, or i: who is named twice
 * gets one copy. */
static size_t
twin(const struct session *s, size_t i)
{
	size_t k = 0;

	while (k < i && !span_ieq(buf_span(&s->target[k]->address),
	    buf_span(&s->target[i]->address)))
		k++;
	return k;
}

/* RFC 2033 4.2: each recipient has an answer of its own. */
static void
end(void *ctx, struct smtp_reply *r, size_t n)
{
	struct session *s = ctx;

	s->delivered = xcalloc(n, sizeof *s->delivered);
	for (size_t i = 0; i < n; i++) {
		size_t first = twin(s, i);

		if (first < i)
			smtp_reply_copy(&r[i], &r[first]);
		else
			deliver(s, s->target[i], &r[i]);
		s->delivered[i] = smtp_reply_class(&r[i]) == 2;
	}
}

/* What was put is committed together with what comes next, if that comes at
 * once and nobody is waiting to hear of it. */
static void
settle(struct session *s)
{
	if (s->boxes.owed > 0 && (boxes_are_due(&s->boxes) ||
	    in_wait(&s->in, NULL, 0, BOXES_PAUSE_MS) == 0))
		boxes_settle(&s->boxes);
}

/* The client gets its answers first; what is left to do then disturbs
 * nobody. */
static void
reset(void *ctx)
{
	struct session *s = ctx;

	if (s->delivered != NULL) {
		out_flush(&s->out);
		settle(s);
		send_notices(s);
	}
	s->targets = 0;
	if (s->knowns >= KNOWN_MAX)
		forget(s);
	free(s->delivered);
	s->delivered = NULL;
	letter_begin(&s->letter);
}

static void
refused(void *ctx, struct span command, const struct smtp_reply *r)
{
	struct session *s = ctx;
	struct log l;

	log_start(s, &l, "refused", "-");
	log_ku(&l, "code", r->code);
	log_ks(&l, "status", r->status);
	log_kv(&l, "command", command);
	log_end(&l);
}

static const struct smtp_host host = {
	.mail = mail, .rcpt = rcpt, .chunk = chunk, .end = end,
	.reset = reset, .refused = refused,
};

static void
session_open(struct session *s)
{
	struct smtp_server *v = &s->server;

	s->started = clock_ms();
	control_init(&s->control);
	peer_find(&s->peer);
	stream_open(&s->in, &s->out, 0, 1);
	s->in.trace = s->out.trace = trace_open(getenv("LEMON_TRACE"));
	inject_me(&s->control, &s->me);
	letter_begin(&s->letter);
	*v = (struct smtp_server){ .in = &s->in, .out = &s->out,
		.host = &host, .ctx = s, .name = buf_cstr(&s->me),
		.lmtp = true, .allow = SMTP_PATH_BARE,
		.features = SMTP_PIPELINING | SMTP_SIZE | SMTP_8BITMIME |
		SMTP_ENHANCED | SMTP_CHUNKING | SMTP_BINARYMIME | SMTP_UTF8 };
	/* RFC 3461 5.2.2: who offers DSN owes notices of success. */
	if (inject_available(&s->control))
		v->features |= SMTP_DSN;
	smtp_server_limits(v, &s->control);
}

static void
session_close(struct session *s, enum smtp_bye bye)
{
	struct log l;

	log_start(s, &l, "bye", "-");
	smtp_server_log(&s->server, &l, bye, s->started);
	log_end(&l);
	smtp_server_free(&s->server);
	boxes_close(&s->boxes);
	children_end(&s->children);
	letter_free(&s->letter);
	trace_close(s->in.trace);
	stream_free(&s->in, &s->out);
	forget(s);
	free(s->known);
	free(s->target);
	buf_free(&s->me);
}

int
lmtp(void)
{
	struct session s = { 0 };

	/* Where the super-server left the connection open once more, who
	 * delivers for us would have it. */
	closefrom(3);
	session_open(&s);
	session_close(&s, smtp_server_run(&s.server));
	return EXIT_OK;
}
