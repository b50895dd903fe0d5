/* SPDX-License-Identifier: ISC */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include "store/record.h"

/*
 * Noticing what other programs did to cur/ and new/.  A directory is read
 * only if its mtime is not the one that is known (QUICK), or also if nobody
 * touched it for two seconds and it was not read since (FULL, and QUICK where
 * there is little to read): a change in the same moment as the known mtime
 * would not show in it.  Who found a file elsewhere than the index says knows
 * that somebody did, whatever the mtime is (MISSED).
 */
enum look { LOOK_QUICK, LOOK_FULL, LOOK_MISSED };

/* STORE_CHANGED: the folder is gone.  *found: something had changed. */
enum store_result mailbox_look(struct mailbox *mb, enum look how,
    bool *found);

/* As mailbox_read, after a QUICK look: mostly nobody was there, and the
 * snapshot that tells so is the one to read. */
enum store_result mailbox_see(struct mailbox *mb, struct txn *t,
    struct meta *m);

/* Leave in *uids (those of the index) whose files are surely in neither
 * directory under any name.  False if the directories do not rest for long
 * enough to say: one reading beside renames can miss what is there. */
bool scan_proves_gone(struct mailbox *mb, struct txn *t, struct set *uids);

#endif
