/* SPDX-License-Identifier: ISC */
#ifndef STORE_INTENT_H
#define STORE_INTENT_H

#include "store/batch.h"
#include "store/record.h"

/*
 * A batch that must come whole or not at all first commits the prefix of its
 * file names.  A writer holds a lock on one octet of the file `writers`
 * beside the index as long as it lives, so whoever takes the write lock next
 * sees which intents are of the dead, and removes their files.
 */
struct intent {
	uint64_t token;		/* 0: none */
	struct store *st;	/* that has no other at the same time */
	int fd;
};

/* Commit that files of the batch will come into cur of mb; from (or NULL)
 * will lose them then, so lines of its uidlist are undone too. */
enum store_result intent_begin(struct intent *i, struct mailbox *mb,
    struct mailbox *from, const struct batch *b);

/* All is well: forget it in the transaction that makes the batch real, or let
 * it be of the next batch from then on. */
void intent_done(struct intent *i, struct txn *t);
void intent_next(struct intent *i, struct txn *t, const struct batch *b);

/* Whether it is not in the index any more, which was deleted: then others may
 * have taken the files in already, each as a message of its own, or have taken
 * us for dead and removed them. */
bool intent_lost(const struct intent *i, struct txn *t);

/* After that transaction, or to give up: let go.  Files of what was given up
 * are removed by intent_undo_dead. */
void intent_end(struct intent *i);

/* False if some could not be undone now: it is the next one's.  Until then
 * nobody may believe what the lists of its folders say: its messages may not
 * have come, or left.  The write lock is held. */
bool intent_undo_dead(struct txn *t);

/* A mailbox's folder has another name now: its batches are undone there. */
void intent_moved(struct txn *t, uint32_t mailbox, const char *disk);

/* A mailbox has another number now: its batches come into that. */
void intent_renumbered(struct txn *t, uint32_t mailbox, uint32_t now);

/* Whether any batch is on its way. */
bool intent_any(struct txn *t);

/* Whether a batch comes into the mailbox, or takes messages from it. */
bool intent_touches(struct txn *t, uint32_t mailbox);

/* Whether a file of the mailbox belongs to a batch that is still coming. */
bool intent_covers(struct txn *t, uint32_t mailbox, struct span name);

#endif
