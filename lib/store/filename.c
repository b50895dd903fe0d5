/* SPDX-License-Identifier: ISC */
#include "store/filename.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* Where the information begins, or file.n. */
static size_t
info(struct span file)
{
	size_t at = span_rchr(file, ':');

	return span_starts(span_skip(file, at), SPAN(":2,")) ? at : file.n;
}

struct span
filename_base(struct span file)
{
	return span_head(file, info(file));
}

struct span
filename_flags(struct span file)
{
	return span_skip(file, info(file) + 3);
}

/* The number after the first ",X=" of the base. */
static bool
field(struct span file, char letter, uint64_t *v)
{
	struct span rest = filename_base(file);

	(void)span_cut(&rest, ',');
	while (rest.p != NULL) {
		struct span f = span_cut(&rest, ',');

		if (f.n > 2 && f.p[0] == letter && f.p[1] == '=')
			return span_u64(span_skip(f, 2), INT64_MAX, v);
	}
	return false;
}

bool
filename_size(struct span file, uint64_t *s)
{
	return field(file, 'S', s);
}

bool
filename_wire(struct span file, uint64_t *w)
{
	return field(file, 'W', w);
}

/* The host's name with everything escaped that has a meaning in a file name
 * ("/" as \057 and ":" as \072, as everyone does), and not too long. */
static void
add_host(struct buf *to)
{
	char host[65] = "";
	size_t n;

	if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
		memcpy(host, "localhost", 10);
	n = strlen(host);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)host[i];

		if (c <= ' ' || c > '~' || strchr("/:,\\", c) != NULL)
			buf_addf(to, "\\%03o", c);
		else
			buf_addc(to, host[i]);
	}
}

void
filename_new(unsigned count, struct buf *to)
{
	int64_t us = clock_now_us();
	size_t before = to->n;
	uint64_t random;

	random_fill(&random, sizeof(random));
	buf_addf(to, "%" PRId64 ".M%06" PRId64 "P%ldQ%uR%016" PRIx64 ".",
	    us / 1000000, us % 1000000, (long)getpid(),
	    count, random);
	add_host(to);
	if (to->n - before > 200)
		to->n = before + 200;
}
