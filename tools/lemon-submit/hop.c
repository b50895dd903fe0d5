/* SPDX-License-Identifier: ISC */
#include "hop.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/die.h"

enum { QUEUE_MS = 9 * 60 * 1000 };

/* MAIL as we pass it on.  Whatever was announced, 8-bit text may come, as
 * from many programs, and saying so is never wrong (RFC 6152 3). */
static struct smtp_mail
onward(const struct hop *h, const struct smtp_mail *m)
{
	struct smtp_mail mine = *m;

	mine.body = SMTP_BODY_8BIT;
	/* RFC 4954 5: to a server which knows us only. */
	mine.has_auth = m->has_auth && h->way.opts.user.p != NULL;
	return mine;
}

static bool
connected(struct hop *h, struct smtp_reply *r)
{
	if (h->open && !h->client.lost)
		return true;
	if (h->open)
		smtp_client_abort(&h->client);
	/* Waiting once for a host that is down is enough. */
	if (h->down.code != 0) {
		smtp_reply_copy(r, &h->down);
		h->open = false;
		return false;
	}
	h->open = smtp_client_open(&h->client, &h->way.opts, r) == 0;
	if (h->open)
		h->offered = h->client.offered;
	else
		smtp_reply_copy(&h->down, r);
	return h->open;
}

/* What the hop cannot carry (RFC 6531 3.5, RFC 1870 6.1). */
static bool
fits(const struct hop *h, const struct smtp_mail *m,
    const struct smtp_rcpt *c, struct smtp_reply *r)
{
	bool utf8 = h->offered & SMTP_UTF8;

	if (!utf8 && m->from.utf8)
		smtp_reply_set(r, 550, "5.6.7",
		    "The next hop does not take your address");
	else if (!utf8 && c->to.utf8)
		smtp_reply_set(r, 553, "5.6.7",
		    "The next hop does not take that address");
	else if (m->has_size && h->client.size_max > 0 &&
	    m->size > h->client.size_max)
		smtp_reply_std(r, SMTP_TOO_BIG);
	else
		return true;
	return false;
}

/* Tell a fresh connection of all recipients so far and of c (unless NULL).
 * True if each of them is accepted. */
static bool
retell(struct hop *h, const struct smtp_mail *m, const struct smtp_rcpt *c,
    struct smtp_reply *last)
{
	size_t n = h->rcpts + (c != NULL), accepted;
	const struct smtp_rcpt **all = xcalloc(n, sizeof *all);
	struct smtp_reply *r = xcalloc(n, sizeof *r);
	struct smtp_mail mine = onward(h, m);

	for (size_t i = 0; i < n; i++)
		all[i] = i < h->rcpts ? h->rcpt[i] : c;
	accepted = smtp_client_envelope(&h->client, &mine, all, r, n);
	smtp_reply_copy(last, &r[n - 1]);
	/* Who was accepted before and is not now: the answer is theirs. */
	for (size_t i = 0; i < h->rcpts && accepted < n; i++)
		if (smtp_reply_class(&r[i]) != 2) {
			smtp_reply_copy(last, &r[i]);
			break;
		}
	for (size_t i = 0; i < n; i++)
		smtp_reply_free(&r[i]);
	free(r);
	free(all);
	return accepted == n;
}

static void
hang_up(struct hop *h)
{
	if (h->open)
		smtp_client_close(&h->client);
	h->open = false;
}

void
hop_rcpt(struct hop *h, struct arena *a, const struct smtp_mail *m,
    const struct smtp_rcpt *c, size_t index, struct smtp_reply *r)
{
	struct smtp_rcpt *mine;

	if (h->way.way != INJECT_QUEUE) {
		if (!connected(h, r) || !fits(h, m, c, r))
			return;
		if (h->client.in_mail)
			smtp_client_rcpt(&h->client, c, r);
		if (h->client.lost && !connected(h, r))
			return;
		/* Who was accepted before must still be. */
		if (!h->client.in_mail && !retell(h, m, c, r) &&
		    h->rcpts > 0)
			hang_up(h);
	} else if (m->from.utf8 || c->to.utf8) {
		smtp_reply_set(r, 553, "5.6.7",
		    "The next hop does not take such addresses");
	}
	if (smtp_reply_class(r) != 2)
		return;
	mine = arena_alloc(a, sizeof *mine);
	*mine = *c;
	h->rcpt = arena_grow(a, h->rcpt, &h->cap, h->rcpts + 1,
	    sizeof *h->rcpt);
	h->index = arena_grow(a, h->index, &h->index_cap, h->rcpts + 1,
	    sizeof *h->index);
	h->rcpt[h->rcpts] = mine;
	h->index[h->rcpts++] = index;
}

static void
queue(struct hop *h, const struct smtp_mail *m, struct letter *l,
    struct smtp_reply *r)
{
	struct buf *text = xcalloc(h->rcpts, sizeof *text), from = { 0 };
	struct span *to = xcalloc(h->rcpts, sizeof *to);
	struct queue_job j = { .program = buf_cstr(&h->way.where),
		.rcpt = to, .rcpts = h->rcpts, .top = l->top,
		.message = l->spool, .deadline = clock_ms() + QUEUE_MS };

	smtp_path_canon(&m->from, &from);
	j.sender = buf_span(&from);
	for (size_t i = 0; i < h->rcpts; i++) {
		smtp_path_canon(&h->rcpt[i]->to, &text[i]);
		to[i] = buf_span(&text[i]);
	}
	queue_run(&j, r);
	for (size_t i = 0; i < h->rcpts; i++)
		buf_free(&text[i]);
	free(text);
	free(to);
	buf_free(&from);
}

static void
wire(void *ctx, struct span octets)
{
	smtp_client_write(ctx, octets);
}

static void
send_smtp(struct hop *h, const struct smtp_mail *m, struct letter *l,
    struct smtp_reply *r)
{
	bool go = smtp_client_data(&h->client, r);

	if (h->client.lost) {
		/* It waited too long for its taste; once more. */
		go = connected(h, r) && retell(h, m, NULL, r) &&
		    smtp_client_data(&h->client, r);
	}
	if (!go)
		return;
	smtp_client_write(&h->client, l->top);
	if (spool_read(l->spool, 0, UINT64_MAX, wire, &h->client) != 0) {
		/* Without its end it is no message there. */
		smtp_client_abort(&h->client);
		h->open = false;
		smtp_reply_std(r, SMTP_LATER);
		return;
	}
	smtp_client_end(&h->client, r, h->rcpts);
}

void
hop_send(struct hop *h, const struct smtp_mail *m, struct letter *l,
    struct smtp_reply *r)
{
	if (h->way.way == INJECT_QUEUE)
		queue(h, m, l, r);
	else
		send_smtp(h, m, l, r);
	/* One answer for all, but for LMTP's to the end. */
	for (size_t i = 1; i < h->rcpts; i++)
		if (r[i].code == 0)
			smtp_reply_copy(&r[i], &r[0]);
}

void
hop_reset(struct hop *h)
{
	/* Waiting for an answer to RSET is not worth it. */
	if (h->open && h->client.in_mail)
		hang_up(h);
	smtp_reply_free(&h->down);
	h->rcpt = NULL;
	h->index = NULL;
	h->rcpts = h->cap = h->index_cap = 0;
}

void
hop_close(struct hop *h)
{
	hang_up(h);
	smtp_reply_free(&h->down);
	inject_free(&h->way);
	*h = (struct hop){ 0 };
}
