/* SPDX-License-Identifier: ISC */
#include "store/filename.h"

#include "store/batch.h"

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

void
filename_new(unsigned n, struct buf *to)
{
	struct batch b;

	batch_start(&b);
	b.n = n;
	batch_name(&b, 0, 0, to);
}
