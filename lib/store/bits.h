/* SPDX-License-Identifier: ISC */
#ifndef STORE_BITS_H
#define STORE_BITS_H

#include "store/record.h"

/*
 * A private copy of one of a mailbox's bitmaps over UIDs, with rank and
 * select: the n-th UID, and how many are up to a UID.
 */
struct bits_chunk {
	uint32_t no;		/* UIDs from CHUNK * no on */
	uint32_t before;	/* bits set in the chunks before */
	uint32_t count;
	uint64_t *w;		/* [WORDS], or NULL where all are set */
};

struct bits {
	struct bits_chunk *c;	/* ascending numbers; none is empty at load */
	size_t n, cap;
	uint32_t total;
};

/* 64 bits of a chunk. */
inline uint64_t
bits_word(const struct bits_chunk *c, uint32_t i)
{
	return c->w == NULL ? UINT64_MAX : c->w[i];
}

/* Read from the index; what b held is replaced.  txn_result tells if it is
 * damaged. */
void bits_load(struct bits *b, struct txn *t, uint32_t mailbox, int kind);
void bits_free(struct bits *b);

/* Have memory for so many chunks at once. */
void bits_room(struct bits *b, size_t n);

/* Whether it is set. */
bool bits_has(const struct bits *b, uint32_t uid);

/* Add or remove one.  Until bits_count no rank or select. */
void bits_set(struct bits *b, uint32_t uid, bool on);
void bits_count(struct bits *b);

/* How many are <= uid.  The n-th from 1, or 0. */
uint32_t bits_rank(const struct bits *b, uint32_t uid);
uint32_t bits_select(const struct bits *b, uint32_t n);

/* The first one >= uid, or 0. */
uint32_t bits_next(const struct bits *b, uint32_t uid);

/* The last one, or 0. */
uint32_t bits_last(const struct bits *b);

#endif
