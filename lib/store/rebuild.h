/* SPDX-License-Identifier: ISC */
#ifndef STORE_REBUILD_H
#define STORE_REBUILD_H

#include "store/store.h"

/*
 * The index made anew from the files, beside whoever else works on the store:
 * they find it changed as if it had been deleted.  UIDs, keywords and
 * identities come from the lists, flags from the files' names; then every
 * message is read once, for its digest.
 */
struct rebuilt {		/* what became of one mailbox */
	struct span name;
	enum store_result result;
	uint32_t messages;
	uint32_t uidvalidity;
	bool validity_new;	/* its list was lost */
	uint32_t fresh;		/* messages that the list did not have: they
				   got new UIDs */
	uint32_t lost;		/* listed ones without a file */
	uint32_t unread;	/* could not be read */
};

struct rebuild {
	/* Called for each mailbox when it is done. */
	void (*done)(void *arg, const struct rebuilt *r);
	/* Called now and then: so many messages of so many.  NULL is fine. */
	void (*progress)(void *arg, uint64_t done, uint64_t of);
	void *arg;
};

/* One mailbox; or the whole index and all of them.  STORE_INUSE: a batch is
 * coming in all the time. */
enum store_result rebuild_mailbox(struct store *st, struct span name,
    const struct rebuild *ask);
enum store_result rebuild_store(struct store *st, const struct rebuild *ask);

#endif
