/* SPDX-License-Identifier: ISC */
#include "submit.h"

bool
submit_owns(const struct submit *s, struct span canonical)
{
	return account_owns(&s->control, &s->mail.account, canonical);
}

void
submit_mail(void *ctx, const struct smtp_mail *m, struct smtp_reply *r)
{
	struct submit *s = ctx;
	struct buf from = { 0 };

	/* <> is for notices, which users' programs send too (RFC 8098 2);
	 * their header is checked as any other. */
	smtp_path_canon(&m->from, &from);
	if (from.n > 0 && !submit_owns(s, buf_span(&from)))
		smtp_reply_set(r, 553, "5.7.1", "Not an address of yours");
	buf_free(&from);
}

/* RFC 4954 5: for whom we cannot vouch the author is unknown. */
struct smtp_mail
submit_sender(const struct submit *s)
{
	struct smtp_mail m = s->server.mail;
	struct smtp_path author;
	struct buf b = { 0 };

	if (m.auth.n > 0 && smtp_mailbox_parse(m.auth, SMTP_PATH_BARE |
	    SMTP_PATH_UTF8, &author) == SMTP_PATH_OK)
		smtp_path_canon(&author, &b);
	if (b.n == 0 || !submit_owns(s, buf_span(&b)))
		m.auth.n = 0;
	buf_free(&b);
	return m;
}

/* Find the hop's way out.  False: *r says why there is none. */
static bool
way_out(struct submit *s, struct hop *h, bool local, struct smtp_reply *r)
{
	const char *why = NULL;

	if (!h->ready && (local ? inject_local(&s->control, &h->way, &why) :
	    inject_remote(&s->control, &h->way, &why)) != 0) {
		smtp_reply_set(r, 451, "4.3.5", why);
		return false;
	}
	h->ready = true;
	if (h->way.way != INJECT_NONE)
		return true;
	if (local)
		smtp_reply_set(r, 451, "4.3.5",
		    "There is no way to local mailboxes: no lmtp-socket");
	else	/* RFC 3463 X.4.4 */
		smtp_reply_set(r, 550, "5.4.4",
		    "Mail is taken for local addresses only");
	return false;
}

void
submit_rcpt(void *ctx, const struct smtp_rcpt *c, struct smtp_reply *r)
{
	struct submit *s = ctx;
	struct account a = { 0 };
	struct span detail;
	struct buf to = { 0 };
	struct smtp_mail sender;
	struct hop *h;
	int found;

	smtp_path_canon(&c->to, &to);
	found = account_of_address(&s->control, buf_span(&to), &a, &detail);
	account_free(&a);
	buf_free(&to);
	if (found < 0) {
		smtp_reply_std(r, SMTP_LATER);
		return;
	}
	if (found == 0 && (c->to.domain.n == 0 ||
	    control_listed(&s->control, "locals", c->to.domain))) {
		smtp_reply_set(r, 550, "5.1.1", "Nobody has that address");
		return;
	}
	h = found > 0 ? &s->local : &s->remote;
	if (!way_out(s, h, found > 0, r))
		return;
	sender = submit_sender(s);
	hop_rcpt(h, &s->server.arena, &sender, c, s->server.rcpts, r);
	if (r->code == 421)	/* it left; we do not */
		smtp_reply_set(r, 451, "4.4.2", "The next hop left");
}
