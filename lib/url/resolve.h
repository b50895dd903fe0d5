/* SPDX-License-Identifier: ISC */
#ifndef URL_RESOLVE_H
#define URL_RESOLVE_H

#include "imap/mailbox.h"
#include "imap/url.h"
#include "store/piece.h"

/*
 * The octets of a store that an IMAP URL names, for CATENATE, URLFETCH, BURL
 * and whoever else is given one.  Nothing here asks who may read them (see
 * url/grant.h), nor looks at the URL's server and user.  No flag changes,
 * nothing becomes less recent, and a mailbox that the session has selected is
 * left as it is.
 */
struct resolved {
	struct mailbox *mb;	/* opened for it; NULL: the view is another's */
	struct view *view;
	struct message *message;
	struct piece piece;	/* of the message; keep the URL while it is
				   used, its section is in it */
	uint64_t from, n;	/* octets of the piece, after ;PARTIAL=: n may
				   be 0 */
};

/*
 * Find it.  A relative URL without a mailbox is one of selected (NULL:
 * STORE_NONEXISTENT); any other is looked up as it is now.  space is the
 * namespace of the store's user.
 *
 * STORE_NONEXISTENT: it names nothing (no message, no such mailbox, UID or
 * part, another UIDVALIDITY).  Anything else but STORE_OK may be another
 * later.  Call resolved_free whatever comes.
 */
enum store_result url_resolve(struct store *st,
    const struct imap_space *space, const struct imap_url *u,
    struct view *selected, struct resolved *r);

/* What of n octets ;PARTIAL= leaves: from there on so many, perhaps none. */
void url_range(const struct imap_url *u, uint64_t size, uint64_t *from,
    uint64_t *n);

/*
 * Take the octets without their Content-Transfer-Encoding (RFC 5524 3.2);
 * ;PARTIAL= then counts decoded ones.  What has none to take off stays as it
 * is.  STORE_CANNOT: nobody knows that encoding, or it is malformed; r is then
 * as it was.
 */
enum store_result resolved_decode(struct resolved *r,
    const struct imap_url *u);
bool resolved_is_decoded(const struct resolved *r);

/* Give the sink its n octets.  0, or -1 if they cannot be read to the
 * end. */
int resolved_read(const struct resolved *r, fields_sink *sink, void *arg);

void resolved_free(struct resolved *r);		/* { 0 } is fine */

/* Add the mailbox's name as the store has it.  False: it names none. */
bool url_name(const struct imap_space *space, const struct imap_url *u,
    struct buf *name);

#endif
