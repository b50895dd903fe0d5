/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "mime/date.h"
#include "mime/dsn.h"
#include "submit.h"

/* RFC 3461 4.3 lets us return less than all of a big message. */
enum { FULL_MAX = 256 * 1024 };

/* A notice in the making. */
struct notice {
	struct submit *s;
	struct dsn dsn;
	struct dsn_rcpt *rcpt;	/* [dsn.rcpts] */
	struct buf *text;	/* what they point to: address, diagnostic */
	struct spool spool;
};

static void
add(struct notice *n, size_t i, enum dsn_action action,
    const struct smtp_reply *r)
{
	const struct smtp_rcpt *c = &n->s->server.rcpt[i];
	struct buf *to = &n->text[2 * n->dsn.rcpts], *said = to + 1;
	struct span text = buf_span(&r->text);
	struct dsn_rcpt *d = &n->rcpt[n->dsn.rcpts++];
	bool remote = false;

	for (size_t k = 0; k < n->s->remote.rcpts; k++)
		remote |= n->s->remote.index[k] == i;
	smtp_path_canon(&c->to, to);
	buf_addf(said, "%u %s ", r->code, r->status);
	buf_add(said, span_head(text, span_chr(text, '\n')));
	*d = (struct dsn_rcpt){ .action = action, .final = buf_span(to),
	    .orcpt_type = c->orcpt_type, .orcpt = c->orcpt,
	    .status = span_str(r->status), .diagnostic = buf_span(said) };
	if (remote && n->s->remote.way.way == INJECT_RELAY) {
		d->remote = n->s->remote.way.opts.where;
		d->remote = span_head(d->remote, span_rchr(d->remote, ':'));
	}
}

static void
spooled(void *ctx, struct span octets)
{
	spool_add(ctx, octets);
}

/* Write the report to n->spool. */
static void
compose(struct notice *n, struct span top)
{
	struct complete *c = &n->s->letter;
	const struct smtp_mail *m = &n->s->server.mail;
	struct buf boundary = { 0 }, b = { 0 }, from = { 0 }, id = { 0 };
	uint64_t all = spool_size(&c->spool);
	struct dsn *d = &n->dsn;

	smtp_path_canon(&m->from, &from);
	buf_add(&id, span_trim(buf_span(&c->message_id)));
	d->me = buf_span(&n->s->me);
	d->to = buf_span(&from);
	d->has_envid = m->has_envid;
	d->envid = m->envid;
	if (id.n < 256 && span_chr(buf_span(&id), '\n') == id.n)
		d->message_id = buf_span(&id);
	d->now = d->arrived = clock_now();
	d->zone = date_local_zone(d->now);
	d->rcpt = n->rcpt;
	d->full = all <= FULL_MAX &&
	    dsn_wants_full(d, m->ret == SMTP_RET_FULL);
	d->eightbit = c->head.high > 0 || (d->full && c->body.high > 0);
	dsn_begin(d, &boundary, &b);
	buf_add(&b, top);
	spool_add(&n->spool, buf_span(&b));
	if (spool_read(&c->spool, 0, d->full ? all : c->header, spooled,
	    &n->spool) != 0)
		n->spool.error = c->spool.error;
	buf_clear(&b);
	dsn_end(&boundary, &b);
	spool_add(&n->spool, buf_span(&b));
	buf_free(&boundary);
	buf_free(&b);
	buf_free(&from);
	buf_free(&id);
}

static void
log_notice(const struct notice *n, const struct smtp_reply *r)
{
	struct log l;

	log_begin(&l, "notice");
	log_ks(&l, "user", n->s->mail.account.name);
	log_ks(&l, "rip", peer_shown(&n->s->peer));
	log_ks(&l, "action", n->rcpt[0].action == DSN_FAILED ? "failed" :
	    "relayed");
	log_ku(&l, "rcpts", n->dsn.rcpts);
	log_ku(&l, "code", r->code);
	log_kv(&l, "text", buf_span(&r->text));
	log_end(&l);
}

/* Send it to the sender; true once it is stored. */
static bool
post(struct notice *n, struct span top)
{
	const struct complete *c = &n->s->letter;
	struct smtp_mail mail = { .from = { .address = { "", 0 } } };
	struct smtp_rcpt to = { .to = n->s->server.mail.from };
	struct smtp_reply r = { 0 };
	bool stored;

	compose(n, top);
	mail.utf8 = to.to.utf8 || (c->head.high > 0 &&
	    n->s->server.mail.utf8);
	for (size_t i = 0; i < n->dsn.rcpts; i++)
		for (size_t k = 0; k < n->rcpt[i].final.n; k++)
			mail.utf8 |= (unsigned char)n->rcpt[i].final.p[k] >=
			    0x80;
	if (n->dsn.eightbit || mail.utf8)
		mail.body = SMTP_BODY_8BIT;
	if (n->spool.error != 0)
		smtp_reply_std(&r, SMTP_LATER);
	else
		inject_send(&n->s->control, &mail, &to, &n->spool, &r);
	log_notice(n, &r);
	stored = smtp_reply_class(&r) == 2;
	smtp_reply_free(&r);
	return stored;
}

static void
begin(struct notice *n, struct submit *s)
{
	size_t rcpts = s->server.rcpts;

	*n = (struct notice){ .s = s, .spool = { .fd = -1 },
	    .rcpt = xcalloc(rcpts, sizeof *n->rcpt),
	    .text = xcalloc(2 * rcpts, sizeof *n->text) };
}

static void
end(struct notice *n)
{
	for (size_t i = 0; i < 2 * n->s->server.rcpts; i++)
		buf_free(&n->text[i]);
	free(n->text);
	free(n->rcpt);
	spool_free(&n->spool);
}

/* RFC 3461 5.2.2 (b), 5.2.4 (b).  The message is on its way and stays so,
 * whether this succeeds or not. */
static void
tell_relayed(struct submit *s, struct span top, const struct smtp_reply *r,
    const bool *relayed)
{
	struct notice n;

	begin(&n, s);
	for (size_t i = 0; i < s->server.rcpts; i++)
		if (relayed[i] && s->server.rcpt[i].notify & SMTP_SUCCESS)
			add(&n, i, DSN_RELAYED, &r[i]);
	if (n.dsn.rcpts > 0)
		post(&n, top);
	end(&n);
}

/* What failed after something else was accepted cannot be refused any more
 * and is reported.  Where that is not possible the client hears of it: it
 * keeps the message, and a duplicate is better than a loss. */
static bool
tell_failed(struct submit *s, struct span top, const struct smtp_reply *r,
    struct smtp_reply *why)
{
	struct notice n;
	bool good = true;

	begin(&n, s);
	for (size_t i = 0; i < s->server.rcpts && good; i++) {
		unsigned notify = s->server.rcpt[i].notify;
		bool wanted = notify == 0 || notify & SMTP_FAILURE;

		if (smtp_reply_class(&r[i]) == 2)
			continue;
		if (s->server.mail.from.address.n == 0 ||
		    (!wanted && smtp_reply_class(&r[i]) == 4)) {
			/* RFC 3461 4.1, RFC 5321 4.5.5: no notice; and who
			 * wants none did not ask to have it dropped. */
			smtp_reply_copy(why, &r[i]);
			good = false;
		} else if (wanted) {
			add(&n, i, DSN_FAILED, &r[i]);
		}
	}
	if (good && n.dsn.rcpts > 0 && !post(&n, top)) {
		smtp_reply_set(why, 451, "4.3.0",
		    "Not everyone could be reached, and no notice of it"
		    " can be stored");
		good = false;
	}
	end(&n);
	return good;
}

bool
submit_notices(struct submit *s, struct span top,
    const struct smtp_reply *r, const bool *relayed, struct smtp_reply *why)
{
	if (!tell_failed(s, top, r, why))
		return false;
	if (s->server.mail.from.address.n > 0)
		tell_relayed(s, top, r, relayed);
	return true;
}
