/* SPDX-License-Identifier: ISC */
/* The two ends of a connection whose peer is in memory. */
#ifndef T_MEMORY_H
#define T_MEMORY_H

#include "net/stream.h"

/* What the peer says, in pieces of step octets at most. */
struct t_said {
	struct span text;
	size_t step;
};

/* The operation of a struct in; ctx is a struct t_said. */
static inline ssize_t
t_say(void *ctx, char *p, size_t n, int64_t deadline)
{
	struct t_said *s = ctx;
	struct span piece = span_head(span_head(s->text, s->step), n);

	(void)deadline;
	if (piece.n > 0)
		memcpy(p, piece.p, piece.n);
	s->text = span_skip(s->text, piece.n);
	return (ssize_t)piece.n;
}

/* That of a struct out: what the peer hears is added to the struct buf ctx. */
static inline ssize_t
t_hear(void *ctx, char *p, size_t n, int64_t deadline)
{
	(void)deadline;
	buf_add(ctx, (struct span){ p, n });
	return (ssize_t)n;
}

#endif
