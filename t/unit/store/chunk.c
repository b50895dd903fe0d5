/* SPDX-License-Identifier: ISC */
#include "store/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "../../t.h"

/* n bits from first on, each step, of a chunk that is otherwise full or
 * empty, there and back. */
static void
there_and_back(bool on, uint32_t first, uint32_t step, uint32_t n,
    size_t size, const char *name)
{
	struct chunk c, back;
	char kept[CHUNK_KEPT_MAX];

	memset(&c, on ? 0 : 0xff, sizeof c);
	c.count = on ? n : CHUNK - n;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = first + i * step;

		c.w[at / 64] ^= 1ull << at % 64;
	}
	size_t got = chunk_keep(&c, kept);
	struct span s = { kept, got };

	ok(got == size && chunk_count(s) == (int)c.count &&
	    chunk_take(s, &back) && back.count == c.count &&
	    memcmp(back.w, c.w, sizeof c.w) == 0, name);
}

static void
refused(const char *kept, size_t n, const char *name)
{
	struct chunk c;

	ok(!chunk_take((struct span){ kept, n }, &c), name);
}

int
main(void)
{
	static const char all[CHUNK_KEPT_MAX] = { 0, 1 };

	there_and_back(true, 0, 1, 0, 4, "an empty chunk is four octets");
	there_and_back(false, 0, 1, 0, 4, "and so is a full one");
	there_and_back(true, 4095, 1, 1, 6, "the last bit alone");
	there_and_back(false, 0, 1, 1, 6, "all but the first");
	there_and_back(true, 3, 16, 255, 514, "few ones are places");
	there_and_back(false, 3, 16, 255, 514, "few zeros are places");
	there_and_back(true, 0, 16, 256, 516, "of more all bits are kept");
	there_and_back(false, 0, 16, 256, 516, "of zeros, too");
	there_and_back(true, 0, 2, 2048, 516, "every other one");
	ok(chunk_count((struct span){ all, sizeof all }) == 256,
	    "the number of bits is told first");
	refused("", 0, "nothing is no chunk");
	refused("\2\0\0\0\1\0", 6, "nor are fewer places than bits");
	refused("\1\0\0\0\1\0\2\0", 8, "or more");
	refused("\2\0\0\0\2\0\1\0", 8, "or places that do not rise");
	refused("\2\0\0\0\1\0\1\0", 8, "or one twice");
	refused("\1\0\0\0\0\x10", 6, "or one beyond the end");
	refused("\1\x10\0\0", 4, "or more bits than there are");
	refused(all, sizeof all - 1, "or bits that are cut short");
	return done();
}
