/* SPDX-License-Identifier: ISC */
#ifndef SMTP_PARAM_H
#define SMTP_PARAM_H

#include "base/arena.h"
#include "smtp/path.h"
#include "smtp/reply.h"

/*
 * The arguments of MAIL FROM: and RCPT TO: with their parameters, checked
 * and decoded once.  Everything is copied to the arena given, so it lasts
 * for the transaction.
 */

/* Extensions: what a server offers, and what a client was offered.  EHLO,
 * commands and parameters all hang on these bits. */
enum {
	SMTP_PIPELINING = 1 << 0,	/* RFC 2920 */
	SMTP_8BITMIME = 1 << 1,		/* RFC 6152 */
	SMTP_SIZE = 1 << 2,		/* RFC 1870 */
	SMTP_STARTTLS = 1 << 3,		/* RFC 3207 */
	SMTP_AUTH = 1 << 4,		/* RFC 4954 */
	SMTP_ENHANCED = 1 << 5,		/* RFC 2034 */
	SMTP_DSN = 1 << 6,		/* RFC 3461 */
	SMTP_UTF8 = 1 << 7,		/* RFC 6531 */
	SMTP_CHUNKING = 1 << 8,		/* RFC 3030 */
	SMTP_BINARYMIME = 1 << 9,	/* RFC 3030 */
	SMTP_BURL = 1 << 10		/* RFC 4468 */
};

/* What the control file "databytes" is where there is none. */
enum { SMTP_SIZE_DEFAULT = 50 * 1024 * 1024 };

enum smtp_body { SMTP_BODY_NONE, SMTP_BODY_7BIT, SMTP_BODY_8BIT,
	SMTP_BODY_BINARY };
enum smtp_ret { SMTP_RET_NONE, SMTP_RET_FULL, SMTP_RET_HDRS };
enum { SMTP_NEVER = 1, SMTP_SUCCESS = 2, SMTP_FAILURE = 4, SMTP_DELAY = 8 };

struct smtp_mail {
	struct smtp_path from;		/* address empty: <> */
	bool has_size;
	uint64_t size;
	enum smtp_body body;
	bool utf8;			/* SMTPUTF8 was given */
	enum smtp_ret ret;
	bool has_envid;
	struct span envid;		/* decoded */
	bool has_auth;
	struct span auth;		/* decoded; empty for "<>" */
};

struct smtp_rcpt {
	struct smtp_path to;
	unsigned notify;		/* SMTP_NEVER…; 0: not given */
	bool has_orcpt;
	struct span orcpt_type;		/* "rfc822", "utf-8" */
	struct span orcpt;		/* decoded */
};

/*
 * Parse what follows MAIL or RCPT.  offered is a mask of the bits above;
 * allow is for smtp_path_parse.  On failure the reply is set (501 5.5.4,
 * 555 5.5.4, 553 5.1.7, 553 5.1.3, 553 5.6.7…) and false returned.
 */
bool smtp_mail_parse(struct span args, unsigned offered, unsigned allow,
    struct arena *a, struct smtp_mail *m, struct smtp_reply *r);
bool smtp_rcpt_parse(struct span args, unsigned offered, unsigned allow,
    struct arena *a, struct smtp_rcpt *c, struct smtp_reply *r);

/* The command lines "MAIL FROM:…" and "RCPT TO:…" (without CRLF) towards a
 * peer that offered that; parameters of what it lacks are left out. */
void smtp_mail_print(const struct smtp_mail *m, unsigned offered,
    struct buf *to);
void smtp_rcpt_print(const struct smtp_rcpt *c, unsigned offered,
    struct buf *to);

/* "BDAT" SP size [SP "LAST"] (RFC 3030 2): the arguments.  False if they
 * are wrong or over 2^63-1. */
bool smtp_bdat_parse(struct span args, uint64_t *size, bool *last);

/* "BURL" SP url [SP "LAST"] (RFC 4468 3.5): the arguments. */
bool smtp_burl_parse(struct span args, struct span *url, bool *last);

/* How many octets of a line with a URL anybody may see: whoever has the token
 * at the end of it (RFC 4467 3) has what it names. */
size_t smtp_burl_shown(struct span line);

/* RFC 3461 4.  Decoding fails on anything that is no xtext. */
void smtp_xtext_encode(struct span s, struct buf *to);
bool smtp_xtext_decode(struct span s, struct buf *to);

#endif
