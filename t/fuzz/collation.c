/* SPDX-License-Identifier: ISC */
#include "text/collation.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

/* Two strings parted by a line end: order and equality agree, turned around
 * too, and what is equal contains the other. */
int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct span b = { (const char *)p, n }, a = span_cut(&b, '\n');

	for (int i = COLLATE_OCTET; i <= COLLATE_UNICODE_CASEMAP; i++) {
		enum collation c = (enum collation)i;
		int r = collation_cmp(c, a, b), back = collation_cmp(c, b, a);

		if ((r < 0) != (back > 0) || (r > 0) != (back < 0) ||
		    collation_eq(c, a, b) != (r == 0))
			abort();
		if (r == 0 && collation_has_substring(c) &&
		    !collation_contains(c, a, b))
			abort();
	}
	return 0;
}
