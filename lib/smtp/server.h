/* SPDX-License-Identifier: ISC */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include "auth/sasl.h"
#include "base/log.h"
#include "smtp/param.h"

/*
 * One session of an SMTP submission or LMTP server: commands, their order,
 * limits, replies and the mail data.  What a message or a recipient means is
 * the host's business.
 *
 * The host's functions get ctx.  A reply handed to them is already set to
 * success; they change it to refuse.  Any may be NULL but mail, rcpt, chunk
 * and end.
 */
struct smtp_host {
	/* The SASL mechanisms offered now, for EHLO; none: nothing added.
	 * The steps are those of auth/sasl.h, on decoded octets; auth_end
	 * comes after each exchange, however it went. */
	void (*mechs)(void *ctx, struct buf *list);
	enum sasl_step (*auth_start)(void *ctx, struct span mech,
	    struct span initial, struct buf *challenge);
	enum sasl_step (*auth_step)(void *ctx, struct span response,
	    struct buf *challenge);
	void (*auth_end)(void *ctx);

	/* Do the handshake; the 220 has been flushed and the input buffer
	 * is empty.  0, or -1: the session ends. */
	int (*starttls)(void *ctx, struct in *in, struct out *out);

	/* A sender; a recipient.  server->mail and ->rcpt hold those that
	 * were accepted before. */
	void (*mail)(void *ctx, const struct smtp_mail *m,
	    struct smtp_reply *r);
	void (*rcpt)(void *ctx, const struct smtp_rcpt *c,
	    struct smtp_reply *r);

	/* DATA or the first BDAT or BURL came: get ready or refuse. */
	void (*begin)(void *ctx, struct smtp_reply *r);

	/* Octets of the message in wire form.  What fails is said by end. */
	void (*chunk)(void *ctx, struct span octets);

	/* BURL (RFC 4468), where it is offered: fetch what the URL names and
	 * hand it to smtp_server_add, or refuse.  The words of its line in
	 * EHLO after AUTH. */
	void (*burl)(void *ctx, struct span url, struct smtp_reply *r);
	void (*burl_words)(void *ctx, struct buf *words);

	/* All of it is there: act, and only then answer.  LMTP: r[i] is for
	 * server->rcpt[i], n == server->rcpts; else n is 1. */
	void (*end)(void *ctx, struct smtp_reply *r, size_t n);

	/* The transaction is over: after end, or dropped (RSET, EHLO, a
	 * failure, the end of the session).  Called for each accepted MAIL
	 * exactly once. */
	void (*reset)(void *ctx);

	/* A command was refused (tag is what and why), for the log. */
	void (*refused)(void *ctx, struct span command,
	    const struct smtp_reply *r);
};

/* How a session ended. */
enum smtp_bye { SMTP_BYE_QUIT, SMTP_BYE_EOF, SMTP_BYE_TIMEOUT,
	SMTP_BYE_JUNK, SMTP_BYE_BARE, SMTP_BYE_AUTH, SMTP_BYE_TLS,
	SMTP_BYE_SYNC, SMTP_BYE_INJECTION };

struct smtp_server {
	/* --- the caller sets these; zero has the meaning given --- */
	struct in *in;
	struct out *out;
	const struct smtp_host *host;
	void *ctx;
	const char *name;	/* this server's, for greeting and EHLO */
	bool lmtp;		/* RFC 2033: LHLO, a reply a recipient */
	unsigned features;	/* SMTP_… of smtp/param.h that are offered */
	unsigned allow;		/* for smtp_path_parse */
	bool need_auth;		/* nothing but AUTH before AUTH */
	bool secure;		/* TLS is on */
	uint64_t size_max;	/* octets of a message; 0: no limit */
	size_t rcpts_max;	/* in a transaction; 0: 1000 */
	int64_t command_ms;	/* waiting for the client; 0: 5 minutes */
	int64_t login_ms;	/* all of it up to AUTH; 0: 1 minute */

	/* --- for the host to read --- */
	struct buf helo;	/* what the client calls itself */
	bool esmtp;		/* it said EHLO or LHLO */
	bool authed;
	struct smtp_mail mail;	/* of the transaction, if in_mail */
	struct smtp_rcpt *rcpt;	/* [rcpts], accepted */
	size_t rcpts;
	bool in_mail;
	uint64_t size;		/* octets of the message so far */
	uint64_t commands, messages;	/* for the log */

	/* --- private --- */
	struct arena arena;
	struct buf line;
	size_t rcpts_cap, rcpts_tried;
	enum { SMTP_CHUNK_NONE, SMTP_CHUNK_OPEN, SMTP_CHUNK_FAILED } chunk;
	unsigned junk, idle, auth_failed;
	int64_t login_deadline;
	bool over;
	enum smtp_bye bye;
};

/* Set the limits as the control files databytes, rcptmax and timeout say. */
void smtp_server_limits(struct smtp_server *s, const struct control *c);

/* Greet and serve until the client leaves or is sent away; says how. */
enum smtp_bye smtp_server_run(struct smtp_server *s);

/* For host->burl: these octets are of the message.  False if it is too big
 * by now; the rest need not be fetched, and the answer is made here. */
bool smtp_server_add(struct smtp_server *s, struct span octets);

/* For host->burl, too: the URL of another BURL of this message that has come
 * already, from *at on (0 at first).  False if none is known; else it lasts
 * until the next read. */
bool smtp_server_ahead(const struct smtp_server *s, size_t *at,
    struct span *url);

/* Release what the session holds (not in, out and ctx). */
void smtp_server_free(struct smtp_server *s);

/* Add to a line of the log why it ended, and what came and went since it
 * began (on clock_ms). */
void smtp_server_log(const struct smtp_server *s, struct log *l,
    enum smtp_bye bye, int64_t began);

#endif
