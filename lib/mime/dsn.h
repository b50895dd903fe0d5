/* SPDX-License-Identifier: ISC */
#ifndef MIME_DSN_H
#define MIME_DSN_H

#include "base/buf.h"

/*
 * Delivery status notifications (RFC 3464, RFC 3461 6; RFC 6533 where an
 * address is not ASCII): multipart/report of a text for people, the fields
 * for programs, and the message that it is about or its header.  The caller
 * sends it with the null reverse-path, and never makes one for a message
 * that had the null reverse-path itself.
 *
 *     dsn_begin(&d, &boundary, out);
 *     … the message, or its header (mime/header.h header_cut), CRLF lines …
 *     dsn_end(&boundary, out);
 */
enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED,
	DSN_EXPANDED };

struct dsn_rcpt {
	enum dsn_action action;
	struct span final;		/* address, canonical */
	struct span orcpt_type, orcpt;	/* decoded; type empty: not given */
	struct span status;		/* "5.1.1" */
	struct span diagnostic;		/* the reply "550 5.1.1 …", or empty */
	struct span remote;		/* the host that gave it, or empty */
};

struct dsn {
	struct span me;			/* our host name */
	struct span to;			/* the sender */
	bool has_envid;
	struct span envid;		/* decoded */
	struct span message_id;		/* of the message, or empty */
	int64_t arrived;		/* when it came; seconds */
	int64_t now;
	int32_t zone;
	bool full;			/* RET=FULL: see dsn_wants_full */
	bool eightbit;			/* what is returned is not ASCII */
	const struct dsn_rcpt *rcpt;	/* one at least */
	size_t rcpts;
};

/* RFC 3461 4.3: the whole message only if it was asked for and a recipient
 * failed.  The caller sets .full to this, or to false if it is too big. */
bool dsn_wants_full(const struct dsn *d, bool ret_full);

/* Add all up to where the message goes; *boundary is made. */
void dsn_begin(const struct dsn *d, struct buf *boundary, struct buf *to);
void dsn_end(const struct buf *boundary, struct buf *to);

#endif
