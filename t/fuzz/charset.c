/* SPDX-License-Identifier: ISC */
#include "text/charset.h"

#include <stdlib.h>

#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

/* A charset's name, a line end, a text: UTF-8 comes out, the same in pieces. */
int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct span in = { (const char *)p, n }, name = span_cut(&in, '\n');
	struct charset *c = charset_open(name);
	struct buf one = { 0 }, many = { 0 };

	for (size_t i = 0; c != NULL && i < in.n; i += 3) {
		charset_decode(c, span_head(span_skip(in, i), 3), &many);
		if (!utf8_valid(buf_span(&many)))
			abort();
	}
	if (c != NULL)
		charset_decode_end(c, &many);
	if ((charset_to_utf8(name, in, &one) == CHARSET_UNKNOWN) !=
	    (c == NULL) || !span_eq(buf_span(&one), buf_span(&many)) ||
	    !utf8_valid(buf_span(&one)))
		abort();
	charset_close(c);
	buf_free(&one);
	buf_free(&many);
	return 0;
}
