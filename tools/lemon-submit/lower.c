/* SPDX-License-Identifier: ISC */
#include "lower.h"

#include <stdlib.h>

#include "base/die.h"
#include "mime/parse.h"
#include "mime/recode.h"

static void
parse(void *ctx, struct span octets)
{
	mime_parser_feed(ctx, octets);
}

static void
look(void *ctx, struct span octets)
{
	transport_feed(ctx, octets);
}

static void
recode(void *ctx, struct span octets)
{
	recode_feed(ctx, octets);
}

static void
add(void *ctx, struct span octets)
{
	spool_add(ctx, octets);
}

/* One pass to see the parts, one to see what they hold. */
static enum transport_verdict
plan(struct spool *from, const struct digest *d, bool eightbit, uint8_t *how)
{
	enum transport_verdict v = TRANSPORT_FITS;
	struct transport t;

	transport_begin(&t, d);
	if (spool_read(from, 0, UINT64_MAX, look, &t) == 0)
		v = transport_plan(&t, eightbit, how);
	transport_end(&t);
	return v;
}

enum transport_verdict
lower(struct spool *from, uint64_t *header, bool eightbit, struct spool *to)
{
	struct mime_parser *p = mime_parser_new(true);
	enum transport_verdict v = TRANSPORT_CANNOT;
	struct buf digest = { 0 };
	struct digest d;
	struct recode r;
	uint8_t *how = NULL;

	spool_read(from, 0, UINT64_MAX, parse, p);
	mime_parser_finish(p, &digest);
	mime_parser_free(p);
	if (from->error != 0) {
		v = TRANSPORT_FITS;
	} else if (digest_open(buf_span(&digest), &d)) {
		how = xcalloc(d.parts, sizeof *how);
		v = plan(from, &d, eightbit, how);
	}
	if (v == TRANSPORT_RECODE) {
		recode_begin(&r, &d, how, add, to);
		spool_read(from, 0, *header, recode, &r);
		uint64_t changed = spool_size(to);

		spool_read(from, *header, UINT64_MAX, recode, &r);
		recode_end(&r);
		*header = changed;
	}
	free(how);
	buf_free(&digest);
	return v;
}
