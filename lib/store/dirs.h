/* SPDX-License-Identifier: ISC */
#ifndef STORE_DIRS_H
#define STORE_DIRS_H

#include <dirent.h>

#include "store/record.h"

enum { DIRS_QUIET = 2 };	/* seconds after which an mtime is sure */

/* The directories cur/ and new/ of a folder in one look. */
struct dirs {
	int64_t now;
	struct stat before[2];	/* as they were when it began */
	struct dirstate known[2];	/* as the index knew them then */
	bool read[2];
};

/* Begin.  STORE_CHANGED: the folder is gone. */
enum store_result dirs_stat(struct dirs *s, struct mailbox *mb);

/* Quiet for long enough that a change would show in its mtime, or of a time
 * when the clock was another. */
bool dirs_quiet(const struct dirs *s, int d);

/* Whether a change of either directory would show in its mtime: the last one
 * is long enough ago.  at gets what they are like; then whether they still
 * are. */
bool dirs_at_rest(struct mailbox *mb, struct stat at[2]);
bool dirs_unchanged(struct mailbox *mb, const struct stat at[2]);

/* CUR, NEW or TMP, to be read; NULL with errno. */
DIR *dirs_open(struct mailbox *mb, int d);

/* Call fn for each entry of a directory that may be a message. */
typedef void dirs_fn(void *arg, int d, const struct dirent *e);
enum store_result dirs_read(struct mailbox *mb, int d, dirs_fn *fn,
    void *arg);

/* Note what was read, unless someone noted something since. */
void dirs_note(const struct dirs *s, struct change *c);

#endif
