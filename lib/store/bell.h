/* SPDX-License-Identifier: ISC */
#ifndef STORE_BELL_H
#define STORE_BELL_H

#include "store/store.h"

/*
 * The doorbell: a FIFO per waiter beside the index.  Whoever commits a
 * change rings them all.  inotify, where it can be had, also hears other
 * programs' deliveries to the one mailbox that is watched.
 */
struct bell;

enum store_result bell_open(struct store *st, struct mailbox *watch,
    struct bell **b);	/* watch may be NULL */
void bell_close(struct bell *b);

/* Descriptors to poll for reading: [0] the FIFO (the index changed: a look
 * reads only the index; -1 while it cannot be hung up), [1] inotify or -1 (the
 * directory changed, or the bell was lost: call view_rescan).  bell_heard may
 * change them. */
const int *bell_fds(const struct bell *b);

/* Empty them, and hang the bell up again if its directory was deleted (with
 * the index) or moved away; call it before looking, so that no ring is lost. */
void bell_heard(struct bell *b);

/* Wake all waiters of this store.  Never blocks, never fails. */
void bell_ring(struct store *st);

/* Whether somebody may be waiting for it. */
bool bell_is_awaited(struct store *st);

#endif
