/* SPDX-License-Identifier: ISC */
#include "mime/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "mime/digest-form.h"
#include "mime/header.h"
#include "mime/tree.h"

enum {
	HEAD_MAX = 1100,	/* of a line that may be a boundary */
	SLICE = 16 * 1024	/* scanned while it is in the cache */
};

struct mime_parser *
mime_parser_new(bool raw_eol)
{
	struct mime_parser *p = xmalloc(sizeof *p);

	memset(p, 0, offsetof(struct mime_parser, emailid));
	mime_parser_again(p, raw_eol);
	return p;
}

void
mime_parser_again(struct mime_parser *p, bool raw_eol)
{
	memset(p, 0, offsetof(struct mime_parser, head));
	buf_clear(&p->head);
	buf_clear(&p->text);
	buf_clear(&p->strings);
	buf_clear(&p->fields);
	buf_clear(&p->checkpoints);
	p->raw = raw_eol;
	p->date = INT64_MIN;
	p->header_whole = true;
	emailid_init(&p->emailid, raw_eol);
	tree_begin(p, 0);
}

void
mime_parser_free(struct mime_parser *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < MIME_DEPTH_MAX; i++)
		buf_free(&p->open[i].boundary);
	header_index_free(&p->index);
	envelope_free(&p->envelope);
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
	tree_close(p, i + 1, at);
	p->cur = p->open[i].part;
	advance(p, text, eol);
	if (!last)
		tree_begin(p, p->cur);
}

enum begin { BEGIN_FIELD, BEGIN_BLANK, BEGIN_BODY };

/* What the first line of a header is: a field or mbox's From_ line, a line
 * with blanks before it, after which we are as clever as before, or the
 * body, since somebody left out header and empty line. */
static enum begin
header_begin(const struct mime_parser *p)
{
	struct span line = span_skip(buf_span(&p->header), p->header_line);

	if (line.n == 0 || span_starts(line, SPAN("From ")) ||
	    span_starts(line, SPAN(">From ")) || header_is_field(line))
		return BEGIN_FIELD;
	return line.p[0] == ' ' || line.p[0] == '\t' ? BEGIN_BLANK :
	    BEGIN_BODY;
}

/* The current line is whole; line is its text if it may be a boundary. */
static void
line_end(struct mime_parser *p, struct span line, uint64_t text,
    unsigned eol)
{
	bool last = false;
	size_t i = line.n == 0 ? 0 : find_boundary(p, line, &last);

	/* A multipart without an empty line before its first boundary. */
	if (i == 0 && p->in_header && span_starts(line, SPAN("--")) &&
	    !header_is_field(line)) {
		p->header.n = p->header_line;
		while (p->in_header)
			tree_header_end(p);
		i = find_boundary(p, line, &last);
	}
	if (i > 0) {
		boundary(p, i - 1, last, text, eol);
		return;
	}
	if (p->in_header && text == 0) {
		advance(p, text, eol);
		tree_header_end(p);
		return;
	}
	enum begin begin = p->in_header && p->first ? header_begin(p) :
	    BEGIN_FIELD;

	if (begin == BEGIN_BODY) {
		buf_clear(&p->header);
		while (p->in_header)
			tree_header_end(p);
	}
	p->first = begin == BEGIN_BLANK;
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

/* Whole lines of a body, up to one that may be a boundary: all that counts
 * of them is where they end.  Returns what is left of s. */
static struct span
skim(struct mime_parser *p, struct span s)
{
	const char *at = s.p, *end = at + s.n, *text = at;
	uint64_t lines = 0, crs = 0;
	unsigned eol = 0;

	while (at < end && *at != '-') {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (lf == NULL)
			break;
		lines++;
		eol = lf > at && lf[-1] == '\r' ? 2 : 1;
		crs += eol == 1;
		text = lf + 1 - eol;
		at = lf + 1;
	}
	if (lines == 0)
		return s;
	/* All but the last, and then that one. */
	uint64_t before = crs - (eol == 1);

	p->crs += p->raw ? 0 : before;
	p->lines += lines - 1;
	p->line_wire += (uint64_t)(text - s.p) + (p->raw ? 0 : before);
	p->line += (uint64_t)(text - s.p);
	advance(p, 0, eol);
	return span_skip(s, (size_t)(at - s.p));
}

static void
scan(struct mime_parser *p, struct span s)
{
	while (s.n > 0) {
		if (!p->in_header && !p->odd && p->length == 0) {
			s = skim(p, s);
			if (s.n == 0)
				return;
		}
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

typedef signed char block __attribute__((vector_size(16)));

/* Whether there is a NUL or an octet above 127: most often not. */
static bool
is_odd(struct span s)
{
	block odd = { 0 }, b;
	uint64_t half[2];
	size_t i = 0;

	for (; i + sizeof b <= s.n; i += sizeof b) {
		memcpy(&b, s.p + i, sizeof b);
		odd |= (block)(b <= 0);
	}
	for (; i < s.n; i++)
		odd[0] |= (signed char)-((signed char)s.p[i] <= 0);
	memcpy(half, &odd, sizeof half);
	return (half[0] | half[1]) != 0;
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
	tree_close(p, 0, (struct place){ p->file, p->file + p->crs,
	    p->lines });
	if (p->frozen)
		tree_leaf(p, &p->part[p->parts - 1], false);
}

/* Where a section begins; what is added then is in it, up to its end. */
static size_t
section_begin(struct buf *to, size_t base)
{
	static const char zeros[8];

	buf_add(to, (struct span){ zeros, -(to->n - base) % 8 });
	return to->n;
}

static void
section_end(const struct buf *to, size_t base, struct digest_head *h,
    enum digest_section which, size_t at)
{
	h->section[which] = (struct digest_str){ (uint32_t)(at - base),
		(uint32_t)(to->n - at) };
}

static void
section(struct buf *to, size_t base, struct digest_head *h,
    enum digest_section which, struct span s)
{
	size_t at = section_begin(to, base);

	buf_add(to, s);
	section_end(to, base, h, which, at);
}

static void
add_parts(struct mime_parser *p, struct buf *to, size_t base,
    struct digest_head *h)
{
	size_t at = section_begin(to, base);

	for (uint32_t i = 0; i < p->parts; i++) {
		const struct digest_part *d = &p->part[i].d;

		buf_add(to, (struct span){ (const char *)d, sizeof *d });
		if (d->kind == PART_LEAF && d->encoding == ENC_BINARY)
			h->flags |= DIGEST_HAS_BINARY;
	}
	section_end(to, base, h, DIGEST_PARTS, at);
}

static void
add_structures(struct mime_parser *p, struct buf *to, size_t base,
    struct digest_head *h)
{
	struct structure s = { p->part, buf_span(&p->text),
		buf_span(&p->strings) };
	struct digest_str e = p->part[0].envelope;
	size_t at;

	section(to, base, h, DIGEST_ENVELOPE,
	    (struct span){ p->text.p + e.at, e.n });
	at = section_begin(to, base);
	structure_write(&s, false, to);
	section_end(to, base, h, DIGEST_BODY, at);
	at = section_begin(to, base);
	structure_write(&s, true, to);
	section_end(to, base, h, DIGEST_BODYSTRUCTURE, at);
}

void
mime_parser_finish(struct mime_parser *p, struct buf *to)
{
	struct digest_head h = { .magic = DIGEST_MAGIC,
		.version = DIGEST_VERSION };
	size_t base = to->n;

	message_end(p);
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
	add_parts(p, to, base, &h);
	section(to, base, &h, DIGEST_STRINGS, buf_span(&p->strings));
	section(to, base, &h, DIGEST_FIELDS, buf_span(&p->fields));
	section(to, base, &h, DIGEST_CHECKPOINTS, buf_span(&p->checkpoints));
	add_structures(p, to, base, &h);
	memcpy(to->p + base, &h, sizeof h);
}

bool
mime_has_binary(const struct digest *d)
{
	return d->has_binary;
}
