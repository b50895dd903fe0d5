/* SPDX-License-Identifier: ISC */
#include "store/binary.h"

#include <errno.h>
#include <stdlib.h>

#include "base/die.h"
#include "mime/recode.h"
#include "store/wire.h"

struct copy {
	struct wire in;
	struct recode recode;
	struct writer *out;
	char piece[32 * 1024];
};

bool
binary_has(const struct digest *d)
{
	for (uint32_t i = 0; i < d->parts; i++) {
		if (d->part[i].encoding == ENC_BINARY)
			return true;
	}
	return false;
}

static uint8_t *
plan(const struct digest *d)
{
	uint8_t *how = xcalloc(d->parts, sizeof(*how));

	for (uint32_t i = 0; i < d->parts; i++)
		if (d->part[i].encoding == ENC_BINARY)
			how[i] = d->part[i].kind == PART_LEAF ?
			    RECODE_BASE64 : RECODE_8BIT;
	return how;
}

/* What failed is kept by the writer. */
static void
put(void *arg, struct span octets)
{
	(void)writer_write(arg, octets);
}

/* The whole message; a file that is shorter than its digest says is EIO. */
static int
pour(struct copy *c, uint64_t size)
{
	while (c->in.wire < size && c->out->err == 0) {
		uint64_t left = size - c->in.wire;
		ssize_t n = wire_read(&c->in, c->piece,
		    left < sizeof(c->piece) ? (size_t)left :
		    sizeof(c->piece));

		if (n <= 0)
			return n < 0 ? errno : EIO;
		recode_feed(&c->recode, (struct span){ c->piece, (size_t)n });
	}
	return c->out->err;
}

int
binary_copy(int fd, const struct digest *d, struct writer *w)
{
	struct copy *c = xmalloc(sizeof(*c));
	uint8_t *how = plan(d);
	int err;

	c->out = w;
	recode_begin(&c->recode, d, how, put, w);
	err = wire_open(&c->in, fd, d->raw_eol, UINT64_MAX, 0, 0) != 0 ?
	    errno : pour(c, d->wire_size);
	recode_end(&c->recode);
	free(how);
	free(c);
	return err;
}
