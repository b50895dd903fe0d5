/* SPDX-License-Identifier: ISC */
#ifndef BOXES_H
#define BOXES_H

#include "letter.h"
#include "target.h"

/*
 * The stores that are delivered to, each opened once (LMDB allows no more),
 * and their mailboxes that wait to be settled.  { 0 } is none.
 */
struct boxes {
	struct box *first;	/* the last used one */
	size_t n;
	size_t owed;		/* messages that wait to be settled */
	int64_t since;		/* when the first of them came, clock_ms() */
};

/* Who has more to deliver says so within that time. */
enum { BOXES_PAUSE_MS = 10 };

/* Open the target's store if it is not yet.  *why is a sentence for the
 * log. */
enum store_result boxes_open(struct boxes *b, const struct target *t,
    const char **why);

/* The same where the process becomes the target's account for it, if it must,
 * and sees nothing else from then on. */
enum store_result boxes_enter(struct boxes *b, const struct target *t,
    const char **why);

/* Place the message, with top before it, durably into the target's folder;
 * into INBOX where it has no such folder, but not where that cannot be read
 * now.  Opens what is needed. */
enum store_result boxes_put(struct boxes *b, const struct target *t,
    const struct letter *l, struct span top, const char **why);

/* Whether what is owed must be settled now: it is much, it waited for long, or
 * a session waits to hear of it. */
bool boxes_are_due(const struct boxes *b);

/* Whether the target's store is open, and its path still leads to it. */
bool boxes_are_current(struct boxes *b, const struct target *t);

/* Commit what is left to do, and ring the bells; the stores stay open for
 * the next message.  Close closes them too. */
void boxes_settle(struct boxes *b);
void boxes_close(struct boxes *b);

#endif
