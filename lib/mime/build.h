/* SPDX-License-Identifier: ISC */
#ifndef MIME_BUILD_H
#define MIME_BUILD_H

#include "base/buf.h"

/*
 * Pieces of messages that we write ourselves.  All lines end in CRLF.
 */

/* Add a new message identifier with its brackets (RFC 5322 3.6.4), unique
 * by time, process and chance. */
void build_message_id(struct buf *to, struct span domain);

/* Add a new boundary of some 30 octets that needs no quotes and stands in
 * no other text. */
void build_boundary(struct buf *to);

/*
 * A trace field (RFC 5321 4.4, RFC 5322 3.6.7).  Empty members are left out
 * but by.  Octets from outside that the field cannot hold become '?', so
 * that a greeting forges nothing.
 */
struct build_trace {
	struct span helo;	/* what the client called itself */
	struct span ip;		/* where it is; empty: a local pipe */
	struct span by;		/* our name */
	const char *with;	/* "LMTP", "ESMTPSA"… (RFC 3848) */
	struct span id;
	struct span recipient;	/* if there is only one */
	int64_t now;
	int32_t zone;
};
void build_received(struct buf *to, const struct build_trace *t);

/* Add "Return-Path: <address>"; address empty: <>. */
void build_return_path(struct buf *to, struct span address);

/* Add "Delivered-To: address". */
void build_delivered_to(struct buf *to, struct span address);

#endif
