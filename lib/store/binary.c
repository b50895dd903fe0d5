/* SPDX-License-Identifier: ISC */
#include "store/binary.h"

#include <errno.h>
#include <stdlib.h>

#include "base/die.h"
#include "store/wire.h"
#include "text/base64.h"

struct copy {
	struct wire in;
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

/* Read the next octets, not beyond `end`.  0 at end, -1 with errno; a file
 * that is shorter than its digest says is EIO. */
static ssize_t
next(struct copy *c, uint64_t end)
{
	uint64_t left = end > c->in.wire ? end - c->in.wire : 0;
	size_t want = left < sizeof(c->piece) ? (size_t)left :
	    sizeof(c->piece);
	ssize_t n = want == 0 ? 0 : wire_read(&c->in, c->piece, want);

	if (n == 0 && want > 0) {
		errno = EIO;
		return -1;
	}
	return n;
}

/* Add what becomes of these octets to *to; the empty span is the end. */
typedef void transform(void *arg, struct span octets, struct buf *to);

static int
copy_until(struct copy *c, uint64_t end, transform *change, void *arg)
{
	struct buf text = { 0 };
	ssize_t n;
	int err = 0;

	while (err == 0 && (n = next(c, end)) != 0) {
		if (n < 0) {
			err = errno;
			break;
		}
		buf_clear(&text);
		change(arg, (struct span){ c->piece, (size_t)n }, &text);
		err = writer_write(c->out, buf_span(&text));
	}
	buf_clear(&text);
	change(arg, SPAN(""), &text);
	if (err == 0)
		err = writer_write(c->out, buf_span(&text));
	buf_free(&text);
	return err;
}

static void
keep(void *arg, struct span octets, struct buf *to)
{
	(void)arg;
	buf_add(to, octets);
}

static void
encode(void *arg, struct span octets, struct buf *to)
{
	if (octets.n > 0)
		base64_encode(arg, octets, to);
	else
		base64_encode_end(arg, to);
}

/* Where a header that streams by is. */
enum place { LINE_START, NAME, OTHER, OURS, OURS_START };

static const char field[] = "content-transfer-encoding";

struct header {
	enum place place;
	size_t matched;		/* of field; after it blanks up to ":" */
	struct buf held;	/* the name so far, which may be ours */
	struct span value;	/* what it is to be */
};

/* Take one octet of a header.  What is to be written is added to *to. */
static void
header_octet(struct header *h, char c, struct buf *to)
{
	bool blank = c == ' ' || c == '\t';

	if (h->place == OURS_START && blank)
		h->place = OURS;
	if (h->place == OURS) {
		if (c == '\n')
			h->place = OURS_START;
		return;
	}
	if (h->place == LINE_START || h->place == OURS_START) {
		h->matched = 0;
		h->place = blank ? OTHER : NAME;
	}
	if (h->place == NAME) {
		size_t n = sizeof(field) - 1;

		if (h->matched < n && ascii_lower(c) == field[h->matched]) {
			h->matched++;
			buf_addc(&h->held, c);
			return;
		}
		if (h->matched == n && blank && h->held.n < 200) {
			buf_addc(&h->held, c);
			return;
		}
		buf_add(to, buf_span(&h->held));
		buf_clear(&h->held);
		if (h->matched == n && c == ':') {
			buf_adds(to, ": ");
			buf_add(to, h->value);
			buf_adds(to, "\r\n");
			h->place = OURS;
			return;
		}
		h->place = OTHER;
	}
	buf_addc(to, c);
	if (c == '\n')
		h->place = LINE_START;
}

static void
adjust(void *arg, struct span octets, struct buf *to)
{
	struct header *h = arg;

	for (size_t i = 0; i < octets.n; i++)
		header_octet(h, octets.p[i], to);
	if (octets.n == 0) {
		buf_add(to, buf_span(&h->held));
		buf_free(&h->held);
	}
}

int
binary_copy(int fd, const struct digest *d, struct writer *w)
{
	struct copy *c = xmalloc(sizeof(*c));
	int err = 0;

	c->out = w;
	if (wire_open(&c->in, fd, d->raw_eol, UINT64_MAX, 0, 0) != 0)
		err = errno;
	/* Parts come in the order in which they begin. */
	for (uint32_t i = 0; i < d->parts && err == 0; i++) {
		const struct digest_part *p = &d->part[i];
		bool leaf = p->kind == PART_LEAF;

		if (p->encoding != ENC_BINARY)
			continue;
		struct header h = { .place = LINE_START,
			.value = leaf ? SPAN("base64") : SPAN("8bit") };
		struct base64_enc e = { .wrap = true };

		err = copy_until(c, p->wire_header, keep, NULL);
		if (err == 0)
			err = copy_until(c, p->wire_body, adjust, &h);
		if (err == 0 && leaf)
			err = copy_until(c, p->wire_end, encode, &e);
	}
	if (err == 0)
		err = copy_until(c, d->wire_size, keep, NULL);
	free(c);
	return err;
}
