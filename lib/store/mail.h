/* SPDX-License-Identifier: ISC */
#ifndef STORE_MAIL_H
#define STORE_MAIL_H

#include "auth/account.h"
#include "auth/confine.h"
#include "store/store.h"

/*
 * Whose mail is meant, where it is, and how it is opened: an account's, who
 * logged in or is named, or a Maildir's by its path, which on a command line
 * is what has a slash.  { 0 } is none; keep it as long as the store is open.
 */
struct mail {
	struct account account;	/* of a Maildir: as account_ourselves */
	bool path;		/* it was a Maildir */
	struct buf maildir, index;
	struct store_config cfg;	/* into these; has create and look
					   unset */
};

/* Whom a command line means.  1 found; 0 there is no such user, -1 it cannot
 * be told now: a sentence is added to *why. */
int mail_find(const struct control *c, const char *who, struct mail *m,
    struct buf *why);

/* Fill in the rest from m->account and m->path. */
void mail_settle(const struct control *c, struct mail *m);

/* As root become who owns it (not of root's own Maildir by its path), and open
 * it.  With walls the process reaches nothing else afterwards but what they
 * name (see confine_paths; their dirs are the mail's, and not looked at). */
enum store_result mail_open(const struct mail *m, const struct confine *walls,
    struct store **st, const char **why);

void mail_free(struct mail *m);		/* { 0 } is fine */

/* Add the name of the mailbox that somebody typed as "Lists/C", or as it is.
 * STORE_NONEXISTENT: there is none. */
enum store_result mail_folder(struct store *st, const char *typed,
    struct buf *name);

#endif
