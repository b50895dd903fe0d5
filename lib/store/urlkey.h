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

/* The same for the mailbox of that name, opened for reading, with its
 * UIDVALIDITY.  STORE_DENIED is about the mailbox alone.  The last one is kept
 * open, and is looked at anew when its folder or its list is another. */
enum store_result urlkey_of(struct store *st, struct span name, bool make,
    uint32_t *uidvalidity, unsigned char key[URLKEY]);
void urlkey_forget(struct store *st);	/* close it */

/* Give the mailbox another key, durably, and ring the bell.  Nothing that the old one signed is
 * good any more. */
enum store_result urlkey_reset(struct mailbox *mb);

/* The same for all mailboxes: none has a key. */
enum store_result urlkey_reset_all(struct store *st);

/* Of a mailbox that is to be deleted: whether it has a key, and its guid; and
 * when it is gone, take the key's line away, if that can be done.  Both want
 * the lock of the tree. */
bool urlkey_mark(struct store *st, struct span name, uint8_t guid[16]);
void urlkey_drop(struct store *st, const uint8_t guid[16]);

/*
 * Whether the key is the one that it was: urlkey_watch notes it, and
 * urlkey_was_reset tells once that a key which was there then is no more.
 * While the file stays as it is that is one system call.
 */
struct urlkey_watch {
	uint8_t guid[16];
	unsigned char key[URLKEY];
	bool known, had;	/* the guid is; there was a key */
	uint64_t look;		/* when it was compared, in looks */
};
void urlkey_watch(struct mailbox *mb, struct urlkey_watch *w);
bool urlkey_was_reset(struct mailbox *mb, struct urlkey_watch *w);

/* Release what store_close calls it for (NULL is fine). */
struct urlkeys;
void urlkeys_free(struct urlkeys *k);

#endif
