/* SPDX-License-Identifier: ISC */
#ifndef STORE_CHUNK_H
#define STORE_CHUNK_H

#include <stdint.h>

#include "base/buf.h"

/*
 * A piece of a bitmap over UIDs: the 4,096 from 4096 * its number on.  It is
 * kept short: how many bits are set, then the places of the ones or of the
 * zeros, whichever are fewer, or else all bits.  So a mailbox from which
 * little was ever expunged is some octets for each 4,096 messages.
 */
enum { CHUNK = 4096, WORDS = CHUNK / 64 };
struct chunk {
	uint32_t count;		/* bits that are set */
	uint64_t w[WORDS];
};

enum { CHUNK_KEPT_MAX = 4 + WORDS * 8 };	/* octets, at most */

/* To the form that is kept: how many octets that are. */
size_t chunk_keep(const struct chunk *c, char to[CHUNK_KEPT_MAX]);

/* Back.  False if it is no such form. */
bool chunk_take(struct span kept, struct chunk *c);

/* Of n pieces of so many octets, which begin with their rising numbers (u32),
 * the first whose number is >= no. */
size_t chunk_at(const void *pieces, size_t n, size_t size, uint32_t no);

/* How many are set, or -1, without taking all of it. */
int chunk_count(struct span kept);

#endif
