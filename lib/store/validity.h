/* SPDX-License-Identifier: ISC */
#ifndef STORE_VALIDITY_H
#define STORE_VALIDITY_H

#include "store/internal.h"

/*
 * UIDVALIDITY values of a store: each is given to one folder, ever, so a
 * name that was deleted and made again never has an old one.  The highest so
 * far is in Maildir/lemon-uidvalidity (ten digits), which is changed under a
 * lock of its own.  That lock is the innermost: both functions may be called
 * with the index's write lock held.
 */

/* A new one, at least the time of day, above every other; durable before it
 * returns.  STORE_LIMIT when 32 bits are used up. */
enum store_result validity_new(struct store *st, uint32_t *v);

/* Another server's folder has that one: new ones are to be above it. */
enum store_result validity_seen(struct store *st, uint32_t v);

#endif
