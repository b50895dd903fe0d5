/* SPDX-License-Identifier: ISC */
#include "store/piece.h"

enum { CHUNK = 16 * 1024 };

/* The octets in the window go on. */
struct window {
	fields_sink *sink;	/* NULL: only count */
	void *arg;
	uint64_t total;		/* that went by */
	uint64_t skip, left;
};

static void
window_add(void *arg, struct span s)
{
	struct window *w = arg;

	w->total += s.n;
	if (w->sink == NULL || w->left == 0)
		return;
	if (w->skip >= s.n) {
		w->skip -= s.n;
		return;
	}
	s = span_skip(s, (size_t)w->skip);
	w->skip = 0;
	if (s.n > w->left)
		s.n = (size_t)w->left;
	w->left -= s.n;
	w->sink(w->arg, s);
}

bool
piece_kept(const struct section *q)
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
mime_header(const struct digest *d, const struct digest_part *p,
    bool body_of)
{
	static const struct span names[] = {
		SPAN_INIT("Content-"), SPAN_INIT("MIME-Version")
	};

	return (struct piece){
		.kind = body_of ? PIECE_FIELDS : PIECE_OCTETS,
		.digest = d, .from = p->wire_header, .to = p->wire_body,
		.choice = FIELDS_PREFIX, .name = names,
		.names = COUNT(names) };
}

struct piece
piece_find(const struct digest *d, const struct section *q)
{
	struct piece c = { .kind = PIECE_NIL, .digest = d, .name = q->field,
	    .names = q->fields };
	bool body_of = false;

	if (d->fields_whole && piece_kept(q)) {
		c.kind = PIECE_KEPT;
		return c;
	}
	const struct digest_part *p = digest_find(d, q->path, q->depth,
	    &body_of);

	if (p == NULL)
		return c;
	if (q->kind == SECTION_MIME)
		return mime_header(d, p, body_of);
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

/* Octets of the message to a sink. */
static int
octets(struct message *m, uint64_t from, uint64_t to, fields_sink *sink,
    void *arg)
{
	char chunk[CHUNK];

	while (from < to) {
		size_t n = to - from < sizeof chunk ? (size_t)(to - from) :
		    sizeof chunk;
		ssize_t got = message_read(m, from, chunk, n);

		if (got <= 0)
			return -1;
		sink(arg, (struct span){ chunk, (size_t)got });
		from += (uint64_t)got;
	}
	return 0;
}

static void
feed(void *arg, struct span s)
{
	fields_feed(arg, s);
}

/* The chosen fields through the window. */
static int
pour(const struct piece *c, struct message *m, struct window *w)
{
	struct fields f = { .choice = c->choice, .name = c->name,
	    .names = c->names, .sink = window_add, .arg = w };
	int r = 0;

	if (c->kind == PIECE_KEPT)
		fields_feed(&f, c->digest->fields);
	else
		r = octets(m, c->from, c->to, feed, &f);
	fields_finish(&f);
	/* RFC 3501 6.4.5: the blank line that ends the header is included. */
	window_add(w, SPAN("\r\n"));
	return r;
}

int
piece_size(const struct piece *c, struct message *m, uint64_t *n)
{
	struct window w = { 0 };
	int r = 0;

	if (c->kind == PIECE_OCTETS)
		w.total = c->to - c->from;
	else if (c->kind != PIECE_NIL)
		r = pour(c, m, &w);
	*n = w.total;
	return r;
}

int
piece_read(const struct piece *c, struct message *m, uint64_t from,
    uint64_t n, fields_sink *sink, void *arg)
{
	struct window w = { .sink = sink, .arg = arg, .skip = from,
	    .left = n };

	if (c->kind == PIECE_OCTETS)
		return octets(m, c->from + from, c->from + from + n, sink,
		    arg);
	return pour(c, m, &w);
}
