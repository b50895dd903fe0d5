/* SPDX-License-Identifier: ISC */
#ifndef STORE_FOLDERS_H
#define STORE_FOLDERS_H

#include <sys/stat.h>

#include "store/internal.h"

/*
 * The folders of a store as its directory shows them, and the lock under
 * which names change.  The lock (Maildir/lemon-lock) comes before the
 * index's write lock: never take it while a transaction is open.
 */
struct folder {
	struct span name, disk;
	bool exists;		/* it has cur/: a mailbox */
	int err;		/* errno if that cannot be told, else 0 */
};

/* What was last read; kept while the directory's mtime says it holds. */
struct folders {
	struct arena mem;
	struct folder *f;	/* [n], in the order of names; no INBOX */
	size_t n;
	struct stat dir;	/* of the Maildir when it was read */
	int64_t read_us;	/* when, 0: never */
	bool debris;		/* what a dead process left is there */
	int lock_fd;
	unsigned locked;	/* how deep */
};

/* Made at first use. */
struct folders *folders_of(struct store *st);

/* Read the directory again if it may have changed. */
enum store_result folders_read(struct store *st);

/* After folders_read: the folder of that name, or NULL. */
const struct folder *folders_find(struct store *st, struct span name);

/* After folders_read: the first folder whose name is not before that; f->n
 * if there is none. */
size_t folders_from(const struct folders *f, struct span name);

/* Whether a directory is the index's, and no folder. */
bool folders_reserved(struct span disk);

/* Add the path of a directory of the Maildir ("." is itself), and store_fail
 * with it. */
void folders_path(struct store *st, struct span disk, struct buf *to);
enum store_result folders_fail(struct store *st, struct span disk, int err);

#endif
