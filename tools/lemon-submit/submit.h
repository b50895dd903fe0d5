/* SPDX-License-Identifier: ISC */
#ifndef SUBMIT_H
#define SUBMIT_H

#include "auth/strangers.h"
#include "broker.h"
#include "burl.h"
#include "complete.h"
#include "hop.h"
#include "net/peer.h"
#include "smtp/server.h"
#include "store/mail.h"

/* All there is to one connection. */
struct submit {
	bool implicit;		/* -s: TLS from the first octet */
	bool outside;		/* -t: somebody else does TLS */
	int64_t started;
	struct control control;
	struct peer peer;
	struct in in;
	struct out out;
	struct tls *tls;	/* ours, or NULL */
	struct buf me;
	struct smtp_server server;

	struct strangers strangers;	/* the client's place among them */
	struct sasl_server *sasl;	/* an exchange under way */
	struct mail mail;	/* of who logged in; not settled where it is
				   not ours to open */
	char mech[32];

	struct hop local, remote;
	struct broker broker;	/* connects to the relay and to trusted hosts
				   after the doors are shut */
	struct broker_door relay_door;
	struct burl burl;
	struct complete letter;
	struct spool seven;	/* the letter for hops without 8BITMIME, if
				   it is another for them */
	bool lowered;		/* that was looked at */
};

/* session.c: the connection, TLS, AUTH and the log. */
void submit_open(struct submit *s);
int submit_close(struct submit *s, enum smtp_bye bye);
extern const struct smtp_host submit_host;

/* doors.c: after login.  0, or -1 and *why: then nothing may go on. */
int submit_shut_doors(struct submit *s, const char **why);

/* envelope.c: senders and recipients. */
void submit_mail(void *ctx, const struct smtp_mail *m, struct smtp_reply *r);
void submit_rcpt(void *ctx, const struct smtp_rcpt *c, struct smtp_reply *r);

/* The sender as the next hop is to see it. */
struct smtp_mail submit_sender(const struct submit *s);

/* Whether the user who logged in may send as that mailbox. */
bool submit_owns(const struct submit *s, struct span canonical);

/* message.c: the message and its way. */
void submit_begin(void *ctx, struct smtp_reply *r);
void submit_chunk(void *ctx, struct span octets);
void submit_end(void *ctx, struct smtp_reply *r, size_t n);
void submit_reset(void *ctx);

/* burl.c: octets by URL. */
void submit_burl(void *ctx, struct span url, struct smtp_reply *r);
void submit_burl_words(void *ctx, struct buf *words);

/* top.c: what goes before the user's header: Received and what is
 * missing. */
void submit_top(const struct submit *s, struct buf *top);

/* notice.c: reports to the sender.  r[i] is what became of rcpt[i];
 * relayed[i] says that the hop which took it knows no DSN.  True once every
 * notice that is due is stored; false: *why is the answer. */
bool submit_notices(struct submit *s, struct span top,
    const struct smtp_reply *r, const bool *relayed, struct smtp_reply *why);

#endif
