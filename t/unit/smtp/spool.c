/* SPDX-License-Identifier: ISC */
#include "smtp/spool.h"

#include <errno.h>
#include <stdlib.h>

#include "../../t.h"

static void
collect(void *ctx, struct span s)
{
	buf_add(ctx, s);
}

/* Octets that differ from their neighbours far and near. */
static void
fill(struct buf *b, size_t n)
{
	buf_clear(b);
	for (size_t i = 0; i < n; i++)
		buf_addc(b, (char)(i * 31 + i / 251));
}

int
main(void)
{
	static const size_t sizes[] = { 0, 1, SPOOL_MEMORY - 1, SPOOL_MEMORY,
		SPOOL_MEMORY + 1, 3 * SPOOL_MEMORY + 7 };
	static const size_t pieces[] = { 4096, SPOOL_MEMORY - 1,
		2 * SPOOL_MEMORY };
	struct buf want = { 0 }, got = { 0 };

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t k = 0; k < COUNT(pieces); k++) {
			struct spool s = { .fd = -1 };
			size_t n = sizes[i], from = n / 3;

			fill(&want, n);
			for (size_t at = 0; at < n; at += pieces[k])
				spool_add(&s, span_head(span_skip(
				    buf_span(&want), at), pieces[k]));
			ok(spool_size(&s) == n && s.error == 0,
			    "the size is what was put in");
			ok((n > SPOOL_MEMORY) == (s.fd >= 0) ||
			    pieces[k] > SPOOL_MEMORY || n == SPOOL_MEMORY,
			    "a small message needs no file");
			buf_clear(&got);
			ok(spool_read(&s, 0, UINT64_MAX, collect, &got) == 0
			    && span_eq(buf_span(&got), buf_span(&want)),
			    "what comes out is what was put in");
			buf_clear(&got);
			ok(spool_read(&s, from, n / 2, collect, &got) == 0 &&
			    span_eq(buf_span(&got), span_head(span_skip(
			    buf_span(&want), from), n / 2)),
			    "and so is a range of it");
			spool_free(&s);
			ok(s.fd == -1 && spool_size(&s) == 0,
			    "it is empty afterwards");
		}

	struct spool s = { .fd = -1 };

	setenv("TMPDIR", "/nonexistent", 1);
	fill(&want, SPOOL_MEMORY);
	spool_add(&s, buf_span(&want));
	ok(s.error == 0, "memory needs no directory");
	spool_add(&s, buf_span(&want));
	ok(s.error == ENOENT, "without a directory a big message fails");
	ok(spool_read(&s, 0, 1, collect, &got) == -1,
	    "and what failed once stays so");
	spool_free(&s);
	buf_free(&want);
	buf_free(&got);
	return done();
}
