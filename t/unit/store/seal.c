/* SPDX-License-Identifier: ISC */
#include "store/seal.h"

#include "../../t.h"

int
main(void)
{
	static char v[5000 + SEAL];
	static const size_t len[] = { 0, 1, 3, 4, 16, 17, 56, 128, 129, 240,
		241, 520, 5000 };
	struct span key = SPAN("m\0\0\0\1\0\0\0\2");

	for (size_t i = 0; i < COUNT(len); i++) {
		struct span all = { v, len[i] + SEAL };
		bool seen = true;

		for (size_t k = 0; k < len[i]; k++)
			v[k] = (char)(k * 7);
		seal_put(key, v, len[i]);
		ok(seal_check(key, all), "a value is as it was sealed");
		for (size_t k = 0; k < all.n * 8; k++) {
			v[k / 8] ^= (char)(1 << k % 8);
			seen = seen && !seal_check(key, all);
			v[k / 8] ^= (char)(1 << k % 8);
		}
		ok(seen, "any bit of it that is another is seen");
		ok(!seal_check(SPAN("m\0\0\0\1\0\0\0\3"), all),
		    "it cannot stand for another key");
		all.n--;
		ok(!seal_check(key, all), "nor be shorter");
	}
	ok(!seal_check(key, (struct span){ v, 3 }), "what is too short is not "
	    "sealed");
	return done();
}
