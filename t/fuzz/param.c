/* SPDX-License-Identifier: ISC */
#include "text/param.h"

#include <stdlib.h>

#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct buf b = { 0 };

	param_get((struct span){ (const char *)p, n }, SPAN("f"), &b);
	if (!utf8_valid(buf_span(&b)))
		abort();
	buf_free(&b);
	return 0;
}
