/* SPDX-License-Identifier: ISC */
#ifndef SMTP_SPOOL_H
#define SMTP_SPOOL_H

#include "smtp/dot.h"

/*
 * A message on its way: in memory while it is small, then in a file without
 * a name in $TMPDIR (or /tmp), which the kernel releases whatever happens to
 * us.  It is no queue: nothing in it survives the process.  { .fd = -1 } is
 * an empty one.
 */
enum { SPOOL_MEMORY = 64 * 1024 };

struct spool {
	struct buf head;	/* the octets not in the file */
	int fd;			/* -1: all of it is in head */
	uint64_t filed;		/* octets in the file */
	int error;		/* errno of what failed, 0: nothing did */
};

/* Failure is sticky and shows in .error. */
void spool_add(struct spool *s, struct span octets);
uint64_t spool_size(const struct spool *s);

/* Give out n octets from that offset on, or up to the end.  0, or -1 and
 * .error. */
int spool_read(struct spool *s, uint64_t from, uint64_t n, dot_sink *sink,
    void *ctx);

void spool_free(struct spool *s);	/* leaves an empty one */

#endif
