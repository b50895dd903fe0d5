/* SPDX-License-Identifier: ISC */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/tree.h"

/*
 * Maildir/lemon-rename: what a change of several folders is about to do,
 * written durably before it begins and removed when it is done.  Sealed
 * lines: "R FROM TO DEVICE INODE" for each directory to rename (to
 * "lemon-trash…" if it is to go), "I TO" for
 * INBOX being moved into a new folder.  It exists for milliseconds, unless
 * its writer died.
 */

/* Whether there is one: one system call. */
bool journal_there(struct store *st);

/* Finish what a dead process began.  Needs the lock. */
enum store_result journal_recover(struct store *st);

#endif
