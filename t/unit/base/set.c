/* SPDX-License-Identifier: ISC */
#include "base/set.h"

#include "../../t.h"

int
main(void)
{
	/* Each step adds (or, negative, removes) a range to the set so far. */
	static const struct {
		int64_t lo, hi;
		const char *want;
	} step[] = {
		{ 5, 5, "5" },
		{ 7, 9, "5,7:9" },
		{ 6, 6, "5:9" },
		{ 1, 2, "1:2,5:9" },
		{ 20, 10, "1:2,5:20" },
		{ 4294967295, 4294967295, "1:2,5:20,4294967295" },
		{ -6, 7, "1:2,5,8:20,4294967295" },
		{ -1, 5, "8:20,4294967295" },
		{ -100, 4294967295, "8:20" },
		{ 3, 100, "3:100" },
		{ -1, 4294967295, "" },
	};
	struct set s = { 0 };
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(step); i++) {
		if (step[i].lo < 0)
			set_remove(&s, (uint32_t)-step[i].lo,
			    (uint32_t)step[i].hi);
		else
			set_add(&s, (uint32_t)step[i].lo,
			    (uint32_t)step[i].hi);
		buf_clear(&b);
		set_print(&s, &b);
		is(buf_span(&b), span_str(step[i].want), step[i].want);
	}
	set_add(&s, 3, 5);
	set_add(&s, 9, 9);
	ok(set_has(&s, 3) && set_has(&s, 5) && !set_has(&s, 6) &&
	    !set_has(&s, 0), "membership is of the ranges, ends included");
	ok(set_next(&s, 1) == 3 && set_next(&s, 6) == 9 &&
	    set_next(&s, 10) == 0, "the next member, and 0 after the last");
	ok(set_count(&s) == 4, "the count is of numbers, not of ranges");
	set_free(&s);
	buf_free(&b);
	return done();
}
