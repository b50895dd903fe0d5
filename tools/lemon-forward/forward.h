/* SPDX-License-Identifier: ISC */
#ifndef FORWARD_H
#define FORWARD_H

#include "imap/client.h"
#include "mime/domain.h"
#include "mime/section.h"
#include "smtp/client.h"
#include "smtp/spool.h"

/* How the message gets to the submission server. */
enum way {
	WAY_ANY,		/* the best that both servers can do */
	WAY_CATENATE,		/* put together in Sent, and fetched from there */
	WAY_BURL,		/* put together by the submission server */
	WAY_DOWNLOAD		/* put together here */
};

/* A piece of the message that we make: our own text, or a part of the one
 * that is forwarded. */
struct piece {
	struct span text;	/* p == NULL: it is a part */
	struct section part;
	struct span ticket;	/* the URL that lets the submission server
				   fetch it */
	uint64_t from, n;	/* where it is in the spool */
};

struct forward {
	/* What is asked for. */
	enum way way;
	bool verbose;
	struct span imap_at, smtp_at;	/* HOST[:PORT] */
	enum imap_tls tls;
	bool tls_given;
	bool imap_implicit, smtp_implicit;	/* TLS at once */
	const char *cafile;
	struct span user, password, from;
	struct span account;		/* user without an app password's label:
					   whose mail it is */
	struct span mailbox, sent;	/* UTF-8 */
	bool sent_given;
	uint32_t uid, uidvalidity;	/* of what is forwarded */
	struct section *part;
	size_t parts, part_cap;
	struct span subject;		/* p == NULL: made of its own */
	struct smtp_rcpt *rcpt;
	size_t rcpts;
	struct buf cover;

	struct arena arena;
	struct imap_client imap;
	struct smtp_client smtp;

	/* The message, as compose makes it. */
	struct piece *piece;
	size_t pieces;

	/* Its copy in Sent. */
	uint32_t next;			/* the UID that it will likely get; 0:
					   there is no Sent */
	uint32_t copy, copy_validity;	/* the UID that it has (0: none), and
					   its UIDVALIDITY */
	struct span ticket;		/* its URL */
	enum { NOTHING, SOURCE, SENT } selected;	/* mailbox, of the IMAP
					   session */
	struct spool spool;		/* what was downloaded */
	struct domain lines;		/* of all that DATA will carry */
	uint64_t marked_out, marked_in;	/* octets for the keywords */
};

/* --- main.c --- */

/* Say what went over both lines, if that is wanted. */
void tally(const struct forward *f);

/* --- options.c --- */
void options(struct forward *f, int argc, char **argv);

/* --- compose.c: the message that we make --- */

/* Make the pieces.  original is the Subject field of what is forwarded. */
void compose(struct forward *f, struct span original);

/* --- mailbox.c: the IMAP server --- */

/* Connect, log in and look at the message.  NULL, or which extension for the
 * way is missing. */
void mailbox_open(struct forward *f);
const char *mailbox_lacks(const struct forward *f, enum way way);

/* It is sent: say so in the mailboxes. */
void mailbox_mark(struct forward *f);

/* It is not, and for certain: take the copy back. */
void mailbox_take_back(struct forward *f);

/* --- ways.c: how the message gets there --- */

/* Put the message together in Sent, and get the ticket for it. */
void way_catenate(struct forward *f);

/* Get a ticket for each part. */
void way_burl(struct forward *f);

/* Download the parts, and upload the whole into Sent. */
void way_download(struct forward *f);

/* --- submit.c: the submission server --- */
void submit_open(struct forward *f);
const char *submit_lacks(const struct forward *f, enum way way);

/* Send the message by that way.  Returns how many were refused, each said. */
size_t submit_message(struct forward *f, enum way way);

#endif
