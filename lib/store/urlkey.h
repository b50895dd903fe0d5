/* SPDX-License-Identifier: ISC */
#ifndef STORE_URLKEY_H
#define STORE_URLKEY_H

#include "store/store.h"

/*
 * A mailbox's access key (RFC 4467 3): 256 random bits in lemon-metadata
 * under the mailbox's guid.  A rename leaves it; a mailbox that was deleted
 * and made again has another guid, and so none of the old key.  What is read
 * is kept until the file changes.
 */
enum { URLKEY = 32 };		/* octets */

/* The key to key[].  If there is none: with make one is made, durably, else
 * STORE_NONEXISTENT. */
enum store_result urlkey_get(struct mailbox *mb, bool make,
    unsigned char key[URLKEY]);

/* Give the mailbox another key, durably.  Nothing that the old one signed is
 * good any more. */
enum store_result urlkey_reset(struct mailbox *mb);

/* The same for all mailboxes: none has a key. */
enum store_result urlkey_reset_all(struct store *st);

/* Release what store_close calls it for (NULL is fine). */
struct urlkeys;
void urlkeys_free(struct urlkeys *k);

#endif
