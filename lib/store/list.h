/* SPDX-License-Identifier: ISC */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "store/record.h"
#include "store/uidlist.h"

/* The file lemon-uidlist of a folder.  All but list_read, list_compact
 * and list_is_whole want the write lock. */

enum { LIST_MAX = 1 << 30 };	/* octets; no list is longer */

/* The file, to be read; -1 with errno.  Needs no lock. */
int list_open(struct mailbox *mb);

/* The whole file: STORE_NONEXISTENT if there is none. */
enum store_result list_read(struct mailbox *mb, struct buf *text,
    uint64_t *inode);

/* Replace the file durably, and note it in *m. */
enum store_result list_replace(struct mailbox *mb, struct span text,
    struct meta *m);

/* Write c->lines behind what is committed, after cutting what is not. */
enum store_result list_append(struct change *c);

/* Whether it ends where it was committed: a writer that died before its
 * commit leaves lines that must not count.  Needs no lock; then list_cut
 * does, which also writes the file anew if it is not the one committed;
 * STORE_INUSE if the index, being built from it, does not have all of it. */
bool list_is_cut(struct mailbox *mb, const struct meta *m);
enum store_result list_cut(struct change *c);

/* Cut them again: the commit failed.  The lock is still held. */
void list_take_back(struct change *c);

/* Whether its first size octets end with a whole line.  What was never synced
 * may be lost with the power, and the file's size stay. */
bool list_is_whole(int fd, uint64_t size);

/* Whether the file says more than the index committed: then the index is an
 * old one that was put back, or its writer died, and the file is the truth.
 * So it is too where the index is being built from another, or from one that
 * is damaged now.  -1 with errno: nobody can tell now, and nothing is to be
 * cut.  The write lock is held, and dead batches are undone. */
int list_is_newer(struct mailbox *mb, const struct meta *m);

/* After the commit, without the lock: make the lines durable. */
enum store_result list_sync(struct mailbox *mb);

/* The folder gets another name.  If its UIDVALIDITY came from another server,
 * which may have given it to others too, it gets one of its own: the name may
 * have been one of those (RFC 3501 6.3.5).  Takes the lock. */
enum store_result list_renumber(struct mailbox *mb);

/* Write it anew if over half of it is dead.  Takes the lock only at the
 * end. */
enum store_result list_compact(struct mailbox *mb);

#endif
