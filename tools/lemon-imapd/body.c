/* SPDX-License-Identifier: ISC */
#include "body.h"

#include <string.h>

/* RFC 3501 9: no literal may hold NUL (CHAR8 = %x01-ff), and leaving it out
 * would make the sizes lie. */
static const char NO_NUL = '\x80';

static void
write_octets(void *arg, struct span s)
{
	struct out *o = arg;

	while (s.p != NULL) {
		out_add(o, span_cut(&s, '\0'));
		if (s.p != NULL)
			out_addc(o, NO_NUL);
	}
}

/* Octets of the message straight into the output.  False on a failing or
 * short read. */
static bool
copy(const struct body *b, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t n, want = to - from < STREAM_BULK ?
		    (size_t)(to - from) : STREAM_BULK;
		char *p = out_room(b->out, want, &n), *nul = p;
		ssize_t got = message_read(b->message, from, p, n);

		if (got <= 0 || b->out->state != STREAM_OK)
			return false;
		while ((nul = memchr(nul, '\0',
		    (size_t)(p + got - nul))) != NULL)
			*nul++ = NO_NUL;
		out_took(b->out, (size_t)got);
		from += (uint64_t)got;
	}
	return true;
}

bool
body_write(struct body *b, const struct fetch_section *f)
{
	struct piece c = piece_find(b->digest, &f->section);
	uint64_t skip = 0, left;

	wire_fetch_label(b->out, f);
	if (c.kind == PIECE_NIL) {
		out_adds(b->out, " NIL");
		return true;
	}
	if (piece_size(&c, b->message, &left) != 0)
		return false;
	if (f->partial) {
		skip = f->offset < left ? f->offset : left;
		left -= skip;
		if (left > f->length)
			left = f->length;
	}
	if (left == 0) {
		out_adds(b->out, " \"\"");
		return true;
	}
	out_adds(b->out, " {");
	out_addu(b->out, left);
	out_adds(b->out, "}\r\n");
	if (c.kind == PIECE_OCTETS)
		return copy(b, c.from + skip, c.from + skip + left);
	return piece_read(&c, b->message, skip, left, write_octets,
	    b->out) == 0;
}
