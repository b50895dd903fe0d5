/* SPDX-License-Identifier: ISC */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/store.h"

/*
 * Comparing what there is thrice: the files, the text files and the index.
 * Nothing is changed, and no lock is taken: what is found while others work
 * on a mailbox is looked for again until it stays or they rest.
 *
 * Reading a damaged index can end a process, so ask in a child.
 */
struct finding {
	struct span mailbox;	/* as store_list names it; empty: the store */
	const char *what;	/* what is wrong */
	const char *todo;	/* and what will or can be done about it */
	bool note;		/* it is no fault, and heals by itself */
};

struct check {
	/* Called for each finding; its text is valid during the call. */
	void (*found)(void *arg, const struct finding *f);
	/* Called now and then: so much of so much is done.  NULL is fine. */
	void (*progress)(void *arg, uint64_t done, uint64_t of);
	void *arg;
	bool digests;		/* read every message, too, and compare */
	bool starved;		/* something could not be looked at for want
				   of memory or descriptors: no finding */

	/* What was looked at. */
	uint64_t mailboxes, messages;
};

/* One mailbox, which store_open opened with look; or the store and all of its
 * mailboxes.  Anything but STORE_OK: it could not be looked at; STORE_LIMIT,
 * too, where something of it could not (starved). */
enum store_result check_mailbox(struct store *st, struct span name,
    struct check *c);
enum store_result check_store(struct store *st, struct check *c);

#endif
