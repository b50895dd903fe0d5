/* SPDX-License-Identifier: ISC */
#ifndef STORE_TOLD_H
#define STORE_TOLD_H

#include "base/span.h"

/*
 * What a client was told of the flags of messages: 16 bits of them each, and
 * nothing for those that it never asked about.  When an index was made anew
 * every message has a new MODSEQ, and this tells which has other flags, too.
 */
enum { TOLD = 256 };		/* UIDs a piece */

struct told_piece {
	uint32_t no;		/* UIDs from TOLD * no on */
	uint16_t sum[TOLD];	/* 0: not told */
};

struct told {
	struct told_piece *p;	/* ascending */
	size_t n, cap;
};

void told_free(struct told *t);

/* Never 0.  keyword: [n], ascending. */
uint16_t told_sum(uint32_t flags, const uint32_t *keyword, size_t n);

/* Note, and ask: 0 where nothing was noted. */
void told_put(struct told *t, uint32_t uid, uint16_t sum);
uint16_t told_get(const struct told *t, uint32_t uid);

#endif
