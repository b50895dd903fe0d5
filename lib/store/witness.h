/* SPDX-License-Identifier: ISC */
#ifndef STORE_WITNESS_H
#define STORE_WITNESS_H

#include <sys/stat.h>

#include "store/internal.h"

/*
 * Whether nobody else touched a directory while we changed it.  Its mtime
 * cannot tell: others may have been there in the same moment.  Who was alone
 * need not read it again, however big it is.  inotify is asked, so it works
 * where that can be had, and on file systems that only this machine changes.
 */

/* Begin, before what is changed; false: it cannot be known. */
bool witness_begin(struct mailbox *mb, int dir);

/*
 * End, after so many entries came or went by us (renaming in one directory
 * counts twice); call it once after each begin.  True: there were no others,
 * and the directory has an mtime now, in *s, that no later change can have.
 */
bool witness_end(struct mailbox *mb, int dir, unsigned entries,
    struct stat *s);

/* store_close calls it. */
void witness_free(struct store *st);

#endif
