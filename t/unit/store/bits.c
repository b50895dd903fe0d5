/* SPDX-License-Identifier: ISC */
#include "store/bits.h"

#include <stdlib.h>

#include "../../t.h"

/* Against a plain array, over sparse and dense UIDs. */
static void
against_array(uint32_t from, uint32_t step, uint32_t n, const char *name)
{
	struct bits b = { 0 };
	bool good = true;

	for (uint32_t i = 0; i < n; i++)
		bits_set(&b, from + i * step, true);
	bits_count(&b);
	good = b.total == n;
	for (uint32_t i = 0; i < n && good; i++) {
		uint32_t uid = from + i * step;

		good = bits_select(&b, i + 1) == uid &&
		    bits_rank(&b, uid) == i + 1 && bits_has(&b, uid) &&
		    bits_next(&b, uid) == uid && bits_next(&b, uid + 1) ==
		    (i + 1 < n ? uid + step : 0);
		if (step > 1)
			good = good && !bits_has(&b, uid + 1) &&
			    bits_rank(&b, uid + 1) == i + 1;
	}
	ok(good && bits_select(&b, 0) == 0 && bits_select(&b, n + 1) == 0 &&
	    bits_last(&b) == from + (n - 1) * step, name);
	bits_free(&b);
}

int
main(void)
{
	struct bits b = { 0 };

	against_array(1, 1, 20000, "dense UIDs");
	against_array(4095, 1, 3, "over the edge of a chunk");
	against_array(63, 64, 500, "one in each word");
	against_array(7, 100003, 2000, "sparse UIDs");
	against_array(4294960000, 3, 2000, "the highest UIDs");
	bits_count(&b);
	ok(bits_next(&b, 1) == 0 && bits_rank(&b, 5) == 0 &&
	    bits_last(&b) == 0, "none at all");
	bits_set(&b, 9000, true);
	bits_set(&b, 5, true);
	bits_set(&b, 9000, false);
	bits_set(&b, 77, false);
	bits_count(&b);
	ok(b.total == 1 && bits_select(&b, 1) == 5 && bits_next(&b, 6) == 0,
	    "in any order, and back");
	bits_free(&b);
	return done();
}
