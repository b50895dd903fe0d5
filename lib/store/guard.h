/* SPDX-License-Identifier: ISC */
#ifndef STORE_GUARD_H
#define STORE_GUARD_H

#include <sys/types.h>

/*
 * LMDB trusts its pages: a damaged one can end the process by SIGSEGV, SIGBUS
 * or SIGABRT.  While a transaction is open such an end removes the index's
 * file, so that whoever comes next makes it anew instead of dying of it too.
 * The signal then takes its course as if nobody had caught it.
 */

/* From here on the index at that name below dir, if it is that inode, is what
 * a fault would be blamed on; until as many calls of guard_end.  name must
 * last. */
void guard_begin(int dir, const char *name, dev_t dev, ino_t ino);
void guard_end(void);

/* What is called before the signal takes its course, so that the process can
 * end in another way; it may do what a signal handler may. */
void guard_ends(void (*end)(void));

#endif
