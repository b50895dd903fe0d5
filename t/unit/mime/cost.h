/* SPDX-License-Identifier: ISC */
/* Twice the text must not take four times the time. */
#ifndef T_COST_H
#define T_COST_H

#include <time.h>

#include "../../t.h"
#include "base/buf.h"

/* Two megabytes of that unit behind what it begins with. */
static inline void
t_cost(void (*parse)(struct span, struct buf *), const char *begin,
    const char *unit)
{
	struct buf in = { 0 }, got = { 0 }, name = { 0 };

	buf_adds(&in, begin);
	for (size_t n = 2000000 / strlen(unit); n > 0; n--)
		buf_adds(&in, unit);
	clock_t t = clock();

	parse(buf_span(&in), &got);
	t = clock() - t;
	buf_adds(&name, "2 MB of ");
	buf_adds(&name, unit);
	buf_adds(&name, " take no second");
	t_ok((double)t / CLOCKS_PER_SEC < 1.0, buf_span(&name));
	buf_free(&in);
	buf_free(&got);
	buf_free(&name);
}

#endif
