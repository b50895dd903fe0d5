/* SPDX-License-Identifier: ISC */
#include "mime/tree.h"

#include <stdlib.h>

#include "base/die.h"
#include "mime/date.h"

void
tree_begin(struct mime_parser *p, uint32_t parent)
{
	uint32_t i = p->parts++;

	if (i == p->cap) {
		p->cap = p->cap == 0 ? 8 : p->cap * 2;
		p->part = xrealloc(p->part, p->cap * sizeof *p->part);
	}
	struct part *n = &p->part[i];

	*n = (struct part){ 0 };
	n->d.parent = parent;
	n->d.file_header = p->line;
	n->d.wire_header = p->line_wire;
	if (i > 0) {
		struct part *up = &p->part[parent];

		if (up->d.child == 0)
			up->d.child = i;
		else
			p->part[up->last].d.next = i;
		up->last = i;
	}
	p->cur = i;
	/* The last that there can be holds all the rest. */
	p->frozen = p->parts == MIME_PARTS_MAX;
	p->in_header = true;
	p->first = true;
	buf_clear(&p->header);
	p->header_line = 0;
	p->header_max = HEADERS_MAX - p->headers;
	if (p->header_max > MIME_HEADER_MAX)
		p->header_max = MIME_HEADER_MAX;
}

static struct digest_str
store(struct buf *in, struct span s)
{
	struct digest_str str = { (uint32_t)in->n, (uint32_t)s.n };

	buf_add(in, s);
	return str;
}

static struct digest_str
written(const struct buf *text, size_t at)
{
	return (struct digest_str){ (uint32_t)at, (uint32_t)(text->n - at) };
}

static void
set_type(struct mime_parser *p, struct part *n, struct span type,
    struct span subtype)
{
	n->d.type = store(&p->strings, type);
	n->d.subtype = store(&p->strings, subtype);
}

/* What no reader can take apart is shown as octets, or as text where it is
 * known to be lines. */
void
tree_leaf(struct mime_parser *p, struct part *n, bool text)
{
	size_t at = p->text.n;

	n->d.kind = PART_LEAF;
	if (text) {
		set_type(p, n, SPAN("text"), SPAN("plain"));
		buf_adds(&p->text, " (\"charset\" \"us-ascii\")");
	} else {
		set_type(p, n, SPAN("application"), SPAN("octet-stream"));
		buf_adds(&p->text, " NIL");
		n->d.flags |= PART_TRUNCATED;
	}
	n->d.charset = (struct digest_str){ 0, 0 };
	n->params = written(&p->text, at);
}

/* A field as it is on the wire. */
static void
add_field(struct mime_parser *p, struct span s)
{
	while (s.n > 0) {
		size_t n = span_chr(s, '\n');

		buf_add(&p->fields, span_head(s, n));
		if (n == s.n) {
			buf_adds(&p->fields, "\r\n");
			return;
		}
		if (!p->raw && (n == 0 || s.p[n - 1] != '\r'))
			buf_addc(&p->fields, '\r');
		buf_addc(&p->fields, '\n');
		s = span_skip(s, n + 1);
	}
}

/* The header of a message: envelope and, of the outermost, kept fields. */
static void
message_header(struct mime_parser *p, struct part *n)
{
	struct span date;
	size_t at = p->text.n;

	envelope_write(&p->index, &p->envelope, &p->text, &date);
	n->envelope = written(&p->text, at);
	if (p->cur != 0)
		return;
	date_parse(date, &p->date, &p->date_zone);
	for (size_t i = 0; i < p->index.n; i++) {
		const struct header_field *f = &p->index.f[i];

		if (f->name.n > 0 && digest_keeps(f->name))
			add_field(p, f->whole);
	}
}

static bool
is(const struct buf *b, const char *s)
{
	return span_eq(buf_span(b), span_str(s));
}

/* A boundary cannot end in a blank (RFC 2046 5.1.1). */
static struct span
boundary_of(const struct content *c)
{
	struct span b = buf_span(&c->boundary);

	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	return b;
}

static void
push(struct mime_parser *p, struct span boundary)
{
	struct open *o = &p->open[p->depth++];

	o->part = p->cur;
	o->digest = is(&p->content.subtype, "digest") && boundary.n > 0;
	o->closed = false;
	buf_clear(&o->boundary);
	buf_add(&o->boundary, boundary);
	if (boundary.n > 0)
		p->lengths |= UINT64_C(1) << boundary.n % 64;
}

/* Decide what the part is whose header was read, and go inside. */
static void
part_kind(struct mime_parser *p, struct part *n)
{
	const struct content *c = &p->content;
	bool multipart = is(&c->type, "multipart");
	bool message = is(&c->type, "message") && is(&c->subtype, "rfc822");
	bool room = p->depth < MIME_DEPTH_MAX && p->parts < MIME_PARTS_MAX;
	struct span boundary = boundary_of(c);

	if (multipart && (boundary.n == 0 || boundary.n > BOUNDARY_MAX)) {
		tree_leaf(p, n, true);
	} else if ((multipart || message) && !room) {
		tree_leaf(p, n, false);
	} else if (multipart) {
		n->d.kind = PART_MULTIPART;
		push(p, boundary);
	} else if (message) {
		n->d.kind = PART_MESSAGE;
		push(p, SPAN(""));
		tree_begin(p, p->cur);
	}
}

static bool
is_message(const struct mime_parser *p, uint32_t i)
{
	return i == 0 || p->part[p->part[i].d.parent].d.kind == PART_MESSAGE;
}

void
tree_header_end(struct mime_parser *p)
{
	struct part *n = &p->part[p->cur];
	struct content *c = &p->content;
	bool in_digest = p->depth > 0 && p->open[p->depth - 1].digest;

	p->in_header = false;
	p->headers += p->header.n;
	n->d.file_body = p->line;
	n->d.wire_body = p->line_wire;
	n->lines_before = p->lines;
	header_index(&p->index, buf_span(&p->header));
	if (is_message(p, p->cur))
		message_header(p, n);

	content_read(c, &p->index, in_digest);
	set_type(p, n, buf_span(&c->type), buf_span(&c->subtype));
	n->d.encoding = (uint8_t)c->known_encoding;
	if (is(&c->type, "text"))
		n->d.charset = store(&p->strings, buf_span(&c->charset));
	size_t params = p->text.n;

	content_params(c, &p->text);
	size_t about = p->text.n;

	content_about(c, &p->text);
	size_t md5 = p->text.n;

	content_md5(c, &p->text);
	size_t extension = p->text.n;

	content_extension(c, &p->text);
	n->params = (struct digest_str){ (uint32_t)params,
		(uint32_t)(about - params) };
	n->about = (struct digest_str){ (uint32_t)about,
		(uint32_t)(md5 - about) };
	n->md5 = (struct digest_str){ (uint32_t)md5,
		(uint32_t)(extension - md5) };
	n->extension = written(&p->text, extension);
	part_kind(p, n);
}

/* A part's body ends there, or where it began if that is later; what it is
 * inside of ends no earlier. */
static void
part_end(struct mime_parser *p, uint32_t i, struct place *at)
{
	struct part *n = &p->part[i];

	if (at->file < n->d.file_body) {
		at->file = n->d.file_body;
		at->wire = n->d.wire_body;
		at->lines = n->lines_before;
	}
	n->d.file_end = at->file;
	n->d.wire_end = at->wire;
	uint64_t lines = at->lines - n->lines_before;

	n->d.lines = lines > UINT32_MAX ? UINT32_MAX : (uint32_t)lines;
	if (p->nul > n->d.file_body)
		n->d.flags |= PART_HAS_NUL;
	if (p->high > n->d.file_body)
		n->d.flags |= PART_HAS_8BIT;
	if (n->d.kind == PART_MULTIPART && n->d.child == 0)
		tree_leaf(p, n, true);
}

void
tree_close(struct mime_parser *p, size_t depth, struct place at)
{
	while (p->in_header)
		tree_header_end(p);
	if (p->depth == 0 || p->open[p->depth - 1].part != p->cur)
		part_end(p, p->cur, &at);
	while (p->depth > depth) {
		p->depth--;
		part_end(p, p->open[p->depth].part, &at);
	}
	p->lengths = 0;
	for (size_t i = 0; i < depth; i++)
		if (p->open[i].boundary.n > 0 && !p->open[i].closed)
			p->lengths |=
			    UINT64_C(1) << p->open[i].boundary.n % 64;
}
