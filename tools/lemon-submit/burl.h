/* SPDX-License-Identifier: ISC */
#ifndef BURL_H
#define BURL_H

#include "imap/mailbox.h"
#include "store/store.h"
#include "trusted.h"
#include "url/remote.h"

/*
 * Where BURL (RFC 4468) gets its octets.  Nothing is opened before a URL
 * comes; then it stays open for the next of the transaction.
 */
enum { BURL_AHEAD = 9 };	/* see imap_client_begin */

/* A URL that its server was asked for. */
struct burl_asked {
	unsigned tag;
	struct buf url;
};

struct burl {
	struct store *store;	/* the user's own */
	struct buf space_value;
	struct imap_space space;
	struct buf locals;
	struct remote remote;	/* lemon-urlauth -s */
	struct trusted trusted;
	size_t first_place;	/* of theirs, among the broker's */
	const struct trusted_host *host;	/* whom client talks to */
	struct imap_client client;
	struct burl_asked ahead[BURL_AHEAD];	/* [next..asked) are still to
						   be answered */
	size_t next, asked;
};

/* The transaction is over. */
void burl_reset(struct burl *b);
void burl_free(struct burl *b);

#endif
