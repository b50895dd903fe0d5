/* SPDX-License-Identifier: ISC */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "base/buf.h"

/* A batch of names that are unique on every host, and never over 200 octets:
 * SECONDS.MmicrosPpidQnRrandom.host.  The prefix and the random part tell the
 * batch from all others. */
struct batch {
	int64_t sec;
	uint32_t usec, pid;
	uint32_t n;		/* the next one's number */
	uint64_t random;
	char host[64];
};
void batch_start(struct batch *b);

/* The next name, with ",S=size,W=wire" where wire is not 0. */
void batch_name(struct batch *b, uint64_t size, uint64_t wire,
    struct buf *to);

/* Whether a name is of the batch. */
bool batch_has(const struct batch *b, struct span name);

/* The seconds with which a name begins, or 0. */
uint64_t batch_seconds(struct span name);

#endif
