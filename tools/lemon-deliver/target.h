/* SPDX-License-Identifier: ISC */
#ifndef TARGET_H
#define TARGET_H

#include "store/mail.h"

/* Where a message goes: somebody's Maildir, and a folder in it. */
struct target {
	struct mail mail;	/* account.name "" for a Maildir by its path */
	struct buf address;	/* for Delivered-To; empty: unknown */
	struct buf folder;	/* a detail or -m; empty: INBOX */
	uint64_t databytes;	/* 0: no limit */
	bool own_process;	/* we must become the account for this */
};

/* The mailbox of an address.  1, 0: no such user, -1: cannot tell now. */
int target_address(const struct control *c, struct span address,
    struct target *t);

/* A Maildir by its path.  0, or -1: whose it is cannot be told now. */
int target_maildir(const struct control *c, const char *path,
    struct target *t);

void target_free(struct target *t);	/* leaves { 0 } */

#endif
