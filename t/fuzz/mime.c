/* SPDX-License-Identifier: ISC */
/* Any octets make a digest that opens and whose parts lie inside each other;
 * in two pieces they make the same. */
#include <stdlib.h>

#include "mime/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
parse(struct span a, struct span b, bool raw, struct buf *to)
{
	struct mime_parser *p = mime_parser_new(raw);

	mime_parser_feed(p, a);
	mime_parser_feed(p, b);
	mime_parser_finish(p, to);
	mime_parser_free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span s = { (const char *)p, n };
	struct buf whole = { 0 }, cut = { 0 };
	struct digest d;
	bool raw = n > 0 && p[n - 1] % 2 == 0;
	size_t at = n > 1 ? (size_t)(p[0] * 256 + p[1]) % n : 0;

	parse(s, SPAN(""), raw, &whole);
	parse(span_head(s, at), span_skip(s, at), raw, &cut);
	if (!span_eq(buf_span(&whole), buf_span(&cut)) ||
	    !digest_open(buf_span(&whole), &d))
		abort();
	for (uint32_t i = 1; i < d.parts; i++) {
		const struct digest_part *q = &d.part[i];
		const struct digest_part *up = &d.part[q->parent];

		if (q->file_header < up->file_body ||
		    q->file_end > up->file_end || (q->next != 0 &&
		    d.part[q->next].file_header < q->file_end))
			abort();
	}
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
