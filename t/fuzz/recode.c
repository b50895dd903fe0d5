/* SPDX-License-Identifier: ISC */
/* Any octets that become a message for lines of 7 or 8 bits: each leaf still
 * decodes to what it was, the lines carry it, and pieces make no difference. */
#include "mime/recode.h"

#include <stdlib.h>

#include "mime/parse.h"
#include "mime/transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
collect(void *arg, struct span s)
{
	buf_add(arg, s);
}

static void
digest_of(struct span message, struct buf *b, struct digest *d)
{
	struct mime_parser *p = mime_parser_new(true);

	mime_parser_feed(p, message);
	mime_parser_finish(p, b);
	mime_parser_free(p);
	if (!digest_open(buf_span(b), d))
		abort();
}

static enum transport_verdict
convert(struct span message, bool eightbit, size_t at, struct buf *out)
{
	struct buf b = { 0 };
	struct digest d;
	struct transport t;
	struct recode r;
	enum transport_verdict v;
	uint8_t *how;

	digest_of(message, &b, &d);
	how = calloc(d.parts, 1);
	transport_begin(&t, &d);
	transport_feed(&t, span_head(message, at));
	transport_feed(&t, span_skip(message, at));
	v = transport_plan(&t, eightbit, how);
	transport_end(&t);
	recode_begin(&r, &d, how, collect, out);
	if (v == TRANSPORT_RECODE) {
		recode_feed(&r, span_head(message, at));
		recode_feed(&r, span_skip(message, at));
	}
	recode_end(&r);
	free(how);
	buf_free(&b);
	return v;
}

static void
decode(const struct digest_part *p, struct span message, struct buf *to)
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

static void
compare(struct span before, struct span after)
{
	struct buf a = { 0 }, b = { 0 }, x = { 0 }, y = { 0 };
	struct digest da, db;

	digest_of(before, &a, &da);
	digest_of(after, &b, &db);
	if (da.parts != db.parts)
		abort();
	for (uint32_t i = 0; i < da.parts; i++) {
		if (da.part[i].kind != db.part[i].kind)
			abort();
		if (da.part[i].kind != PART_LEAF)
			continue;
		buf_clear(&x);
		buf_clear(&y);
		decode(&da.part[i], before, &x);
		decode(&db.part[i], after, &y);
		if (!span_eq(buf_span(&x), buf_span(&y)))
			abort();
	}
	buf_free(&a);
	buf_free(&b);
	buf_free(&x);
	buf_free(&y);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span s = { (const char *)p, n };
	struct buf whole = { 0 }, cut = { 0 }, again = { 0 };
	bool eightbit = n > 0 && p[n - 1] % 2 == 0;
	size_t at = n > 1 ? (size_t)(p[0] * 256 + p[1]) % n : 0;

	if (convert(s, eightbit, 0, &whole) == TRANSPORT_RECODE) {
		compare(s, buf_span(&whole));
		convert(s, eightbit, at, &cut);
		if (!span_eq(buf_span(&whole), buf_span(&cut)))
			abort();
		if (convert(buf_span(&whole), eightbit, 0, &again) !=
		    TRANSPORT_FITS)
			abort();
	}
	buf_free(&whole);
	buf_free(&cut);
	buf_free(&again);
	return 0;
}
