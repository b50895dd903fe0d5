/* SPDX-License-Identifier: ISC */
#include "smtp/dot.h"

#include <string.h>

/* The next state.  *hold is set where the octet is not yet known to be
 * part of the message. */
static enum dot_state
next(enum dot_state state, char c)
{
	switch (state) {
	case DOT_LINE_START:
		if (c == '.')
			return DOT_DOT;
		break;
	case DOT_CR:
		return c == '\n' ? DOT_LINE_START : DOT_BARE;
	case DOT_DOT:
		if (c == '\r')
			return DOT_DOT_CR;
		break;
	case DOT_DOT_CR:
		return c == '\n' ? DOT_ENDED : DOT_BARE;
	case DOT_MIDLINE:
	case DOT_ENDED:
	case DOT_BARE:
		break;
	}
	if (c == '\r')
		return DOT_CR;
	return c == '\n' ? DOT_BARE : DOT_MIDLINE;
}

static void
give(struct dot *d, struct span s, dot_sink *sink, void *ctx)
{
	if (s.n > 0) {
		d->size += s.n;
		sink(ctx, s);
	}
}

size_t
dot_read(struct dot *d, struct span s, dot_sink *sink, void *ctx)
{
	size_t from = 0, i = 0;

	while (i < s.n && d->state < DOT_ENDED) {
		enum dot_state was = d->state;

		/* Inside a line only CR and LF matter. */
		if (was == DOT_MIDLINE) {
			while (i < s.n && s.p[i] != '\r' && s.p[i] != '\n')
				i++;
			if (i == s.n)
				break;
		}
		d->state = next(was, s.p[i]);
		if (d->state == DOT_DOT) {
			/* The dot at the line's start: never given. */
			give(d, (struct span){ s.p + from, i - from }, sink,
			    ctx);
			from = i + 1;
		} else if (d->state == DOT_DOT_CR) {
			from = i + 1;	/* held until it is known */
		}
		i++;
	}
	if (d->state < DOT_DOT)
		give(d, (struct span){ s.p + from, i - from }, sink, ctx);
	return i;
}

void
dot_write(struct dot_writer *w, struct span s, dot_sink *sink, void *ctx)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool start = !w->started ||
		    (w->prev == '\r' && w->last == '\n');

		if (s.p[i] == '.' && start) {
			sink(ctx, (struct span){ s.p + from, i - from });
			sink(ctx, SPAN("."));
			from = i;
		}
		w->started = true;
		w->prev = w->last;
		w->last = s.p[i];
		if (s.p[i] != '\n' && i + 1 < s.n) {
			/* Skip to the octet after the next line feed. */
			const char *lf = memchr(s.p + i, '\n', s.n - i);
			size_t to = lf == NULL ? s.n - 1 :
			    (size_t)(lf - s.p);

			if (to > i) {
				w->prev = s.p[to - 1];
				w->last = s.p[to];
				i = to;
			}
		}
	}
	if (from < s.n)
		sink(ctx, (struct span){ s.p + from, s.n - from });
}

void
dot_write_end(struct dot_writer *w, dot_sink *sink, void *ctx)
{
	if (w->started && !(w->prev == '\r' && w->last == '\n'))
		sink(ctx, SPAN("\r\n"));
	sink(ctx, SPAN(".\r\n"));
}
