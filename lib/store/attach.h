/* SPDX-License-Identifier: ISC */
#ifndef STORE_ATTACH_H
#define STORE_ATTACH_H

#include "store/record.h"

/*
 * Begin to read the mailbox: a snapshot in which mb->id holds and nothing is
 * being built, and its meta.  Makes or completes the mailbox's part of the
 * index first where that is needed.  STORE_CHANGED: the folder is gone or
 * another took its name.
 */
enum store_result mailbox_read(struct mailbox *mb, struct txn *t,
    struct meta *m);

/* Its meta alone. */
enum store_result mailbox_meta(struct mailbox *mb, struct meta *m);

/* As change_begin, but the mailbox may still be in building: for scan.c. */
enum store_result attach_begin(struct change *c, struct mailbox *mb,
    size_t need, bool reserve);

/* As attach_begin, in the transaction that c->t already is; c->mb is set.  A
 * mailbox that the index does not know, or not whole, is STORE_CHANGED. */
enum store_result attach_join(struct change *c);

/* What the index knows of the mailbox already, if anything: nothing is made
 * or completed.  mb->id is then set. */
bool attach_known(struct mailbox *mb, struct txn *t, struct meta *m);

/* The index forgets the mailbox: whoever comes next takes it in anew from its
 * list.  In a transaction that writes. */
void attach_forget(struct mailbox *mb, struct txn *t);

/* STORE_OK if the folder's name still leads to the directory that is open,
 * STORE_CHANGED if it was deleted or renamed. */
enum store_result attach_path(struct mailbox *mb);

#endif
