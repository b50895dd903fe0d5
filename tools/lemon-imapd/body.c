/* SPDX-License-Identifier: ISC */
#include "body.h"

#include <errno.h>
#include <string.h>

/* RFC 3501 9: no literal may hold NUL (CHAR8 = %x01-ff), and leaving it out
 * would make the sizes lie. */
static const char NO_NUL = '\x80';

static void
write_octets(void *arg, struct span s)
{
	out_add(arg, s);
}

static void
write_text(void *arg, struct span s)
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
copy(const struct body *b, uint64_t from, uint64_t to, bool nul)
{
	while (from < to) {
		size_t n, want = to - from < STREAM_BULK ?
		    (size_t)(to - from) : STREAM_BULK;
		char *p = out_room(b->out, want, &n), *at = p;
		ssize_t got = message_read(b->message, from, p, n);

		if (got <= 0 || b->out->state != STREAM_OK)
			return false;
		while (!nul && (at = memchr(at, '\0',
		    (size_t)(p + got - at))) != NULL)
			*at++ = NO_NUL;
		out_took(b->out, (size_t)got);
		from += (uint64_t)got;
	}
	return true;
}

enum body_found
body_find(struct body *b, const struct fetch_section *f)
{
	b->section = f;
	if (f->form == FETCH_AS_IS) {
		b->piece = piece_find(b->digest, &f->section);
	} else {
		b->piece = piece_binary(b->digest, &f->section);
		piece_recall(b->memos, b->object, &b->piece);
	}
	if (b->piece.kind == PIECE_UNKNOWN)
		return BODY_UNKNOWN_CTE;
	if (piece_size(&b->piece, b->message, &b->size) == 0)
		return BODY_FOUND;
	return errno == EBADMSG ? BODY_MALFORMED : BODY_LOST;
}

/* What was asked for of the octets found. */
static uint64_t
clip(const struct body *b, uint64_t *skip)
{
	const struct fetch_section *f = b->section;
	uint64_t left = b->size;

	*skip = 0;
	if (!f->partial)
		return left;
	*skip = f->offset < left ? f->offset : left;
	left -= *skip;
	return left < f->length ? left : f->length;
}

bool
body_write(struct body *b)
{
	const struct piece *c = &b->piece;
	bool decoded = b->section->form == FETCH_BINARY, nul = false;
	uint64_t skip, left = clip(b, &skip);

	wire_fetch_label(b->out, b->section);
	out_addc(b->out, ' ');
	if (b->section->form == FETCH_BINARY_SIZE) {
		out_addu(b->out, b->size);
		return true;
	}
	if (c->kind == PIECE_NIL || left == 0) {
		out_adds(b->out, c->kind == PIECE_NIL ? "NIL" : "\"\"");
		return true;
	}
	/* RFC 3516 4.3: a literal8 only where there is a NUL. */
	if (decoded && piece_has_nul(c, b->message, skip, left, &nul) != 0)
		return false;
	out_adds(b->out, nul ? "~{" : "{");
	out_addu(b->out, left);
	out_adds(b->out, "}\r\n");
	if (c->kind == PIECE_OCTETS)
		return copy(b, c->from + skip, c->from + skip + left, nul);
	return piece_read(c, b->message, skip, left,
	    decoded ? write_octets : write_text, b->out) == 0;
}
