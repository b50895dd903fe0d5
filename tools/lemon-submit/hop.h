/* SPDX-License-Identifier: ISC */
#ifndef HOP_H
#define HOP_H

#include "smtp/inject.h"

/*
 * A next hop of one transaction: the relay (or queue) for everyone else, or
 * lemon-deliver for our own users.  Its connection opens with the first
 * recipient and answers each one live; where it is lost before the message
 * goes out it is opened again and told everything once more.
 */
struct hop {
	struct inject way;
	struct smtp_client client;
	bool ready;		/* way is known */
	bool open;		/* client is connected */
	struct smtp_reply down;	/* why it cannot be reached, in this
				   transaction; code 0: not tried */
	unsigned offered;	/* what it offered when it answered */
	const struct smtp_rcpt **rcpt;	/* accepted; in the arena */
	size_t *index;		/* which of the server's they are */
	size_t rcpts, cap, index_cap;
};

/* Ask it to take one more; *r says what it answers.  m is the sender's MAIL,
 * c lasts as long as the arena. */
void hop_rcpt(struct hop *h, struct arena *a, const struct smtp_mail *m,
    const struct smtp_rcpt *c, size_t index, struct smtp_reply *r);

/* What goes out: octets before the spool's, then the spool. */
struct letter {
	struct span top;
	struct spool *spool;
};

/* Send it.  r[i] is the answer for h->rcpt[i]. */
void hop_send(struct hop *h, const struct smtp_mail *m, struct letter *l,
    struct smtp_reply *r);

/* The transaction is over; the connection may stay. */
void hop_reset(struct hop *h);
void hop_close(struct hop *h);

#endif
