/* SPDX-License-Identifier: ISC */
#include "store/seal.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint32_t
sum(struct span key, const char *value, size_t n)
{
	uint64_t h = XXH3_64bits_withSeed(value, n,
	    XXH3_64bits(key.p, key.n));

	return (uint32_t)(h ^ h >> 32);
}

void
seal_put(struct span key, char *value, size_t n)
{
	uint32_t s = sum(key, value, n);

	memcpy(value + n, &s, sizeof s);
}

bool
seal_check(struct span key, struct span value)
{
	uint32_t s;

	if (value.n < SEAL)
		return false;
	memcpy(&s, value.p + value.n - SEAL, sizeof s);
	return s == sum(key, value.p, value.n - SEAL);
}
