/* SPDX-License-Identifier: ISC */
#ifndef SMTP_INJECT_H
#define SMTP_INJECT_H

#include "base/control.h"
#include "smtp/client.h"
#include "smtp/queue.h"

/*
 * The ways out for mail, as the control files name them:
 *
 *   lmtp-socket   UNIX socket of lemon-deliver -l, for local recipients
 *   relay         HOST[:PORT] [none|may|must|verify] [implicit]
 *   relay-auth    USER:PASSWORD towards the relay; mode 0600
 *   relay-ca      file of certificates that the relay's must lead to
 *   qmail-queue   a program with that interface, if there is no relay
 *
 * Without a word the relay's TLS is "may" on loopback and a UNIX socket,
 * "verify" where relay-auth is set, else "may".
 */
enum inject_way { INJECT_NONE, INJECT_LMTP, INJECT_RELAY, INJECT_QUEUE };

struct inject {
	enum inject_way way;
	struct smtp_client_opts opts;	/* of LMTP and RELAY; borrows below */
	struct buf where, user, password, cafile, helo;
};

/* The way out for local recipients (lmtp-socket), or for all others.  0 and
 * i->way, which is INJECT_NONE if nothing is set; -1 and *why if a file is
 * wrong or open to others, or the queue's program cannot be run (the log has
 * its path). */
int inject_local(const struct control *c, struct inject *i,
    const char **why);
int inject_remote(const struct control *c, struct inject *i,
    const char **why);
void inject_free(struct inject *i);

/* Our name: the control file "me", else the system's host name. */
void inject_me(const struct control *c, struct buf *name);

/* Whether a message of our own can leave at all, at least to our own users. */
bool inject_available(const struct control *c);

/*
 * Send one message (CRLF lines) of our own to one address: to a local user
 * by LMTP, else by the relay or the queue.  mail and rcpt are what goes with
 * it; *r is how it went, 2xx once the next hop has it durably.
 */
void inject_send(const struct control *c, const struct smtp_mail *mail,
    const struct smtp_rcpt *rcpt, struct spool *message,
    struct smtp_reply *r);

#endif
