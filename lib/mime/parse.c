/* SPDX-License-Identifier: ISC */
#include "mime/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "mime/content.h"
#include "mime/date.h"
#include "mime/digest-form.h"
#include "mime/emailid.h"
#include "mime/envelope.h"
#include "mime/header.h"
#include "mime/structure.h"

enum {
	HEAD_MAX = 1100,	/* of a line that may be a boundary */
	BOUNDARY_MAX = 1000,	/* RFC 2046 5.1.1 has 70 */
	SLICE = 16 * 1024,	/* scanned while it is in the cache */
	HEADERS_MAX = 4 * 1024 * 1024	/* kept of all headers together */
};

/* A part that can have parts, from the message inwards. */
struct open {
	uint32_t part;
	bool digest;		/* multipart/digest */
	bool closed;		/* after its last boundary */
	struct buf boundary;	/* empty: a message/rfc822 */
};

struct mime_parser {
	bool raw;		/* lone LFs are no CRLF on the wire */
	bool in_header;		/* else in a body */
	bool first;		/* no line of that header was seen */
	bool frozen;		/* no more parts: the last takes the rest */
	uint64_t crs;		/* CRs that the wire has and the file not */
	uint64_t lines;		/* line ends */

	/* The line that is being read, and the end of the one before. */
	uint64_t line, line_wire;
	uint64_t eol, eol_wire;
	uint64_t length;	/* octets of it that were in other pieces */
	bool cr;		/* the last of them was CR */
	bool dash;		/* it begins with "-" */
	struct buf head;	/* then: its first octets */

	uint64_t file;		/* octets fed */
	bool odd;		/* this slice has NULs or 8-bit octets */
	uint64_t nul, high;	/* past the last NUL, the last 8-bit octet */
	uint64_t nul_before, high_before;	/* … before this line */

	struct buf header;	/* of part cur */
	size_t header_max;	/* octets of it that are kept */
	size_t header_line;	/* where its last line begins */
	size_t headers;		/* octets kept of all headers */
	bool header_whole;	/* of the message: nothing was cut */
	struct content content;

	uint32_t cur;		/* the part that is being read */
	struct part *part;
	uint32_t parts, cap;
	struct open open[MIME_DEPTH_MAX];
	size_t depth;
	uint64_t lengths;	/* bit n % 64: a boundary of n octets is open */

	struct emailid emailid;
	struct buf text, strings, fields, checkpoints;
	int64_t date;
	int32_t date_zone;
};

/* A new part begins at the current line. */
static void
part_begin(struct mime_parser *p, uint32_t parent)
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

struct mime_parser *
mime_parser_new(bool raw_eol)
{
	struct mime_parser *p = xcalloc(1, sizeof *p);

	p->raw = raw_eol;
	p->date = INT64_MIN;
	p->header_whole = true;
	emailid_init(&p->emailid, raw_eol);
	part_begin(p, 0);
	return p;
}

void
mime_parser_free(struct mime_parser *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < MIME_DEPTH_MAX; i++)
		buf_free(&p->open[i].boundary);
	content_free(&p->content);
	buf_free(&p->head);
	buf_free(&p->header);
	buf_free(&p->text);
	buf_free(&p->strings);
	buf_free(&p->fields);
	buf_free(&p->checkpoints);
	free(p->part);
	free(p);
}

/* --- the end of a header --- */

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
static void
make_leaf(struct mime_parser *p, struct part *n, bool text)
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
	struct span rest = buf_span(&p->header), date;
	struct header_field f;
	size_t at = p->text.n;

	envelope_write(rest, &p->text, &date);
	n->envelope = written(&p->text, at);
	if (p->cur != 0)
		return;
	date_parse(date, &p->date, &p->date_zone);
	while (header_next(&rest, &f))
		if (f.name.n > 0 && digest_keeps(f.name))
			add_field(p, f.whole);
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
		make_leaf(p, n, true);
	} else if ((multipart || message) && !room) {
		make_leaf(p, n, false);
	} else if (multipart) {
		n->d.kind = PART_MULTIPART;
		push(p, boundary);
	} else if (message) {
		n->d.kind = PART_MESSAGE;
		push(p, SPAN(""));
		part_begin(p, p->cur);
	}
}

static bool
is_message(const struct mime_parser *p, uint32_t i)
{
	return i == 0 || p->part[p->part[i].d.parent].d.kind == PART_MESSAGE;
}

/* The header of the current part ended, its body begins at the current
 * line.  That may begin the header of a message inside. */
static void
header_end(struct mime_parser *p)
{
	struct part *n = &p->part[p->cur];
	struct content *c = &p->content;
	bool in_digest = p->depth > 0 && p->open[p->depth - 1].digest;

	p->in_header = false;
	p->headers += p->header.n;
	n->d.file_body = p->line;
	n->d.wire_body = p->line_wire;
	n->lines_before = p->lines;
	if (is_message(p, p->cur))
		message_header(p, n);

	content_read(c, buf_span(&p->header), in_digest);
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

/* --- the end of a body --- */

struct place {
	uint64_t file, wire, lines;
};

/* A part's body ends there, or where it began if that is later. */
static void
part_end(struct mime_parser *p, uint32_t i, struct place at)
{
	struct part *n = &p->part[i];

	if (at.file < n->d.file_body) {
		at.file = n->d.file_body;
		at.wire = n->d.wire_body;
		at.lines = n->lines_before;
	}
	n->d.file_end = at.file;
	n->d.wire_end = at.wire;
	uint64_t lines = at.lines - n->lines_before;

	n->d.lines = lines > UINT32_MAX ? UINT32_MAX : (uint32_t)lines;
	if (p->nul > n->d.file_body)
		n->d.flags |= PART_HAS_NUL;
	if (p->high > n->d.file_body)
		n->d.flags |= PART_HAS_8BIT;
	if (n->d.kind == PART_MULTIPART && n->d.child == 0)
		make_leaf(p, n, true);
}

/* End whatever is open inside the first depth of the open parts. */
static void
close_to(struct mime_parser *p, size_t depth, struct place at)
{
	while (p->in_header)
		header_end(p);
	if (p->depth == 0 || p->open[p->depth - 1].part != p->cur)
		part_end(p, p->cur, at);
	while (p->depth > depth) {
		p->depth--;
		part_end(p, p->open[p->depth].part, at);
	}
	p->lengths = 0;
	for (size_t i = 0; i < depth; i++)
		if (p->open[i].boundary.n > 0 && !p->open[i].closed)
			p->lengths |=
			    UINT64_C(1) << p->open[i].boundary.n % 64;
}

/* --- boundaries --- */

static bool
length_open(const struct mime_parser *p, size_t n)
{
	return (p->lengths >> n % 64 & 1) != 0;
}

/* Which open multipart's boundary the line is: its index plus 1, innermost
 * first, or 0.  The whole line must be "--", boundary, "--" at the end, and
 * blanks (RFC 2046 5.1.1), so that one boundary can begin another. */
static size_t
find_boundary(const struct mime_parser *p, struct span line, bool *last)
{
	while (line.n > 0 && (line.p[line.n - 1] == ' ' ||
	    line.p[line.n - 1] == '\t' || line.p[line.n - 1] == '\r'))
		line.n--;
	if (p->frozen || !span_starts(line, SPAN("--")))
		return 0;
	line = span_skip(line, 2);
	bool ends = line.n >= 2 && span_ends(line, SPAN("--"));

	if (!length_open(p, line.n) &&
	    !(ends && length_open(p, line.n - 2)))
		return 0;
	for (size_t i = p->depth; i-- > 0;) {
		const struct open *o = &p->open[i];
		struct span b = buf_span(&o->boundary);

		if (b.n == 0 || o->closed || !span_starts(line, b))
			continue;
		*last = ends && line.n == b.n + 2;
		if (*last || line.n == b.n)
			return i + 1;
	}
	return 0;
}

/* --- lines --- */

/* The current line is over: the next begins after that many octets of text
 * and of line end. */
static void
advance(struct mime_parser *p, uint64_t text, unsigned eol)
{
	p->eol = p->line + text;
	p->eol_wire = p->line_wire + text;
	if (eol == 1 && !p->raw)
		p->crs++;
	p->line = p->eol + eol;
	p->line_wire = p->line + p->crs;
	p->lines += eol > 0;
	p->header_line = p->header.n;
	p->nul_before = p->nul;
	p->high_before = p->high;
}

/* The current line is a boundary of open[i].  The line end before it is
 * part of it (RFC 2046 5.1.1). */
static void
boundary(struct mime_parser *p, size_t i, bool last, uint64_t text,
    unsigned eol)
{
	struct place at = { p->eol, p->eol_wire,
		p->lines == 0 ? 0 : p->lines - 1 };

	p->nul = p->nul_before;
	p->high = p->high_before;
	p->header.n = p->header_line;
	p->open[i].closed = last;
	close_to(p, i + 1, at);
	p->cur = p->open[i].part;
	advance(p, text, eol);
	if (!last)
		part_begin(p, p->cur);
}

/* Whether the first line of a header can be in one: a field, mbox's From_
 * line, or a field that has blanks before it. */
static bool
header_begins(const struct mime_parser *p)
{
	struct span line = buf_span(&p->header);

	return p->header_max == 0 || span_starts(line, SPAN("From ")) ||
	    span_starts(line, SPAN(">From ")) ||
	    header_is_field(span_trim(line));
}

/* The current line is whole; line is its text if it may be a boundary. */
static void
line_end(struct mime_parser *p, struct span line, uint64_t text,
    unsigned eol)
{
	bool last = false;
	size_t i = line.n == 0 ? 0 : find_boundary(p, line, &last);

	if (i > 0) {
		boundary(p, i - 1, last, text, eol);
		return;
	}
	if (p->in_header && text == 0) {
		advance(p, text, eol);
		header_end(p);
		return;
	}
	if (p->in_header && p->first && !header_begins(p)) {
		buf_clear(&p->header);
		while (p->in_header)
			header_end(p);
	}
	p->first = false;
	advance(p, text, eol);
}

static void
keep_header(struct mime_parser *p, struct span s)
{
	size_t room = p->header_max - p->header.n;

	buf_add(&p->header, span_head(s, room));
	if (s.n > room && p->cur == 0)
		p->header_whole = false;
}

/* Where the last NUL and the last octet above 127 of this piece are. */
static void
note_octets(struct mime_parser *p, struct span s)
{
	uint64_t at = p->line + p->length;
	size_t n = span_rchr(s, '\0');

	if (n < s.n)
		p->nul = at + n + 1;
	for (n = s.n; n > 0; n--)
		if (s.p[n - 1] < 0) {
			p->high = at + n;
			return;
		}
}

/* A whole line, or its rest. */
static void
line_rest(struct mime_parser *p, struct span s)
{
	bool cr = s.n > 0 ? s.p[s.n - 1] == '\r' : p->cr;
	uint64_t all = p->length + s.n;
	struct span line = s;

	if (p->dash && p->length > 0 && all <= HEAD_MAX) {
		buf_add(&p->head, s);
		line = buf_span(&p->head);
	}
	if (!p->dash || all > HEAD_MAX)
		line = SPAN("");
	p->length = 0;
	p->cr = false;
	line_end(p, line, all - cr, cr ? 2 : 1);
	buf_clear(&p->head);
}

static void
line_part(struct mime_parser *p, struct span s)
{
	if (p->dash && p->head.n < HEAD_MAX)
		buf_add(&p->head, span_head(s, HEAD_MAX - p->head.n));
	p->length += s.n;
	p->cr = s.p[s.n - 1] == '\r';
}

static void
scan(struct mime_parser *p, struct span s)
{
	while (s.n > 0) {
		size_t n = span_chr(s, '\n');
		bool whole = n < s.n;
		struct span piece = span_head(s, whole ? n + 1 : n);

		if (p->odd)
			note_octets(p, piece);
		if (p->in_header)
			keep_header(p, piece);
		if (p->length == 0)
			p->dash = piece.p[0] == '-';
		if (whole)
			line_rest(p, span_head(s, n));
		else
			line_part(p, s);
		s = span_skip(s, piece.n);
	}
}

/* Whether there is a NUL or an octet above 127: most often not. */
static bool
is_odd(struct span s)
{
	uint64_t all = 0, word;
	size_t i = 0;

	for (; i + sizeof word <= s.n; i += sizeof word) {
		memcpy(&word, s.p + i, sizeof word);
		all |= word;
	}
	for (; i < s.n; i++)
		all |= (uint64_t)(unsigned char)s.p[i];
	return (all & UINT64_C(0x8080808080808080)) != 0 ||
	    span_chr(s, '\0') < s.n;
}

/* Not between CR and LF: a reader that begins there must know whether an LF
 * stands alone. */
static void
add_checkpoint(struct mime_parser *p)
{
	struct digest_checkpoint c = { p->file - p->cr,
		p->file - p->cr + p->crs };

	if (!p->raw)
		buf_add(&p->checkpoints,
		    (struct span){ (const char *)&c, sizeof c });
}

void
mime_parser_feed(struct mime_parser *p, struct span s)
{
	while (s.n > 0) {
		uint64_t room = MIME_CHECKPOINT - p->file % MIME_CHECKPOINT;
		struct span slice = span_head(s,
		    room < SLICE ? (size_t)room : SLICE);

		emailid_feed(&p->emailid, slice);
		p->odd = is_odd(slice);
		scan(p, slice);
		p->file += slice.n;
		if (p->file % MIME_CHECKPOINT == 0)
			add_checkpoint(p);
		s = span_skip(s, slice.n);
	}
}

/* --- the end of the message --- */

static void
message_end(struct mime_parser *p)
{
	if (p->length > 0) {
		struct span line = p->dash && p->length <= HEAD_MAX ?
		    buf_span(&p->head) : SPAN("");
		uint64_t text = p->length;

		p->length = 0;
		line_end(p, line, text, 0);
	}
	close_to(p, 0, (struct place){ p->file, p->file + p->crs,
	    p->lines });
	if (p->frozen)
		make_leaf(p, &p->part[p->parts - 1], false);
}

static void
section(struct buf *to, size_t base, struct digest_head *h,
    enum digest_section which, struct span s)
{
	while ((to->n - base) % 8 != 0)
		buf_addc(to, '\0');
	h->section[which] = (struct digest_str){ (uint32_t)(to->n - base),
		(uint32_t)s.n };
	buf_add(to, s);
}

static void
add_structures(struct mime_parser *p, struct buf *to, size_t base,
    struct digest_head *h)
{
	struct structure s = { p->part, buf_span(&p->text),
		buf_span(&p->strings) };
	struct digest_str e = p->part[0].envelope;
	struct buf b = { 0 };

	section(to, base, h, DIGEST_ENVELOPE,
	    (struct span){ p->text.p + e.at, e.n });
	structure_write(&s, false, &b);
	section(to, base, h, DIGEST_BODY, buf_span(&b));
	buf_clear(&b);
	structure_write(&s, true, &b);
	section(to, base, h, DIGEST_BODYSTRUCTURE, buf_span(&b));
	buf_free(&b);
}

void
mime_parser_finish(struct mime_parser *p, struct buf *to)
{
	struct digest_head h = { .magic = DIGEST_MAGIC,
		.version = DIGEST_VERSION };
	struct buf parts = { 0 };
	size_t base = to->n;

	message_end(p);
	for (uint32_t i = 0; i < p->parts; i++) {
		struct digest_part *d = &p->part[i].d;

		buf_add(&parts, (struct span){ (char *)d, sizeof *d });
		if (d->kind == PART_LEAF && d->encoding == ENC_BINARY)
			h.flags |= DIGEST_HAS_BINARY;
	}
	h.file_size = p->file;
	h.wire_size = p->file + p->crs;
	h.date = p->date;
	h.date_zone = p->date_zone;
	h.flags |= (p->raw ? DIGEST_RAW : 0U) |
	    (p->header_whole ? DIGEST_FIELDS_WHOLE : 0U);
	emailid_end(&p->emailid, h.emailid);
	if (p->crs == 0)
		buf_clear(&p->checkpoints);

	buf_add(to, (struct span){ (char *)&h, sizeof h });
	section(to, base, &h, DIGEST_PARTS, buf_span(&parts));
	section(to, base, &h, DIGEST_STRINGS, buf_span(&p->strings));
	section(to, base, &h, DIGEST_FIELDS, buf_span(&p->fields));
	section(to, base, &h, DIGEST_CHECKPOINTS, buf_span(&p->checkpoints));
	add_structures(p, to, base, &h);
	memcpy(to->p + base, &h, sizeof h);
	buf_free(&parts);
}

bool
mime_has_binary(const struct digest *d)
{
	return d->has_binary;
}
