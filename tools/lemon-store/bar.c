/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "house.h"

enum { WIDTH = 40, EVERY_MS = 100 };

void
bar_show(const char *what, uint64_t done, uint64_t of)
{
	static int64_t last;
	char bar[WIDTH + 1];
	int64_t now = clock_ms();

	if (!isatty(2) || now - last < EVERY_MS)
		return;
	last = now;
	/* There may be more than anybody knew of. */
	if (done > of) {
		fprintf(stderr, "\r%s %llu messages\033[K", what,
		    (unsigned long long)done);
		return;
	}
	unsigned full = (unsigned)(done * WIDTH / of);

	for (unsigned i = 0; i < WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[WIDTH] = '\0';
	fprintf(stderr, "\r%s [%s] %u%%, %llu of %llu\033[K", what, bar,
	    (unsigned)(done * 100 / of), (unsigned long long)done,
	    (unsigned long long)of);
}

void
bar_clear(void)
{
	if (isatty(2))
		fprintf(stderr, "\r\033[K");
}
