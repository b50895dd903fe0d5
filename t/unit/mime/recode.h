/* SPDX-License-Identifier: ISC */
/* A message for a transport of 7 or 8 bits, in pieces; and whether what it
 * became still decodes to what it was. */
#ifndef T_RECODE_H
#define T_RECODE_H

#include <stdlib.h>

#include "mime/parse.h"
#include "mime/recode.h"
#include "mime/transport.h"

static inline void
t_collect(void *arg, struct span s)
{
	buf_add(arg, s);
}

static inline void
t_digest(struct span message, struct buf *b, struct digest *d)
{
	struct mime_parser *p = mime_parser_new(true);

	mime_parser_feed(p, message);
	mime_parser_finish(p, b);
	mime_parser_free(p);
	if (!digest_open(buf_span(b), d))
		abort();
}

/* What comes out if it goes in by step octets at a time, if it needs to. */
static inline enum transport_verdict
t_convert(struct span message, bool eightbit, size_t step, struct buf *out)
{
	struct buf b = { 0 };
	struct digest d;
	struct transport t;
	struct recode r;
	enum transport_verdict v;
	uint8_t *how;

	t_digest(message, &b, &d);
	how = calloc(d.parts, 1);
	transport_begin(&t, &d);
	for (size_t i = 0; i < message.n; i += step)
		transport_feed(&t, span_head(span_skip(message, i), step));
	v = transport_plan(&t, eightbit, how);
	transport_end(&t);
	recode_begin(&r, &d, how, t_collect, out);
	for (size_t i = 0; v == TRANSPORT_RECODE && i < message.n; i += step)
		recode_feed(&r, span_head(span_skip(message, i), step));
	recode_end(&r);
	free(how);
	buf_free(&b);
	return v;
}

static inline void
t_decode(const struct digest_part *p, struct span message, struct buf *to)
{
	struct span body = span_head(span_skip(message,
	    (size_t)p->wire_body), (size_t)(p->wire_end - p->wire_body));
	struct base64_dec b = { 0 };
	struct qp_dec q = { 0 };

	if (p->encoding == ENC_BASE64) {
		base64_decode(&b, body, to);
		base64_decode_end(&b, to);
	} else if (p->encoding == ENC_QP) {
		qp_decode(&q, body, to);
		qp_decode_end(&q, to);
	} else {
		buf_add(to, body);
	}
}

/* Whether both have the same parts, and leaves of the same octets. */
static inline bool
t_same(struct span before, struct span after)
{
	struct buf a = { 0 }, b = { 0 }, x = { 0 }, y = { 0 };
	struct digest da, db;
	bool good;

	t_digest(before, &a, &da);
	t_digest(after, &b, &db);
	good = da.parts == db.parts;
	for (uint32_t i = 0; good && i < da.parts; i++) {
		good = da.part[i].kind == db.part[i].kind;
		if (!good || da.part[i].kind != PART_LEAF)
			continue;
		buf_clear(&x);
		buf_clear(&y);
		t_decode(&da.part[i], before, &x);
		t_decode(&db.part[i], after, &y);
		good = span_eq(buf_span(&x), buf_span(&y));
	}
	buf_free(&a);
	buf_free(&b);
	buf_free(&x);
	buf_free(&y);
	return good;
}

#endif
