/* SPDX-License-Identifier: ISC */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "net/tls.h"
#include "smtp/dot.h"
#include "smtp/param.h"

/*
 * The client's side of SMTP and LMTP.  Whatever happens becomes a reply, the
 * server's or one of our own (451 4.4.1 not reached, 451 4.4.2 lost…), so
 * that it can be handed on.  After .lost every call answers so at once.
 */
enum smtp_tls {
	SMTP_TLS_NONE,		/* never */
	SMTP_TLS_MAY,		/* where offered, any certificate */
	SMTP_TLS_MUST,		/* always, any certificate */
	SMTP_TLS_VERIFY		/* always, and the certificate must fit */
};

struct smtp_client_opts {
	struct span where;	/* as for connect_to */
	const char *port;	/* where it names none; NULL: "25" */
	const char *helo;	/* our name */
	bool lmtp;
	enum smtp_tls tls;
	bool implicit;		/* TLS from the first octet */
	const char *cafile;	/* NULL: the system's roots */
	struct span user, password;	/* user.p NULL: no AUTH */
	int64_t timeout_ms;	/* for each answer; 0: those of RFC 5321
				   4.5.3.2 */
	bool quiet;		/* nothing is logged: the caller shows *r */
	/* NULL, or what connects instead of connect_to, with its contract;
	 * for processes that may not. */
	int (*connect)(void *ctx, int64_t deadline, const char **why);
	void *connect_ctx;
};

struct smtp_client {
	struct in in;
	struct out out;
	struct tls *tls;	/* NULL: not secured */
	int fd;
	bool lmtp;
	bool lost;		/* gone, or it said 421 */
	bool in_mail;		/* it accepted MAIL, and no end came yet */
	bool sender_ok;		/* it accepted the last envelope's MAIL */
	unsigned offered;	/* SMTP_… of smtp/param.h */
	uint64_t size_max;	/* of SIZE; 0: not said */
	struct buf mechs;	/* of AUTH */
	int64_t timeout_ms;
	unsigned trips;		/* how often it was waited for */
	uint64_t said;		/* out.total when it was last waited for */
	struct dot_writer dots;
};

/* Connect, greet, secure and log in.  0, or -1 with the reply that explains
 * it and nothing left open. */
int smtp_client_open(struct smtp_client *c,
    const struct smtp_client_opts *o, struct smtp_reply *r);

/* One command and its answer.  True if it was accepted; with a parameter
 * for an extension that is not offered the parameter is left out. */
bool smtp_client_mail(struct smtp_client *c, const struct smtp_mail *m,
    struct smtp_reply *r);
bool smtp_client_rcpt(struct smtp_client *c, const struct smtp_rcpt *rc,
    struct smtp_reply *r);
bool smtp_client_rset(struct smtp_client *c, struct smtp_reply *r);

/* MAIL and all RCPTs, pipelined where that is offered.  r[i] is the answer
 * for rc[i] (that to MAIL, if it was refused).  Returns how many recipients
 * were accepted. */
size_t smtp_client_envelope(struct smtp_client *c, const struct smtp_mail *m,
    const struct smtp_rcpt *const *rc, struct smtp_reply *r, size_t n);

/* DATA.  True if the server waits for the message. */
bool smtp_client_data(struct smtp_client *c, struct smtp_reply *r);

/* The message, whose lines all end in CRLF, in pieces; dots are stuffed
 * here.  Failure shows at the end. */
void smtp_client_write(struct smtp_client *c, struct span octets);

/* The end of the message.  LMTP answers for each of the n recipients that
 * were accepted; SMTP once, r[0]. */
void smtp_client_end(struct smtp_client *c, struct smtp_reply *r, size_t n);

/* A piece of a message: octets (RFC 3030 BDAT), or where url.p is given what
 * that URL names (RFC 4468 BURL). */
struct smtp_piece {
	struct span octets, url;
};

/*
 * The same envelope and, unless nobody was accepted, a message of such
 * pieces; all of it in one round trip where PIPELINING is offered.  *end is
 * the answer to the last piece, or the first refusal of one; code 0 where
 * no piece was sent.  CHUNKING and BURL must be offered.
 */
size_t smtp_client_assemble(struct smtp_client *c, const struct smtp_mail *m,
    const struct smtp_rcpt *const *rc, struct smtp_reply *r, size_t n,
    const struct smtp_piece *p, size_t pieces, struct smtp_reply *end);

/* Say QUIT if that still makes sense, without waiting, and release.  A
 * zeroed one is fine. */
void smtp_client_close(struct smtp_client *c);

/* Release in the middle of a message without ending it: it is dropped. */
void smtp_client_abort(struct smtp_client *c);

#endif
