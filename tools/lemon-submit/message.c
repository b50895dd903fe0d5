/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/log.h"
#include "lower.h"
#include "mime/addr.h"
#include "submit.h"

enum { HOPS_MAX = 100 };	/* RFC 5321 6.3: 100 at least */

void
submit_begin(void *ctx, struct smtp_reply *r)
{
	struct submit *s = ctx;

	(void)r;
	complete_begin(&s->letter);
}

void
submit_chunk(void *ctx, struct span octets)
{
	struct submit *s = ctx;

	complete_feed(&s->letter, octets);
}

void
submit_reset(void *ctx)
{
	struct submit *s = ctx;

	hop_reset(&s->remote);
	hop_reset(&s->local);
	burl_reset(&s->burl);
	complete_begin(&s->letter);
	spool_free(&s->seven);
	s->lowered = false;
}

/* Whether every mailbox of a field is the user's own, and there is one.
 * What another reader may take for another list is refused. */
static bool
own(const struct submit *s, struct span value)
{
	struct addr_list list = { .rest = value };
	struct buf mailbox = { 0 };
	struct addr a;
	bool good = true, any = false;

	while (good && addr_next(&list, &a)) {
		if (a.kind != ADDR_MAILBOX)
			continue;
		buf_clear(&mailbox);
		addr_add(&mailbox, a.local, a.domain);
		any = true;
		good = submit_owns(s, buf_span(&mailbox));
	}
	bool odd = list.odd;

	addr_list_free(&list);
	buf_free(&mailbox);
	return good && any && !odd;
}

/* Whether all of it is in the spool; else *r says why not. */
static bool
stored(const struct spool *l, struct smtp_reply *r)
{
	if (l->error == ENOSPC || l->error == EDQUOT || l->error == EFBIG)
		smtp_reply_std(r, SMTP_FULL);
	else if (l->error != 0)
		smtp_reply_std(r, SMTP_LATER);
	return l->error == 0;
}

/* Whether the message may go (RFC 6409 6.1, 8.1); else *r says why not. */
static bool
acceptable(struct submit *s, struct smtp_reply *r)
{
	const struct complete *c = &s->letter;

	switch (complete_check(c, (unsigned)control_num(&s->control,
	    "hopmax", HOPS_MAX, 1, 10000))) {
	case COMPLETE_LOOP:
		smtp_reply_set(r, 554, "5.4.6", "Too many hops");
		return false;
	case COMPLETE_NO_FROM:
		smtp_reply_set(r, 554, "5.6.0", "There is no From field");
		return false;
	case COMPLETE_TWO_FROM:
		smtp_reply_set(r, 554, "5.6.0",
		    "There is more than one From or Sender field");
		return false;
	case COMPLETE_TOO_LONG:
		smtp_reply_set(r, 554, "5.6.0",
		    "The From, Sender or Message-ID field is too long");
		return false;
	case COMPLETE_OK:
		break;
	}
	if (!stored(&c->spool, r))
		return false;
	if (own(s, buf_span(&c->from)) &&
	    (c->senders == 0 || own(s, buf_span(&c->sender))))
		return true;
	smtp_reply_set(r, 550, "5.7.1",
	    "The From or Sender field is not an address of yours, or"
	    " cannot be read for sure");
	return false;
}

/* Write the spool anew for a hop that takes lines of 7 bits, or of 8.
 * False: *r says why not.  *to stays empty where nothing has to change. */
static bool
lowered(struct spool *from, uint64_t *header, bool eightbit,
    struct spool *to, struct smtp_reply *r)
{
	switch (lower(from, header, eightbit, to)) {
	case TRANSPORT_BARE:
		smtp_reply_std(r, SMTP_BARE);
		return false;
	case TRANSPORT_CANNOT:
		smtp_reply_set(r, 554, "5.6.3", eightbit ?
		    "It has binary data in a part that must not change" :
		    "The next hop takes 7-bit text only, and not all of it"
		    " can be converted");
		return false;
	case TRANSPORT_FITS:
	case TRANSPORT_RECODE:
		break;
	}
	return stored(from, r) && stored(to, r);
}

/* No hop is sent binary data (RFC 3030 3): from here on it is lines. */
static bool
made_lines(struct submit *s, struct smtp_reply *r)
{
	struct complete *c = &s->letter;
	struct spool lines = { .fd = -1 };
	uint64_t header = c->header;

	if (!c->body.binary && !c->head.binary &&
	    s->server.mail.body != SMTP_BODY_BINARY)
		return true;
	if (!lowered(&c->spool, &header, true, &lines, r)) {
		spool_free(&lines);
		return false;
	}
	if (spool_size(&lines) == 0)
		return true;
	spool_free(&c->spool);
	c->spool = lines;
	c->header = header;
	return true;
}

/* What the hop can carry, of 8BITMIME and SMTPUTF8. */
static unsigned
can(const struct hop *h)
{
	return h->way.way == INJECT_QUEUE ? SMTP_8BITMIME : h->offered;
}

/* Whether the hop can carry what the message turned out to hold, as it is
 * or converted. */
static bool
carries(struct submit *s, const struct hop *h, struct smtp_reply *r)
{
	struct complete *c = &s->letter;
	bool high = c->head.high > 0;
	uint64_t header = c->header;

	if (h->rcpts == 0)
		return true;
	if (high && s->server.mail.utf8 && !(can(h) & SMTP_UTF8)) {
		/* RFC 6531 3.6, RFC 3463 X.6.9 by RFC 6531 */
		smtp_reply_set(r, 554, "5.6.9",
		    "The next hop does not take UTF-8 in headers");
		return false;
	}
	if (can(h) & SMTP_8BITMIME || (!high && c->body.high == 0) ||
	    s->lowered)
		return true;
	s->lowered = true;	/* RFC 6152 3 */
	return lowered(&c->spool, &header, false, &s->seven, r);
}

/* What became of each recipient. */
struct outcome {
	struct smtp_reply *r;
	bool *relayed;		/* taken by a hop that knows no DSN */
	size_t accepted;
};

static void
send_by(struct submit *s, struct hop *h, struct letter *l,
    struct outcome *o)
{
	struct smtp_mail sender = submit_sender(s);
	struct letter mine = *l;
	struct smtp_reply *r;
	bool dsn = h->way.way != INJECT_QUEUE && h->offered & SMTP_DSN;

	if (h->rcpts == 0)
		return;
	r = xcalloc(h->rcpts, sizeof *r);
	if (!(can(h) & SMTP_8BITMIME) && spool_size(&s->seven) > 0)
		mine.spool = &s->seven;
	hop_send(h, &sender, &mine, r);
	for (size_t i = 0; i < h->rcpts; i++) {
		bool good = smtp_reply_class(&r[i]) == 2;

		if (r[i].code == 421)
			smtp_reply_set(&r[i], 451, "4.4.2",
			    "The next hop left");
		smtp_reply_copy(&o->r[h->index[i]], &r[i]);
		o->relayed[h->index[i]] = good && !dsn;
		o->accepted += good;
		smtp_reply_free(&r[i]);
	}
	free(r);
}

/* Nobody took it: say what the client can act on.  "Later" wins, for then
 * it may yet arrive everywhere. */
static void
answer_none(const struct outcome *o, size_t n, struct smtp_reply *r)
{
	size_t worst = 0;

	for (size_t i = 0; i < n; i++)
		if (smtp_reply_class(&o->r[i]) == 4) {
			worst = i;
			break;
		}
	smtp_reply_copy(r, &o->r[worst]);
}

static void
log_message(const struct submit *s, const struct outcome *o,
    const struct smtp_reply *r)
{
	struct buf from = { 0 };
	struct log l;

	smtp_path_canon(&s->server.mail.from, &from);
	log_begin(&l, "submit");
	log_ks(&l, "user", s->mail.account.name);
	log_ks(&l, "rip", peer_shown(&s->peer));
	log_kv(&l, "from", buf_span(&from));
	log_ku(&l, "size", spool_size(&s->letter.spool));
	log_ku(&l, "rcpts", s->server.rcpts);
	log_ku(&l, "local", s->local.rcpts);
	log_ku(&l, "remote", s->remote.rcpts);
	log_ku(&l, "accepted", o->accepted);
	log_ku(&l, "code", r->code);
	log_ks(&l, "status", r->status);
	log_end(&l);
	buf_free(&from);
}

/* First everyone else by the relay, then our own users, each durable before
 * the next; what then is still undelivered is reported to the sender, and
 * only when that report is stored is the message ours no more. */
static void
deliver(struct submit *s, struct smtp_reply *r)
{
	size_t n = s->server.rcpts;
	struct buf top = { 0 };
	struct letter l = { .spool = &s->letter.spool };
	struct outcome o = { .r = xcalloc(n, sizeof *o.r),
		.relayed = xcalloc(n, sizeof *o.relayed) };

	submit_top(s, &top);
	l.top = buf_span(&top);
	send_by(s, &s->remote, &l, &o);
	/* While nobody has it, the whole can be refused without harm. */
	if (s->remote.rcpts == 0 || o.accepted > 0)
		send_by(s, &s->local, &l, &o);
	for (size_t i = 0; i < n; i++)
		if (o.r[i].code == 0)
			smtp_reply_copy(&o.r[i], &o.r[s->remote.index[0]]);
	if (o.accepted == 0)
		answer_none(&o, n, r);
	else
		submit_notices(s, l.top, o.r, o.relayed, r);
	log_message(s, &o, r);
	for (size_t i = 0; i < n; i++)
		smtp_reply_free(&o.r[i]);
	free(o.r);
	free(o.relayed);
	buf_free(&top);
}

void
submit_end(void *ctx, struct smtp_reply *r, size_t n)
{
	struct submit *s = ctx;

	(void)n;
	complete_end(&s->letter);
	if (acceptable(s, r) && made_lines(s, r) &&
	    carries(s, &s->remote, r) && carries(s, &s->local, r))
		deliver(s, r);
}
