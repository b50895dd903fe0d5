/* SPDX-License-Identifier: ISC */
#include "mime/content.h"

#include "mime/quote.h"

enum content_field { TYPE, ENCODING, ID, DESCRIPTION, MD5, DISPOSITION,
	LANGUAGE, LOCATION, FIELDS };

/* What follows "Content-". */
static const struct span names[FIELDS] = {
	SPAN_INIT("Type"), SPAN_INIT("Transfer-Encoding"), SPAN_INIT("ID"),
	SPAN_INIT("Description"), SPAN_INIT("MD5"), SPAN_INIT("Disposition"),
	SPAN_INIT("Language"), SPAN_INIT("Location")
};

_Static_assert(FIELDS == COUNT(((struct content *)0)->field),
    "a place for each field");

static void
lower(struct buf *to, struct span s)
{
	buf_clear(to);
	char *p = buf_room(to, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	to->n = s.n;
}

static void
find_fields(struct content *c, const struct header_index *header)
{
	const struct span begin = SPAN("Content-");

	for (size_t i = 0; i < FIELDS; i++)
		c->field[i] = (struct span){ NULL, 0 };
	for (size_t k = 0; k < header->n; k++) {
		const struct header_field *h = &header->f[k];
		struct span name = span_skip(h->name, begin.n);

		if (name.n == 0 || !span_istarts(h->name, begin))
			continue;
		for (size_t i = 0; i < FIELDS; i++)
			if (c->field[i].p == NULL && span_ieq(name, names[i]))
				c->field[i] = h->value;
	}
}

/* RFC 2045 5.1, token. */
static bool
token(struct span s)
{
	const struct span special = SPAN("()<>@,;:\\\"/[]?=");

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 127 ||
		    span_chr(special, s.p[i]) < special.n)
			return false;
	return s.n > 0;
}

/* RFC 2045 5.2: what cannot be read is as if it were not there. */
static void
read_type(struct content *c, bool in_digest)
{
	struct span head, name, value;

	param_list_again(&c->list, c->field[TYPE]);
	param_head(&c->list, &head);
	struct span type = span_cut(&head, '/');

	c->typed = token(type) && token(head);
	if (c->typed) {
		lower(&c->type, type);
		lower(&c->subtype, head);
	} else {
		lower(&c->type, in_digest ? SPAN("message") : SPAN("text"));
		lower(&c->subtype,
		    in_digest ? SPAN("rfc822") : SPAN("plain"));
	}
	buf_clear(&c->charset);
	buf_clear(&c->boundary);
	bool charset = false, boundary = false;

	while (c->typed && param_next(&c->list, &name, &value)) {
		if (!charset && span_ieq(name, SPAN("charset"))) {
			buf_add(&c->charset, value);
			charset = true;
		} else if (!boundary && span_ieq(name, SPAN("boundary"))) {
			buf_add(&c->boundary, value);
			boundary = true;
		}
	}
}

static void
read_encoding(struct content *c)
{
	static const struct { const char *name; enum mime_encoding e; }
	known[] = {
		{ "7bit", ENC_7BIT }, { "8bit", ENC_8BIT },
		{ "binary", ENC_BINARY }, { "base64", ENC_BASE64 },
		{ "quoted-printable", ENC_QP }
	};
	struct span head;

	param_list_again(&c->list, c->field[ENCODING]);
	param_head(&c->list, &head);
	lower(&c->encoding, head.n > 0 ? head : SPAN("7bit"));
	c->known_encoding = ENC_UNKNOWN;
	for (size_t i = 0; i < COUNT(known); i++)
		if (span_eq(buf_span(&c->encoding),
		    span_str(known[i].name)))
			c->known_encoding = known[i].e;
}

void
content_read(struct content *c, const struct header_index *header,
    bool in_digest)
{
	find_fields(c, header);
	read_type(c, in_digest);
	read_encoding(c);
}

void
content_free(struct content *c)
{
	buf_free(&c->type);
	buf_free(&c->subtype);
	buf_free(&c->charset);
	buf_free(&c->boundary);
	buf_free(&c->encoding);
	param_list_free(&c->list);
}

/* The pairs that follow in l, or NIL; ascii: with a default charset. */
static void
pairs(struct param_list *l, bool ascii, struct buf *to)
{
	struct span name, value;
	char before = '(';
	bool charset = false;

	buf_addc(to, ' ');
	while (param_next(l, &name, &value)) {
		charset = charset || span_ieq(name, SPAN("charset"));
		buf_addc(to, before);
		before = ' ';
		quote_string(to, name);
		buf_addc(to, ' ');
		quote_string(to, value);
	}
	if (ascii && !charset) {
		buf_addc(to, before);
		before = ' ';
		buf_adds(to, "\"charset\" \"us-ascii\"");
	}
	buf_adds(to, before == '(' ? "NIL" : ")");
}

void
content_params(struct content *c, struct buf *to)
{
	struct span head;

	param_list_again(&c->list, c->typed ? c->field[TYPE] : SPAN(""));
	param_head(&c->list, &head);
	/* RFC 2046 4.1.2: the default of text/plain. */
	pairs(&c->list, span_eq(buf_span(&c->type), SPAN("text")) &&
	    span_eq(buf_span(&c->subtype), SPAN("plain")), to);
}

static void
value(const struct content *c, enum content_field f, struct buf *to)
{
	buf_addc(to, ' ');
	if (c->field[f].p == NULL)
		buf_adds(to, "NIL");
	else
		quote_value(to, c->field[f]);
}

void
content_about(const struct content *c, struct buf *to)
{
	value(c, ID, to);
	value(c, DESCRIPTION, to);
	buf_addc(to, ' ');
	quote_string(to, buf_span(&c->encoding));
}

void
content_md5(const struct content *c, struct buf *to)
{
	value(c, MD5, to);
}

/* RFC 2183 2: an unknown disposition is an attachment, so that is what
 * stands for one that has parameters only. */
static void
disposition(struct content *c, struct buf *to)
{
	struct span head;

	buf_addc(to, ' ');
	param_list_again(&c->list, c->field[DISPOSITION]);
	param_head(&c->list, &head);
	if (span_trim(c->field[DISPOSITION]).n == 0) {
		buf_adds(to, "NIL");
	} else {
		buf_addc(to, '(');
		quote_string(to, head.n > 0 ? head : SPAN("attachment"));
		pairs(&c->list, false, to);
		buf_addc(to, ')');
	}
}

/* RFC 3282 2: tags between commas, comments allowed. */
static void
language(struct content *c, struct buf *to)
{
	struct span head;
	char before = '(';

	buf_addc(to, ' ');
	param_list_again(&c->list, c->field[LANGUAGE]);
	param_head(&c->list, &head);
	while (head.p != NULL) {
		struct span tag = span_trim(span_cut(&head, ','));

		if (tag.n == 0)
			continue;
		buf_addc(to, before);
		before = ' ';
		quote_string(to, tag);
	}
	buf_adds(to, before == '(' ? "NIL" : ")");
}

void
content_extension(struct content *c, struct buf *to)
{
	disposition(c, to);
	language(c, to);
	value(c, LOCATION, to);
}
