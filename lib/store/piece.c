/* SPDX-License-Identifier: ISC */
#include "store/piece.h"

#include <errno.h>

#include "text/qp.h"

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

static bool
encodes(enum mime_encoding e)
{
	return e == ENC_BASE64 || e == ENC_QP || e == ENC_UNKNOWN;
}

struct piece
piece_binary(const struct digest *d, const struct section *q)
{
	struct piece c = piece_find(d, q);
	const struct digest_part *p;
	bool body_of;

	if (c.kind != PIECE_OCTETS || q->depth == 0) {
		c.nul = true;
		return c;
	}
	p = digest_find(d, q->path, q->depth, &body_of);
	c.nul = (p->flags & PART_HAS_NUL) != 0;
	if (p->kind == PART_MULTIPART || !encodes(p->encoding))
		return c;
	c.kind = p->encoding == ENC_UNKNOWN ? PIECE_UNKNOWN : PIECE_DECODED;
	c.encoding = p->encoding;
	c.nul = true;
	return c;
}

void
piece_recall(struct piece_memos *k, uint64_t object, struct piece *c)
{
	struct piece_memo new = { .object = object,
	    .message = c->digest->wire_size, .from = c->from, .to = c->to };

	if (c->kind != PIECE_DECODED)
		return;
	for (size_t i = 0; i < PIECE_MEMOS && c->memo == NULL; i++) {
		struct piece_memo *o = &k->memo[i];

		if (o->object == object && o->message == new.message &&
		    o->from == c->from && o->to == c->to)
			c->memo = o;
	}
	if (c->memo == NULL) {
		c->memo = &k->memo[k->next++ % PIECE_MEMOS];
		*c->memo = new;
	}
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

/* A decoding under way. */
struct decoding {
	enum mime_encoding encoding;
	struct base64_dec base64;
	struct qp_dec qp;
	struct buf plain;
	bool nul;
	struct window *w;
};

/* The next octets, or the end of all. */
static void
decode(struct decoding *d, struct span in, bool end)
{
	buf_clear(&d->plain);
	if (d->encoding == ENC_BASE64) {
		base64_decode(&d->base64, in, &d->plain);
		if (end)
			base64_decode_end(&d->base64, &d->plain);
	} else {
		qp_decode(&d->qp, in, &d->plain);
		if (end)
			qp_decode_end(&d->qp, &d->plain);
	}
	struct span s = buf_span(&d->plain);

	d->nul = d->nul || span_chr(s, '\0') < s.n;
	window_add(d->w, s);
}

/* Where it can be taken up for a window that begins there.  Within what
 * quoted-printable holds it cannot, and so it is asked where a line ends. */
static void
note(struct piece_memo *k, const struct decoding *d, uint64_t first,
    uint64_t wire)
{
	if (k == NULL || d->w->total > first || !qp_decode_clean(&d->qp))
		return;
	k->wire = wire;
	k->decoded = d->w->total;
	k->base64 = d->base64;
}

/* Decode up to that octet of the decoded ones, which the window is not
 * beyond. */
static int
decode_until(const struct piece *c, struct message *m, struct decoding *d,
    uint64_t until)
{
	struct piece_memo *k = c->memo;
	struct window *w = d->w;
	uint64_t at = c->from, first = w->skip;
	char chunk[CHUNK];

	if (k != NULL && k->decoded <= first) {
		at += k->wire;
		d->base64 = k->base64;
		w->total = k->decoded;
		w->skip -= k->decoded;
	}
	while (at < c->to && w->total < until) {
		size_t n = c->to - at < CHUNK ? (size_t)(c->to - at) : CHUNK;
		ssize_t got = message_read(m, at, chunk, n);

		if (got <= 0)
			return -1;
		struct span s = { chunk, (size_t)got };
		size_t line = span_rchr(s, '\n');

		at += s.n;
		if (line < s.n) {
			decode(d, span_head(s, line + 1), false);
			s = span_skip(s, line + 1);
			note(k, d, first, at - s.n - c->from);
		}
		decode(d, s, at == c->to);
		note(k, d, first, at - c->from);
	}
	return 0;
}

static int
decode_window(const struct piece *c, struct message *m, struct window *w,
    uint64_t until, struct piece_memo *found)
{
	struct decoding d = { .encoding = c->encoding, .w = w };
	int r = decode_until(c, m, &d, until);

	*found = (struct piece_memo){ .known = true, .nul = d.nul,
	    .malformed = d.base64.bad, .size = w->total };
	qp_decode_end(&d.qp, &d.plain);
	buf_free(&d.plain);
	return r;
}

static int
decoded_size(const struct piece *c, struct message *m, uint64_t *n)
{
	struct piece_memo found = { 0 };
	struct window w = { 0 };

	if (c->memo != NULL && c->memo->known) {
		found = *c->memo;
	} else {
		if (decode_window(c, m, &w, UINT64_MAX, &found) != 0)
			return -1;
		if (c->memo != NULL) {
			c->memo->known = true;
			c->memo->malformed = found.malformed;
			c->memo->nul = found.nul;
			c->memo->size = found.size;
		}
	}
	*n = found.size;
	if (!found.malformed)
		return 0;
	errno = EBADMSG;
	return -1;
}

int
piece_size(const struct piece *c, struct message *m, uint64_t *n)
{
	struct window w = { 0 };
	int r = 0;

	if (c->kind == PIECE_DECODED)
		return decoded_size(c, m, n);
	if (c->kind == PIECE_OCTETS)
		w.total = c->to - c->from;
	else if (c->kind == PIECE_FIELDS || c->kind == PIECE_KEPT)
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
	struct piece_memo found;

	if (c->kind == PIECE_OCTETS)
		return octets(m, c->from + from, c->from + from + n, sink,
		    arg);
	if (c->kind == PIECE_DECODED)
		return decode_window(c, m, &w, from + n, &found) == 0 &&
		    w.left == 0 ? 0 : -1;
	return pour(c, m, &w);
}

static void
look_for_nul(void *arg, struct span s)
{
	bool *nul = arg;

	*nul = *nul || span_chr(s, '\0') < s.n;
}

int
piece_has_nul(const struct piece *c, struct message *m, uint64_t from,
    uint64_t n, bool *nul)
{
	const struct piece_memo *k = c->memo;
	bool known = k != NULL && k->known;

	*nul = known && k->nul && n == k->size;
	if (!c->nul || *nul || (known && !k->nul))
		return 0;
	return piece_read(c, m, from, n, look_for_nul, nul);
}
