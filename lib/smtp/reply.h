/* SPDX-License-Identifier: ISC */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include "net/stream.h"

/*
 * A reply: code, enhanced status code (RFC 2034, RFC 3463) and text.  Each
 * 2xx, 4xx and 5xx has an enhanced code of the same class but for the
 * greeting, HELO and EHLO (RFC 2034 4) and 3xx; smtp_reply_set sees to it.
 * { 0 } is no reply (code 0).
 */
struct smtp_reply {
	unsigned code;		/* 0, or 200 to 599 */
	char status[12];	/* "5.1.1"; empty if there is none */
	struct buf text;	/* lines, with '\n' between them */
};

void smtp_reply_free(struct smtp_reply *r);

/* Set it.  status may be NULL: none.  A status of another class than the
 * code is replaced by CLASS.0.0.  text is one line or more ('\n' between);
 * octets that are no printable ASCII become '?' when it is written, unless
 * they are UTF-8 and the client asked for that. */
void smtp_reply_set(struct smtp_reply *r, unsigned code, const char *status,
    const char *text);
void smtp_reply_span(struct smtp_reply *r, unsigned code, const char *status,
    struct span text);
__attribute__((format(printf, 4, 5)))
void smtp_reply_f(struct smtp_reply *r, unsigned code, const char *status,
    const char *fmt, ...);	/* fixed words and numbers only */
void smtp_reply_copy(struct smtp_reply *to, const struct smtp_reply *from);

/* The answers that come up in many places; reply.c has the table. */
enum smtp_answer {
	SMTP_OK,		/* 250 2.0.0 */
	SMTP_BAD_COMMAND,	/* 500 5.5.2 */
	SMTP_BAD_SYNTAX,	/* 501 5.5.4 */
	SMTP_NOT_HERE,		/* 502 5.5.1 */
	SMTP_NO_HELO,		/* 503 5.5.1, like the next */
	SMTP_NO_HELO_LMTP,
	SMTP_NO_MAIL,
	SMTP_NOBODY_YET,	/* no RCPT */
	SMTP_IN_MAIL,
	SMTP_CHUNKS_CAME,
	SMTP_CHUNK_REFUSED,
	SMTP_BINARY_DATA,
	SMTP_AUTH_DONE,
	SMTP_AUTH_NONE,
	SMTP_TLS_DONE,
	SMTP_LINE_END,		/* 500 5.5.2 */
	SMTP_TOO_LONG,		/* 500 5.5.6 */
	SMTP_TOO_MANY,		/* 452 4.5.3 */
	SMTP_TOO_BIG,		/* 552 5.3.4 */
	SMTP_NEED_AUTH,		/* 530 5.7.0 */
	SMTP_NEED_TLS,		/* 530 5.7.0 */
	SMTP_LATER,		/* 451 4.3.0 */
	SMTP_FULL,		/* 452 4.3.1 */
	SMTP_BARE,		/* 554 5.6.0: bare CR or LF */
	SMTP_NO_RCPT		/* 554 5.5.0 */
};
void smtp_reply_std(struct smtp_reply *r, enum smtp_answer a);

/* Write it, one line or several (RFC 5321 4.2.1). */
void smtp_reply_write(const struct smtp_reply *r, struct out *out,
    bool utf8);

/* 2, 3, 4 or 5; 0 for no reply. */
unsigned smtp_reply_class(const struct smtp_reply *r);

/*
 * One line of a peer's reply.  The first (r->code 0) sets code and status,
 * the others must have the same code; text is added without code and
 * status.  1: this was the last line; 0: more follow; -1: that is no reply
 * of this protocol.
 */
int smtp_reply_line(struct smtp_reply *r, struct span line);

#endif
