/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "deliver.h"
#include "mime/date.h"
#include "mime/dsn.h"
#include "smtp/inject.h"

/* The recipients whose success is to be told. */
static size_t
owed(const struct session *s, struct dsn_rcpt *to, struct buf *addresses)
{
	size_t n = 0;

	for (size_t i = 0; i < s->targets; i++) {
		const struct smtp_rcpt *c = &s->server.rcpt[i];

		if (!s->delivered[i] || (c->notify & SMTP_SUCCESS) == 0)
			continue;
		smtp_path_canon(&c->to, &addresses[n]);
		to[n] = (struct dsn_rcpt){ .action = DSN_DELIVERED,
			.final = buf_span(&addresses[n]),
			.orcpt_type = c->has_orcpt ? c->orcpt_type : SPAN(""),
			.orcpt = c->orcpt, .status = SPAN("2.0.0") };
		n++;
	}
	return n;
}

static void
build(struct session *s, struct dsn *d, struct spool *to)
{
	struct buf boundary = { 0 }, text = { 0 };

	dsn_begin(d, &boundary, &text);
	buf_add(&text, buf_span(&s->letter.header));
	dsn_end(&boundary, &text);
	spool_add(to, buf_span(&text));
	buf_free(&boundary);
	buf_free(&text);
}

static void
inject(struct session *s, struct dsn *d)
{
	struct spool spool = { .fd = -1 };
	struct smtp_mail from = { .utf8 = s->server.mail.utf8 };
	struct smtp_rcpt to = { .to = s->server.mail.from,
		.notify = SMTP_NEVER };
	struct smtp_reply r = { 0 };
	struct log l;

	if (d->eightbit || from.utf8)
		from.body = SMTP_BODY_8BIT;
	build(s, d, &spool);
	inject_send(&s->control, &from, &to, &spool, &r);
	/* It was delivered all the same, so there is nobody else to tell. */
	log_begin(&l, smtp_reply_class(&r) == 2 ? "notified" :
	    "notice-failed");
	log_kv(&l, "to", d->to);
	log_ku(&l, "code", r.code);
	log_kv(&l, "text", buf_span(&r.text));
	log_end(&l);
	smtp_reply_free(&r);
	spool_free(&spool);
}

void
send_notices(struct session *s)
{
	const struct smtp_mail *m = &s->server.mail;
	struct dsn_rcpt *rcpt = xcalloc(s->targets, sizeof *rcpt);
	struct buf *addresses = xcalloc(s->targets, sizeof *addresses);
	struct buf sender = { 0 };
	struct dsn d = { .me = buf_span(&s->me), .rcpt = rcpt };

	d.rcpts = owed(s, rcpt, addresses);
	/* RFC 3461 4.1: nothing is ever told to the null sender. */
	if (d.rcpts > 0 && m->from.address.n > 0) {
		smtp_path_canon(&m->from, &sender);
		d.to = buf_span(&sender);
		d.has_envid = m->has_envid;
		d.envid = m->envid;
		d.now = d.arrived = clock_now();
		d.zone = date_local_zone(d.now);
		d.eightbit = s->letter.eightbit;
		header_find(buf_span(&s->letter.header), SPAN("Message-ID"),
		    &d.message_id);
		d.message_id = span_trim(d.message_id);
		inject(s, &d);
	}
	for (size_t i = 0; i < s->targets; i++)
		buf_free(&addresses[i]);
	free(addresses);
	free(rcpt);
	buf_free(&sender);
}
