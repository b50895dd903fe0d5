/* SPDX-License-Identifier: ISC */
#include "store/told.h"

#include "../../t.h"

int
main(void)
{
	static const uint32_t uid[] = { 4000000000u, 1, 255, 256, 70000, 300 };
	static const uint32_t kw[] = { 0, 3 };
	struct told t = { 0 };
	bool all = true, none = true;

	ok(told_get(&t, 1) == 0, "nothing was told at first");
	for (size_t i = 0; i < COUNT(uid); i++)
		told_put(&t, uid[i], (uint16_t)(i + 1));
	for (size_t i = 0; i < COUNT(uid); i++) {
		all = all && told_get(&t, uid[i]) == i + 1;
		none = none && told_get(&t, uid[i] + 1) ==
		    (uid[i] == 255 ? 4 : 0);
	}
	ok(all, "what was told in any order is known");
	ok(none, "and nothing of their neighbours");
	ok(t.n == 4, "pieces are there only where something was told");
	told_put(&t, 1, 77);
	ok(told_get(&t, 1) == 77, "the last telling counts");
	ok(told_sum(1, NULL, 0) != told_sum(2, NULL, 0) &&
	    told_sum(1, kw, 1) != told_sum(1, NULL, 0) &&
	    told_sum(1, kw, 2) != told_sum(1, kw, 1) &&
	    told_sum(1, kw + 1, 1) != told_sum(1, kw, 1),
	    "other flags and keywords have other sums");
	all = true;
	for (uint32_t f = 0; f < 100000; f++)
		all = all && told_sum(f, NULL, 0) != 0;
	ok(all, "none of which is 0");
	told_free(&t);
	return done();
}
