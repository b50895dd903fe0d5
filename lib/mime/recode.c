/* SPDX-License-Identifier: ISC */
#include "mime/recode.h"

/* The fields that matter. */
static const struct span encoding = SPAN_INIT("Content-Transfer-Encoding");
static const struct span version = SPAN_INIT("MIME-Version");
static const struct span type = SPAN_INIT("Content-Type");

static bool
blank(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t')
			return false;
	return true;
}

/* Whether a field of that beginning may still be one of those. */
static bool
may_matter(struct span name)
{
	const struct span field[] = { encoding, version, type };

	for (size_t i = 0; i < COUNT(field); i++)
		if (span_istarts(field[i], span_head(name, field[i].n)) &&
		    blank(span_skip(name, field[i].n)))
			return name.n <= RECODE_NAME_MAX;
	return false;
}

static void
add(struct buf *to, struct span name, struct span value)
{
	buf_add(to, name);
	buf_adds(to, ": ");
	buf_add(to, value);
	buf_adds(to, "\r\n");
}

/* A field's name is whole, and its colon has come. */
static void
named(struct recode_header *h, struct buf *to)
{
	struct span name = span_trim(buf_span(&h->name));

	h->version |= span_ieq(name, version);
	h->type |= span_ieq(name, type);
	if (!span_ieq(name, encoding)) {
		buf_add(to, buf_span(&h->name));
		buf_addc(to, ':');
		h->place = RECODE_OTHER;
		return;
	}
	h->encoding = true;
	add(to, buf_span(&h->name), h->value);
	h->place = RECODE_OURS;
}

/* What the header lacks stands before the empty line. */
static void
complete(struct recode_header *h, struct buf *to)
{
	if (h->encoding)
		return;
	if (h->message && !h->version) {
		add(to, version, SPAN("1.0"));
		if (!h->type)
			add(to, type, SPAN("text/plain; "
			    "charset=unknown-8bit"));
	}
	add(to, encoding, h->value);
}

/* The first octets of a line, up to where it is known what it is. */
static void
begin_line(struct recode_header *h, char c, struct buf *to)
{
	struct span name;

	if (c == ':' && h->name.n > 0 && h->name.p[0] != '\r') {
		named(h, to);
		buf_clear(&h->name);
		return;
	}
	buf_addc(&h->name, c);
	name = buf_span(&h->name);
	if (span_eq(name, SPAN("\n")) || span_eq(name, SPAN("\r\n"))) {
		complete(h, to);
		h->place = RECODE_BLANK;
	} else if (!span_eq(name, SPAN("\r")) && !may_matter(name)) {
		h->place = c == '\n' ? RECODE_START : RECODE_OTHER;
	} else {
		h->place = RECODE_NAME;
		return;
	}
	buf_add(to, name);
	buf_clear(&h->name);
}

/* Take one octet of a header.  What is to be written is added to *to. */
static void
header_octet(struct recode_header *h, char c, struct buf *to)
{
	if (h->place == RECODE_OURS_START)
		h->place = c == ' ' || c == '\t' ? RECODE_OURS :
		    RECODE_START;
	switch (h->place) {
	case RECODE_START:
	case RECODE_NAME:
		begin_line(h, c, to);
		return;
	case RECODE_OURS:
		if (c == '\n')
			h->place = RECODE_OURS_START;
		return;
	case RECODE_OURS_START:
	case RECODE_BLANK:
		break;
	case RECODE_OTHER:
		if (c == '\n')
			h->place = RECODE_START;
		break;
	}
	buf_addc(to, c);
}

/* One that ended without an empty line gets it where one must now be. */
static void
header_end(struct recode_header *h, bool encoded, struct buf *to)
{
	bool cut = h->place == RECODE_OTHER || h->place == RECODE_OURS ||
	    h->name.n > 0;

	buf_add(to, buf_span(&h->name));
	buf_clear(&h->name);
	if (h->place == RECODE_BLANK || !encoded)
		return;
	if (cut && h->place != RECODE_OURS)
		buf_adds(to, "\r\n");
	complete(h, to);
	buf_adds(to, "\r\n");
}

/* --- bodies --- */

static void
encode(struct recode *r, struct span s)
{
	if (r->how[r->places.part] == RECODE_QP)
		qp_encode(&r->qp, s, &r->text);
	else
		base64_encode(&r->base64, s, &r->text);
}

static void
body_octets(struct recode *r, struct span s)
{
	const struct digest_part *p =
	    &r->places.digest->part[r->places.part];

	buf_clear(&r->plain);
	if (p->encoding == ENC_BASE64)
		base64_decode(&r->from_base64, s, &r->plain);
	else if (p->encoding == ENC_QP)
		qp_decode(&r->from_qp, s, &r->plain);
	else
		buf_add(&r->plain, s);
	encode(r, buf_span(&r->plain));
}

static void
body_end(struct recode *r)
{
	const struct digest *d = r->places.digest;
	const struct digest_part *p = &d->part[r->places.part];

	buf_clear(&r->plain);
	if (p->encoding == ENC_BASE64)
		base64_decode_end(&r->from_base64, &r->plain);
	else if (p->encoding == ENC_QP)
		qp_decode_end(&r->from_qp, &r->plain);
	encode(r, buf_span(&r->plain));
	if (r->how[r->places.part] == RECODE_BASE64) {
		base64_encode_end(&r->base64, &r->text);
		return;
	}
	/* Whoever carries the message ends its last line; that end must not
	 * count. */
	bool open = r->qp.column > 0 || r->qp.held != '\0';

	qp_encode_end(&r->qp, &r->text);
	if (open && p->wire_end == d->wire_size)
		buf_adds(&r->text, "=\r\n");
}

/* --- places --- */

static enum recode_how
how(const struct recode *r)
{
	const struct places *p = &r->places;

	return p->kind == PLACE_BETWEEN ? RECODE_KEEP :
	    (enum recode_how)r->how[p->part];
}

static void
flush(struct recode *r)
{
	if (r->text.n > 0)
		r->sink(r->arg, buf_span(&r->text));
	buf_clear(&r->text);
}

static bool
after_empty_line(const struct recode *r)
{
	return (r->last & 0xffff) == 0x0a0a || (r->last & 0xffffff) == 0x0a0d0a;
}

static void
begin(void *arg)
{
	struct recode *r = arg;
	static const struct span value[] = {
		[RECODE_7BIT] = SPAN_INIT("7bit"),
		[RECODE_8BIT] = SPAN_INIT("8bit"),
		[RECODE_QP] = SPAN_INIT("quoted-printable"),
		[RECODE_BASE64] = SPAN_INIT("base64"),
	};
	const struct digest *d = r->places.digest;
	uint32_t i = r->places.part;
	struct buf name = r->header.name;

	if (r->places.kind == PLACE_BODY)
		return;
	buf_clear(&name);
	r->header = (struct recode_header){ .name = name,
		.value = value[how(r)], .message = i == 0 ||
		d->part[d->part[i].parent].kind == PART_MESSAGE };
	/* The header of what it is in may have ended for its text alone. */
	if (i > 0 && r->header.message && how(r) >= RECODE_QP &&
	    !after_empty_line(r))
		r->sink(r->arg, SPAN("\r\n"));
	r->base64 = (struct base64_enc){ .wrap = true };
	r->qp = (struct qp_enc){ 0 };
	r->from_base64 = (struct base64_dec){ 0 };
}

static void
octets(void *arg, struct span s)
{
	struct recode *r = arg;

	for (size_t i = s.n < 3 ? 0 : s.n - 3; i < s.n; i++)
		r->last = r->last << 8 | (unsigned char)s.p[i];
	if (how(r) == RECODE_KEEP ||
	    (r->places.kind == PLACE_BODY && how(r) < RECODE_QP)) {
		r->sink(r->arg, s);
		return;
	}
	if (r->places.kind == PLACE_BODY)
		body_octets(r, s);
	else
		for (size_t i = 0; i < s.n; i++)
			header_octet(&r->header, s.p[i], &r->text);
	flush(r);
}

static void
end(void *arg)
{
	struct recode *r = arg;

	if (how(r) == RECODE_KEEP)
		return;
	if (r->places.kind == PLACE_HEADER)
		header_end(&r->header, how(r) >= RECODE_QP, &r->text);
	else if (how(r) >= RECODE_QP)
		body_end(r);
	flush(r);
}

void
recode_begin(struct recode *r, const struct digest *d, const uint8_t *to,
    fields_sink *sink, void *arg)
{
	*r = (struct recode){ .how = to, .sink = sink, .arg = arg,
		.places = { .digest = d, .begin = begin, .octets = octets,
		.end = end, .arg = r } };
	places_begin(&r->places);
}

void
recode_feed(struct recode *r, struct span s)
{
	places_feed(&r->places, s);
}

void
recode_end(struct recode *r)
{
	buf_free(&r->header.name);
	buf_free(&r->text);
	buf_free(&r->plain);
}
