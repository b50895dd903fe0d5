/* SPDX-License-Identifier: ISC */
#include "text/mutf7.h"

#include <stdlib.h>

#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

/* What is decoded is UTF-8 and encodes to what it was; and the reverse. */
int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct span in = { (const char *)p, n };
	struct buf a = { 0 }, b = { 0 };

	if (mutf7_decode(in, "./", &a) && (!utf8_valid(buf_span(&a)) ||
	    !mutf7_encode(buf_span(&a), "./", &b) ||
	    !span_eq(buf_span(&b), in)))
		abort();
	buf_clear(&a);
	buf_clear(&b);
	if (mutf7_encode(in, NULL, &a) != utf8_valid(in))
		abort();
	if (utf8_valid(in) && (!mutf7_decode(buf_span(&a), NULL, &b) ||
	    !span_eq(buf_span(&b), in)))
		abort();
	if (mutf7_component(in) && !utf8_valid(in))
		abort();
	buf_free(&a);
	buf_free(&b);
	return 0;
}
