/* SPDX-License-Identifier: ISC */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include "store/folders.h"

/*
 * Changing the tree of folders, all or nothing.  A change that takes more
 * than one rename is written to Maildir/lemon-rename first (store/journal.h);
 * who finds that file without its writer finishes it.
 */

/* Take the lock (waiting 10 s at most, then STORE_INUSE); it nests.  What a
 * dead process left half done is finished then. */
enum store_result tree_lock(struct store *st);
void tree_unlock(struct store *st);

/* Before looking at names: if a change is under way wait for it, or finish
 * it.  Never fails; at worst what is there is seen. */
void tree_settle(struct store *st);

struct tree_move {
	struct span from, to;	/* directories below the Maildir */
};

/* Do all of these renames or none, durably, and tell the index.  Needs the
 * lock.  STORE_EXISTS if a target is there. */
enum store_result tree_move(struct store *st, const struct tree_move *m,
    size_t n);

/* Note durably, and forget again, that INBOX is being moved into that new
 * folder: if we die it goes away unless the messages are in it. */
enum store_result tree_plan_inbox(struct store *st, const char *to);
enum store_result tree_forget(struct store *st);

/* Take that folder away unless messages are in it.  False if it cannot be
 * done now: it is noted for whoever takes the lock next. */
bool tree_undo_inbox(struct store *st, const char *to);

/* Make a folder: a Maildir with maildirfolder, whole or not at all.  The
 * caller syncs the Maildir.  Needs the lock. */
enum store_result tree_make(struct store *st, const char *disk);

/* Take back what tree_make just made, unless it is used already. */
void tree_unmake(struct store *st, const char *disk);

/* 1 if a folder has no message, 0 if it has or is none, -1 if it cannot be
 * read now. */
int tree_empty(struct store *st, const char *disk);

/* Take a folder's name away, durably, and tell the index; tree_sweep removes
 * what it held.  Needs the lock. */
enum store_result tree_discard(struct store *st, const char *disk);

/* Remove what discarded folders and dead processes left.  Without the lock:
 * only what was discarded. */
void tree_sweep(struct store *st);

/* Add a new name for what is to be discarded. */
void tree_trash(struct store *st, struct buf *name);

/* Whether an entry of the Maildir is such a thing. */
bool tree_debris(struct span entry);

/* Rename within the Maildir, never over anything.  -1 with errno. */
int tree_rename(struct store *st, const char *from, const char *to);

#endif
