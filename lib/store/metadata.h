/* SPDX-License-Identifier: ISC */
#ifndef STORE_METADATA_H
#define STORE_METADATA_H

#include "store/store.h"

/*
 * What no message says, by key: annotations, special uses, keys, saved
 * searches.  Kept in Maildir/lemon-metadata, a sealed line each ("KEY VALUE
 * CHECKSUM", words escaped as in line.h), which is replaced as a whole.  A
 * damaged line has no effect, and stays for whoever may mend it.
 *
 * Keys are the caller's to choose; those about a mailbox should begin with
 * its guid, which a rename does not change.
 */
#define METADATA_FILE "lemon-metadata"

enum {
	METADATA_KEY_MAX = 2048,
	METADATA_VALUE_MAX = 1024 * 1024,
	METADATA_FILE_MAX = 64 * 1024 * 1024
};

/* Add the value to *value.  STORE_NONEXISTENT if the key is not there. */
enum store_result metadata_get(struct store *st, struct span key,
    struct buf *value);

struct metadata {
	struct span key, value;
	bool remove;		/* removing what is not there is fine */
};

/* Set and remove n of them, all or nothing, durably before it returns.  Of a
 * key given twice the last counts.  STORE_LIMIT: too big. */
enum store_result metadata_set(struct store *st, const struct metadata *m,
    size_t n);

/* Call fn for each key that begins with that, in the order of octets, until
 * it returns false.  fn may change metadata. */
typedef bool metadata_fn(void *arg, struct span key, struct span value);
enum store_result metadata_each(struct store *st, struct span prefix,
    metadata_fn *fn, void *arg);

#endif
