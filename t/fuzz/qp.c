/* SPDX-License-Identifier: ISC */
#include "text/qp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

/* As t/fuzz/base64.c. */
int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct qp_dec d = { 0 }, whole = { 0 };
	struct qp_enc e = { .binary = n > 0 && p[0] % 2 == 0 };
	struct buf one = { 0 }, many = { 0 }, coded = { 0 };
	struct span in = { (const char *)p, n };
	size_t cut = n > 0 ? p[0] + 1u : 1;

	in = span_skip(in, 1);
	qp_decode(&whole, in, &one);
	qp_decode_end(&whole, &one);
	for (size_t i = 0; i < in.n; i += cut)
		qp_decode(&d, span_head(span_skip(in, i), cut), &many);
	qp_decode_end(&d, &many);
	if (!span_eq(buf_span(&one), buf_span(&many)) || d.bad != whole.bad)
		abort();
	for (size_t i = 0; i < in.n; i += cut)
		qp_encode(&e, span_head(span_skip(in, i), cut), &coded);
	qp_encode_end(&e, &coded);
	buf_clear(&many);
	d = (struct qp_dec){ 0 };
	qp_decode(&d, buf_span(&coded), &many);
	qp_decode_end(&d, &many);
	if (d.bad || !span_eq(in, buf_span(&many)))
		abort();
	buf_free(&one);
	buf_free(&many);
	buf_free(&coded);
	return 0;
}
