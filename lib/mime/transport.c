/* SPDX-License-Identifier: ISC */
#include "mime/transport.h"

#include <stdlib.h>

#include "base/die.h"
#include "mime/recode.h"

/* Above one octet in so many base64 is shorter, and no harder to read. */
enum { FEW = 6 };

enum { VALUE = 200 };

static const struct span type_field[] = { SPAN_INIT("Content-Type") };

/* As much of the field as tells "multipart". */
static void
value(void *arg, struct span s)
{
	struct buf *b = arg;

	buf_add(b, span_head(s, b->n < VALUE ? VALUE - b->n : 0));
}

static void
begin(void *arg)
{
	struct transport *t = arg;

	if (t->places.kind != PLACE_HEADER)
		return;
	buf_clear(&t->value);
	t->type = (struct fields){ .choice = FIELDS_NAMED,
		.name = type_field, .names = 1, .sink = value,
		.arg = &t->value };
}

static void
octets(void *arg, struct span s)
{
	struct transport *t = arg;

	if (t->places.kind == PLACE_BODY) {
		domain_feed(&t->leaf[t->places.part].domain, s);
		return;
	}
	domain_feed(&t->rest, s);
	if (t->places.kind == PLACE_HEADER)
		fields_feed(&t->type, s);
}

static void
end(void *arg)
{
	struct transport *t = arg;
	struct transport_leaf *l = &t->leaf[t->places.part];
	struct span text;

	/* What follows stands on its own, on either side. */
	if (t->places.kind == PLACE_BODY) {
		domain_end(&l->domain);
		return;
	}
	domain_end(&t->rest);
	fields_finish(&t->type);
	text = buf_span(&t->value);
	l->broken = span_istarts(span_trim(span_skip(text,
	    span_chr(text, ':') + 1)), SPAN("multipart"));
}

void
transport_begin(struct transport *t, const struct digest *d)
{
	*t = (struct transport){ .places = { .digest = d, .begin = begin,
		.octets = octets, .end = end, .arg = t },
		.leaf = xcalloc(d->parts, sizeof *t->leaf) };
	places_begin(&t->places);
}

void
transport_feed(struct transport *t, struct span s)
{
	places_feed(&t->places, s);
}

void
transport_end(struct transport *t)
{
	free(t->leaf);
	buf_free(&t->value);
	*t = (struct transport){ 0 };
}

static bool
is(const struct digest *d, const struct digest_part *p, struct span type,
    struct span subtype)
{
	return span_eq(digest_string(d, p->type), type) &&
	    span_eq(digest_string(d, p->subtype), subtype);
}

static bool
is_signed(const struct digest *d, uint32_t i)
{
	while (i != 0) {
		i = d->part[i].parent;
		if (is(d, &d->part[i], SPAN("multipart"), SPAN("signed")))
			return true;
	}
	return false;
}

/* Whether the leaf may get another encoding. */
static bool
encodable(const struct transport *t, uint32_t i)
{
	const struct digest *d = t->places.digest;
	const struct digest_part *p = &d->part[i];

	return p->encoding != ENC_UNKNOWN && !t->leaf[i].broken &&
	    !(p->flags & PART_TRUNCATED) &&
	    !is(d, p, SPAN("message"), SPAN("partial")) &&
	    !is(d, p, SPAN("message"), SPAN("external-body")) &&
	    !is_signed(d, i);
}

static enum recode_how
encoding_for(const struct digest *d, const struct digest_part *p,
    const struct domain *l)
{
	bool text = span_eq(digest_string(d, p->type), SPAN("text"));
	bool plain = p->encoding < ENC_QP;

	return text && plain && !l->binary && l->high * FEW <= l->octets ?
	    RECODE_QP : RECODE_BASE64;
}

/* What a part that fits has to say of itself. */
static enum recode_how
label(const struct digest_part *p, bool eightbit)
{
	if (p->encoding == ENC_BINARY)
		return eightbit ? RECODE_8BIT : RECODE_7BIT;
	return p->encoding == ENC_8BIT && !eightbit ? RECODE_7BIT :
	    RECODE_KEEP;
}

enum transport_verdict
transport_plan(struct transport *t, bool eightbit, uint8_t *how)
{
	const struct digest *d = t->places.digest;
	bool change = false;

	domain_end(&t->rest);
	if (t->rest.binary)
		return TRANSPORT_BARE;
	if (t->rest.high > 0 && !eightbit)
		return TRANSPORT_CANNOT;
	for (uint32_t i = 0; i < d->parts; i++) {
		const struct digest_part *p = &d->part[i];
		const struct domain *l = &t->leaf[i].domain;
		bool must = p->kind == PART_LEAF && (l->binary ||
		    (l->high > 0 && !eightbit));
		bool should = p->kind == PART_LEAF && l->lengthy &&
		    p->encoding == ENC_BINARY;

		if (must && !encodable(t, i))
			return TRANSPORT_CANNOT;
		how[i] = (uint8_t)(must || (should && encodable(t, i)) ?
		    encoding_for(d, p, l) : is_signed(d, i) ? RECODE_KEEP :
		    label(p, eightbit));
		change |= how[i] != RECODE_KEEP;
	}
	return change ? TRANSPORT_RECODE : TRANSPORT_FITS;
}
