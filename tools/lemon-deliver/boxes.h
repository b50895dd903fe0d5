/* SPDX-License-Identifier: ISC */
#ifndef BOXES_H
#define BOXES_H

#include "letter.h"
#include "target.h"

/*
 * The stores that a transaction delivers to, each opened once (LMDB allows
 * no more), and their mailboxes that wait to be settled.  { 0 } is none.
 */
struct boxes {
	struct box *first;
	size_t n;
};

/* Open the target's store if it is not yet.  *why is a sentence for the
 * log. */
enum store_result boxes_open(struct boxes *b, const struct target *t,
    const char **why);

/* Place the message, with top before it, durably into the target's folder;
 * into INBOX where it has no such folder.  Opens what is needed. */
enum store_result boxes_put(struct boxes *b, const struct target *t,
    const struct letter *l, struct span top, const char **why);

/* Commit what is left to do, ring the bells, and close everything. */
void boxes_settle(struct boxes *b);

#endif
