/* SPDX-License-Identifier: ISC */
#ifndef STORE_RENAME_H
#define STORE_RENAME_H

#include "store/view.h"

/*
 * Give the files of messages whose flags are late (record.h) the names that
 * tell them, in portions, as long as go(arg) allows it (NULL: all).  The
 * uidlist hears that they do only when the names are durable, so whoever
 * dies here leaves it to the next one.
 */
enum store_result mailbox_rename(struct mailbox *mb, store_go *go,
    void *arg);

#endif
