/* SPDX-License-Identifier: ISC */
#include "body.h"

#include <string.h>

#include "imap/fields.h"

/* Which octets of the message, and whether only some of its fields. */
struct piece {
	enum { PIECE_NIL, PIECE_OCTETS, PIECE_FIELDS, PIECE_KEPT } kind;
	uint64_t from, to;		/* on the wire */
	enum fields_choice choice;
	const struct span *name;
	size_t names;
};

/* Where the octets go: those in the window are written. */
struct window {
	struct out *out;	/* NULL: only count */
	uint64_t total;		/* that went by */
	uint64_t skip, left;
};

/* RFC 3501 9: no literal may hold NUL (CHAR8 = %x01-ff), and leaving it out
 * would make the sizes lie. */
static const char NO_NUL = '\x80';

static void
write_octets(struct out *o, struct span s)
{
	while (s.p != NULL) {
		out_add(o, span_cut(&s, '\0'));
		if (s.p != NULL)
			out_addc(o, NO_NUL);
	}
}

static void
window_add(void *arg, struct span s)
{
	struct window *w = arg;

	w->total += s.n;
	if (w->out == NULL)
		return;
	if (w->skip >= s.n) {
		w->skip -= s.n;
		return;
	}
	s = span_skip(s, (size_t)w->skip);
	w->skip = 0;
	if (s.n > w->left)
		s.n = (size_t)w->left;
	write_octets(w->out, s);
	w->left -= s.n;
}

bool
body_kept(const struct section *q)
{
	if (q->kind != SECTION_FIELDS || q->depth > 0)
		return false;
	for (size_t i = 0; i < q->fields; i++)
		if (!digest_keeps(q->field[i]))
			return false;
	return true;
}

/* RFC 3501 6.4.5: HEADER, HEADER.FIELDS and TEXT of a part are those of the
 * message in it. */
static const struct digest_part *
message_in(const struct digest *d, const struct section *q,
    const struct digest_part *p)
{
	if (q->depth == 0)
		return p;
	return p->kind == PART_MESSAGE && p->child != 0 ?
	    &d->part[p->child] : NULL;
}

/* RFC 3501 6.4.5: MIME is the part's own MIME header.  Of a message that is
 * its own only part it is what RFC 2045 put into the message's header. */
static struct piece
mime_header(const struct digest_part *p, bool body_of)
{
	static const struct span names[] = {
		{ "Content-", 8 }, { "MIME-Version", 12 }
	};
	struct piece c = { PIECE_OCTETS, p->wire_header, p->wire_body,
	    FIELDS_PREFIX, names, COUNT(names) };

	if (body_of)
		c.kind = PIECE_FIELDS;
	return c;
}

static struct piece
find(const struct body *b, const struct section *q)
{
	const struct digest *d = b->digest;
	struct piece c = { .kind = PIECE_NIL, .name = q->field,
	    .names = q->fields };
	bool body_of = false;

	if (d->fields_whole && body_kept(q)) {
		c.kind = PIECE_KEPT;
		return c;
	}
	const struct digest_part *p = digest_find(d, q->path, q->depth,
	    &body_of);

	if (p == NULL)
		return c;
	if (q->kind == SECTION_MIME)
		return mime_header(p, body_of);
	if (q->kind != SECTION_ALL && (p = message_in(d, q, p)) == NULL)
		return c;
	c.kind = PIECE_OCTETS;
	c.from = p->wire_header;
	c.to = p->wire_end;
	if (q->kind == SECTION_TEXT ||
	    (q->kind == SECTION_ALL && q->depth > 0))
		c.from = p->wire_body;
	else if (q->kind != SECTION_ALL)
		c.to = p->wire_body;
	if (q->kind == SECTION_FIELDS || q->kind == SECTION_FIELDS_NOT)
		c.kind = PIECE_FIELDS;
	c.choice = q->kind == SECTION_FIELDS_NOT ? FIELDS_NOT_NAMED :
	    FIELDS_NAMED;
	return c;
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

/* Octets of the message to a sink, in the same way. */
static bool
octets(const struct body *b, uint64_t from, uint64_t to, fields_sink *sink,
    void *arg)
{
	char chunk[STREAM_BUFFER];

	while (from < to) {
		size_t n = to - from < sizeof chunk ? (size_t)(to - from) :
		    sizeof chunk;
		ssize_t got = message_read(b->message, from, chunk, n);

		if (got <= 0 || b->out->state != STREAM_OK)
			return false;
		sink(arg, (struct span){ chunk, (size_t)got });
		from += (uint64_t)got;
	}
	return true;
}

static void
feed(void *arg, struct span s)
{
	fields_feed(arg, s);
}

/* All of the piece through the window. */
static bool
pour(const struct body *b, const struct piece *c, struct window *w)
{
	struct fields f = { .choice = c->choice, .name = c->name,
	    .names = c->names, .sink = window_add, .arg = w };
	bool good = true;

	if (c->kind == PIECE_OCTETS)
		return copy(b, c->from + w->skip,
		    c->from + w->skip + w->left);
	if (c->kind == PIECE_KEPT)
		fields_feed(&f, b->digest->fields);
	else
		good = octets(b, c->from, c->to, feed, &f);
	fields_finish(&f);
	/* RFC 3501 6.4.5: the blank line that ends the header is included. */
	window_add(w, SPAN("\r\n"));
	return good;
}

bool
body_write(struct body *b, const struct fetch_section *f)
{
	struct piece c = find(b, &f->section);
	struct window w = { 0 };

	wire_fetch_label(b->out, f);
	if (c.kind == PIECE_NIL) {
		out_adds(b->out, " NIL");
		return true;
	}
	if (c.kind == PIECE_OCTETS)
		w.total = c.to - c.from;
	else if (!pour(b, &c, &w))
		return false;
	w.left = w.total;
	if (f->partial) {
		w.skip = f->offset < w.total ? f->offset : w.total;
		w.left = w.total - w.skip;
		if (w.left > f->length)
			w.left = f->length;
	}
	if (w.left == 0) {
		out_adds(b->out, " \"\"");
		return true;
	}
	out_adds(b->out, " {");
	out_addu(b->out, w.left);
	out_adds(b->out, "}\r\n");
	w.out = b->out;
	return pour(b, &c, &w);
}
