/* SPDX-License-Identifier: ISC */
#include "store/seek.h"

#include "mime/addr.h"
#include "mime/header.h"
#include "text/base64.h"
#include "text/charset.h"
#include "text/header.h"
#include "text/param.h"
#include "text/qp.h"

enum { PIECE = 32 * 1024, PIECES_PER_LOOK = 32 };

bool
seek_ready(struct seek *k)
{
	bool good = true;

	k->cache = casemap_cache_new();
	for (size_t i = 0; i < k->fields; i++) {
		struct seek_field *f = &k->field[i];

		f->scan = scan_new(f->needle, f->needles, k->cache);
		good &= f->scan != NULL;
	}
	if (k->head.needles > 0) {
		k->head.scan = scan_new(k->head.needle, k->head.needles,
		    k->cache);
		good &= k->head.scan != NULL;
	}
	if (k->body.needles > 0) {
		k->body.scan = scan_new(k->body.needle, k->body.needles,
		    k->cache);
		good &= k->body.scan != NULL;
	}
	return good;
}

void
seek_free(struct seek *k)
{
	for (size_t i = 0; i < k->fields; i++)
		scan_free(k->field[i].scan);
	scan_free(k->head.scan);
	scan_free(k->body.scan);
	casemap_cache_free(k->cache);
	buf_free(&k->raw);
	buf_free(&k->plain);
	buf_free(&k->utf8);
}

void
seek_begin(struct seek *k)
{
	for (size_t i = 0; i < k->fields; i++) {
		k->field[i].known = k->field[i].present = false;
		scan_clear(k->field[i].scan);
	}
	k->done = 0;
	k->head.known = k->head.scan == NULL;
	k->body.known = k->body.scan == NULL;
	if (k->head.scan != NULL)
		scan_clear(k->head.scan);
	if (k->body.scan != NULL)
		scan_clear(k->body.scan);
}

bool
seek_wants(const struct seek *k)
{
	for (size_t i = 0; i < k->fields; i++)
		if (!k->field[i].known)
			return true;
	return !k->head.known || !k->body.known;
}

size_t
seek_news(const struct seek *k)
{
	size_t n = k->done;

	if (k->head.scan != NULL)
		n += k->head.needles - scan_left(k->head.scan);
	if (k->body.scan != NULL)
		n += k->body.needles - scan_left(k->body.scan);
	return n;
}

static void
text(struct scan *s, struct span t)
{
	scan_begin(s);
	scan_feed(s, t);
}

/* The decoded value of a field, after what stands in k->utf8 already.  Where
 * its charset fails its octets are looked through too (RFC 5255 4.6 (c)). */
static void
value(struct seek *k, struct span name, struct span v, struct scan *s)
{
	struct span whole;
	size_t before = k->utf8.n;

	if (!header_decode(v, &k->utf8)) {
		text(s, buf_span(&k->utf8));
		k->utf8.n = before;
		header_octets(v, &k->utf8);
	}
	text(s, buf_span(&k->utf8));
	/* RFC 2231: names of files in an encoding of their own. */
	if (!span_istarts(name, SPAN("content-")) || span_chr(v, '*') == v.n)
		return;
	whole = span_istarts(name, SPAN("content-type")) ? SPAN("name") :
	    SPAN("filename");
	buf_clear(&k->utf8);
	if (param_get(v, whole, &k->utf8))
		text(s, buf_span(&k->utf8));
}

/* RFC 3501 6.4.4: in the envelope's addresses, names decoded. */
static void
addresses(struct seek *k, struct span v, struct scan *s)
{
	struct addr_list l = { .rest = v };
	struct addr a;

	while (addr_next(&l, &a)) {
		if (a.kind == ADDR_GROUP_END)
			continue;
		buf_clear(&k->utf8);
		header_decode(a.name, &k->utf8);
		if (a.kind == ADDR_MAILBOX) {
			if (k->utf8.n > 0)
				buf_addc(&k->utf8, ' ');
			buf_addc(&k->utf8, '<');
			buf_add(&k->utf8, a.local);
			if (a.domain.n > 0)
				buf_addc(&k->utf8, '@');
			buf_add(&k->utf8, a.domain);
			buf_addc(&k->utf8, '>');
		}
		text(s, buf_span(&k->utf8));
	}
	addr_list_free(&l);
}

static int
compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		int d = (unsigned char)ascii_lower(a.p[i]) -
		    (unsigned char)ascii_lower(b.p[i]);

		if (d != 0)
			return d;
	}
	return (a.n > b.n) - (a.n < b.n);
}

/* The first of k->field with that name, or k->fields. */
static size_t
first_field(const struct seek *k, struct span name)
{
	size_t lo = 0, hi = k->fields;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare(k->field[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
field(struct seek *k, const struct header_field *h)
{
	if (h->name.n == 0)
		return;
	for (size_t i = first_field(k, h->name); i < k->fields &&
	    span_ieq(k->field[i].name, h->name); i++) {
		struct seek_field *f = &k->field[i];

		if (f->known)
			continue;
		f->present = true;
		buf_clear(&k->utf8);
		value(k, h->name, h->value, f->scan);
		if (f->address)
			addresses(k, h->value, f->scan);
	}
}

/* A field as part of a whole header: with its name. */
static void
field_text(struct seek *k, const struct header_field *h, struct scan *s)
{
	buf_clear(&k->utf8);
	if (h->name.n == 0) {
		text(s, h->whole);
		return;
	}
	buf_add(&k->utf8, h->name);
	buf_addc(&k->utf8, ':');
	value(k, h->name, h->value, s);
}

void
seek_kept(struct seek *k, const struct digest *d)
{
	for (size_t i = 0; i < k->fields; i++) {
		struct seek_field *f = &k->field[i];
		struct header_field h;
		struct span rest;

		if (f->known || !d->fields_whole || !digest_keeps(f->name))
			continue;
		buf_clear(&k->raw);
		digest_field(d, f->name, &k->raw);
		rest = buf_span(&k->raw);
		while (header_next(&rest, &h)) {
			f->present = true;
			buf_clear(&k->utf8);
			value(k, h.name, h.value, f->scan);
			if (f->address)
				addresses(k, h.value, f->scan);
		}
		f->known = true;
		k->done++;
	}
}

/* Octets [from, to) of the message, at most max of them, to *b. */
static int
read_range(struct message *m, uint64_t from, uint64_t to, size_t max,
    struct buf *b)
{
	buf_clear(b);
	while (from < to && b->n < max) {
		size_t want = to - from < PIECE ? (size_t)(to - from) : PIECE;
		ssize_t n = message_read(m, from, buf_room(b, want), want);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		b->n += (size_t)n;
		from += (size_t)n;
	}
	return 0;
}

/* The message's own header. */
static int
header(struct seek *k, struct message *m, const struct digest_part *p)
{
	struct header_field h;
	struct span rest;
	bool wanted = !k->head.known;

	for (size_t i = 0; i < k->fields; i++)
		wanted |= !k->field[i].known;
	if (!wanted)
		return 0;
	if (read_range(m, p->wire_header, p->wire_body, SEEK_HEADER_MAX,
	    &k->raw) < 0)
		return -1;
	rest = buf_span(&k->raw);
	while (header_next(&rest, &h)) {
		field(k, &h);
		if (!k->head.known)
			field_text(k, &h, k->head.scan);
	}
	for (size_t i = 0; i < k->fields; i++)
		k->field[i].known = true;
	k->head.known = true;
	k->done++;
	return 0;
}

/* The header of a part or of a message inside: text of the body. */
static int
part_header(struct seek *k, struct message *m, const struct digest_part *p)
{
	struct header_field h;
	struct span rest;

	if (read_range(m, p->wire_header, p->wire_body, SEEK_HEADER_MAX,
	    &k->raw) < 0)
		return -1;
	rest = buf_span(&k->raw);
	while (header_next(&rest, &h))
		field_text(k, &h, k->body.scan);
	return 0;
}

/* One pass over a body. */
struct pass {
	enum mime_encoding encoding;
	struct base64_dec base64;
	struct qp_dec qp;
	struct charset *charset;
};

/* A piece of it, or its end, through its decoders.  False: found all. */
static bool
piece(struct seek *k, struct pass *p, struct span in, bool end)
{
	buf_clear(&k->plain);
	buf_clear(&k->utf8);
	if (p->encoding == ENC_BASE64) {
		base64_decode(&p->base64, in, &k->plain);
		if (end)
			base64_decode_end(&p->base64, &k->plain);
		in = buf_span(&k->plain);
	} else if (p->encoding == ENC_QP) {
		qp_decode(&p->qp, in, &k->plain);
		if (end)
			qp_decode_end(&p->qp, &k->plain);
		in = buf_span(&k->plain);
	}
	charset_decode(p->charset, in, &k->utf8);
	if (end)
		charset_decode_end(p->charset, &k->utf8);
	return scan_feed(k->body.scan, buf_span(&k->utf8));
}

/* -1: cannot be read; 0: found all, or enough; 1: go on; 2: some of it meant
 * nothing in its charset. */
static int
body(struct seek *k, struct message *m, const struct digest_part *part,
    struct span charset, bool (*more)(void *), void *arg)
{
	struct pass p = { .encoding = (enum mime_encoding)part->encoding };
	uint64_t at = part->wire_body;
	int result = 1;

	p.charset = charset_open(charset);
	if (p.charset == NULL)
		p.charset = charset_open(SPAN("utf-8"));
	scan_begin(k->body.scan);
	for (unsigned i = 1; at < part->wire_end && result == 1; i++) {
		uint64_t to = part->wire_end - at > PIECE ? at + PIECE :
		    part->wire_end;

		if (read_range(m, at, to, PIECE, &k->raw) < 0)
			result = -1;
		else if (k->raw.n == 0)
			break;
		else if (!piece(k, &p, buf_span(&k->raw), false) ||
		    (i % PIECES_PER_LOOK == 0 && !more(arg)))
			result = 0;
		at += k->raw.n;
	}
	if (!piece(k, &p, SPAN(""), true) && result == 1)
		result = 0;
	if (result == 1 && !charset_is_utf8(p.charset) &&
	    charset_failed(p.charset))
		result = 2;
	charset_close(p.charset);
	return result;
}

/* RFC 3501 6.4.4: parts that are neither text nor message may be left out.
 * One whose inside was too much to parse may hold any. */
static bool
searched(const struct digest *d, const struct digest_part *p)
{
	struct span type = digest_string(d, p->type);

	return p->kind == PART_LEAF && p->wire_body < p->wire_end &&
	    (span_eq(type, SPAN("text")) || span_eq(type, SPAN("message")) ||
	    (p->flags & PART_TRUNCATED) != 0);
}

static int
part_body(struct seek *k, struct message *m, const struct digest_part *p,
    bool (*more)(void *), void *arg)
{
	const struct digest *d = message_digest(m);
	int r = 1;

	if (!searched(d, p))
		return 1;
	r = body(k, m, p, digest_string(d, p->charset), more, arg);
	/* RFC 5255 4.6 (c): then its octets are compared. */
	if (r == 2)
		r = body(k, m, p, SPAN("utf-8"), more, arg);
	return r;
}

int
seek_message(struct seek *k, struct message *m, bool (*more)(void *),
    void *arg)
{
	const struct digest *d = message_digest(m);

	if (header(k, m, &d->part[0]) < 0)
		return -1;
	for (uint32_t i = 0; i < d->parts && !k->body.known; i++) {
		const struct digest_part *p = &d->part[i];
		int r;

		if (!more(arg))
			return 0;
		if (i > 0 && part_header(k, m, p) < 0)
			return -1;
		r = part_body(k, m, p, more, arg);
		if (r <= 0)
			return r;
	}
	k->body.known = true;
	return 0;
}
