/* SPDX-License-Identifier: ISC */
#include "text/base64.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

/* The first octet cuts the rest into pieces: all at once gives the same; what
 * was encoded is decoded to what it was. */
int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct base64_dec d = { 0 }, whole = { 0 };
	struct base64_enc e = { .wrap = true };
	struct buf one = { 0 }, many = { 0 }, coded = { 0 };
	struct span in = { (const char *)p, n };
	size_t cut = n > 0 ? p[0] + 1u : 1;

	in = span_skip(in, 1);
	base64_decode(&whole, in, &one);
	base64_decode_end(&whole, &one);
	for (size_t i = 0; i < in.n; i += cut)
		base64_decode(&d, span_head(span_skip(in, i), cut), &many);
	base64_decode_end(&d, &many);
	if (!span_eq(buf_span(&one), buf_span(&many)) || d.bad != whole.bad)
		abort();
	buf_clear(&many);
	if (base64_strict(in, &many) && !span_eq(buf_span(&one),
	    buf_span(&many)))
		abort();
	for (size_t i = 0; i < in.n; i += cut)
		base64_encode(&e, span_head(span_skip(in, i), cut), &coded);
	base64_encode_end(&e, &coded);
	buf_clear(&many);
	d = (struct base64_dec){ 0 };
	base64_decode(&d, buf_span(&coded), &many);
	base64_decode_end(&d, &many);
	if (d.bad || !span_eq(in, buf_span(&many)))
		abort();
	buf_free(&one);
	buf_free(&many);
	buf_free(&coded);
	return 0;
}
