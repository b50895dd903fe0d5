/* SPDX-License-Identifier: ISC */
#ifndef STORE_REAP_H
#define STORE_REAP_H

#include "store/record.h"
#include "store/view.h"

/* Unlink the files of what was expunged, in portions, as long as go(arg)
 * allows it (NULL: all); forget old tombstones. */
enum store_result mailbox_reap(struct mailbox *mb, store_go *go, void *arg);

/* Move what is in new/ to cur/, and claim as seen what is below uidnext. */
enum store_result mailbox_take_new(struct mailbox *mb, uint32_t uidnext);

/* Remove files in tmp/ that nobody touched for 36 hours. */
void mailbox_sweep(struct mailbox *mb);

/* Remove some records of mailboxes that are no more. */
void store_purge(struct store *st);

#endif
