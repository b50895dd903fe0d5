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
copy(struct out *o, struct message *m, uint64_t from, uint64_t to, bool nul)
{
	while (from < to) {
		size_t n, want = to - from < STREAM_BULK ?
		    (size_t)(to - from) : STREAM_BULK;
		char *p = out_room(o, want, &n), *at = p;
		ssize_t got = message_read(m, from, p, n);

		if (got <= 0 || o->state != STREAM_OK)
			return false;
		while (!nul && (at = memchr(at, '\0',
		    (size_t)(p + got - at))) != NULL)
			*at++ = NO_NUL;
		out_took(o, (size_t)got);
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

void
body_literal(struct out *o, uint64_t n, bool nul)
{
	/* RFC 3516 4.3: a literal8 only where there is a NUL. */
	out_adds(o, nul ? "~{" : "{");
	out_addu(o, n);
	out_adds(o, "}\r\n");
}

void
body_octets(struct out *o, struct span s, bool binary)
{
	if (binary)
		write_octets(o, s);
	else
		write_text(o, s);
}

bool
body_string(struct out *o, struct message *m, const struct piece *c,
    uint64_t from, uint64_t n, bool binary)
{
	bool nul = false;

	if (n == 0) {
		out_adds(o, "\"\"");
		return true;
	}
	if (binary && piece_has_nul(c, m, from, n, &nul) != 0)
		return false;
	body_literal(o, n, nul);
	if (c->kind == PIECE_OCTETS)
		return copy(o, m, c->from + from, c->from + from + n, nul);
	return piece_read(c, m, from, n, binary ? write_octets : write_text,
	    o) == 0;
}

bool
body_write(struct body *b)
{
	uint64_t skip, left = clip(b, &skip);

	wire_fetch_label(b->out, b->section);
	out_addc(b->out, ' ');
	if (b->section->form == FETCH_BINARY_SIZE) {
		out_addu(b->out, b->size);
		return true;
	}
	if (b->piece.kind == PIECE_NIL) {
		out_adds(b->out, "NIL");
		return true;
	}
	return body_string(b->out, b->message, &b->piece, skip, left,
	    b->section->form == FETCH_BINARY);
}
