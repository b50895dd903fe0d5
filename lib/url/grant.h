/* SPDX-License-Identifier: ISC */
#ifndef URL_GRANT_H
#define URL_GRANT_H

#include "imap/mailbox.h"
#include "imap/url.h"
#include "store/store.h"

/*
 * Who may read what a URL with a token names (RFC 4467).  The token is made
 * with the key of the mailbox that the URL names, and by its owner, whose
 * right to read is looked at when the token is made and when it is used.  The
 * URL's server is not looked at: no key but ours makes a token that is good
 * here.
 */
struct owner {
	struct store *store;
	const struct imap_space *space;
	struct span name;	/* the account, as in struct account */
	struct span locals;	/* the control file "locals", a domain a line;
				   read it before the doors are shut */
};

/* Who asks.  An empty user: nobody we know, anonymous. */
struct caller {
	struct span user;	/* the account that acts (the authorization
				   identity) */
	bool submitter;		/* an account of the control file "submitters",
				   or the submission server itself */
};

enum grant {
	GRANT_OK,
	GRANT_SYNTAX,		/* no URL that could have a token */
	GRANT_EXPIRED,
	GRANT_ACCESS,		/* not for this caller, not this owner's */
	GRANT_REVOKED,		/* the token is not, or no longer, good */
	GRANT_GONE,		/* no such mailbox, message or part */
	GRANT_LATER		/* cannot be told now; store_why says why */
};

/* A sentence about it, without a full stop. */
const char *grant_text(enum grant g);

/* What the store says of what a URL names. */
enum grant grant_found(enum store_result r);

/* Whether a user name of a URL is that account's: NAME, or NAME@DOMAIN with a
 * domain of ours. */
bool grant_is_user(const struct owner *o, struct span written,
    struct span account);

/*
 * Sign: add the rump of *u, ":internal:" and the token to *to.  The URL must
 * be absolute, name a message and the owner, and have an access and no token
 * (GRANT_SYNTAX; GRANT_ACCESS: another owner); the mailbox must be there.
 * Makes the mailbox's key if it has none, durably.  now in seconds, UTC.
 */
enum grant grant_mint(const struct owner *o, int64_t now,
    const struct imap_url *u, struct buf *to);

/*
 * Whether the URL lets the caller read; then url_resolve it.  Of submit+
 * only the caller's role counts: the submission server compares access_user
 * with who submits (RFC 4468 3.1), by grant_is_user.
 *
 * Where mailbox or key are missing the same work is done as for a wrong
 * token, and the answer is GRANT_REVOKED.  What else is wrong is told only of
 * tokens that were good once.  After GRANT_OK u->uidvalidity is that of the
 * mailbox, so that url_resolve takes no other which has its name by then.
 */
enum grant grant_check(const struct owner *o, int64_t now,
    struct imap_url *u, const struct caller *c);

#endif
