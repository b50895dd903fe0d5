/* SPDX-License-Identifier: ISC */
#include "store/chunk.h"

#include <string.h>

enum { FEW_MAX = 256 };		/* places take less than all bits below that */

/* Of how many bits the places are kept, and which ones those are. */
static uint32_t
fewer(uint32_t count, bool *ones)
{
	*ones = count <= CHUNK / 2;
	return *ones ? count : CHUNK - count;
}

size_t
chunk_keep(const struct chunk *c, char to[CHUNK_KEPT_MAX])
{
	size_t n = sizeof c->count;
	bool ones;

	memcpy(to, &c->count, n);
	if (fewer(c->count, &ones) >= FEW_MAX) {
		memcpy(to + n, c->w, sizeof c->w);
		return n + sizeof c->w;
	}
	for (uint32_t i = 0; i < WORDS; i++)
		for (uint64_t w = ones ? c->w[i] : ~c->w[i]; w != 0;
		    w &= w - 1) {
			uint16_t at = (uint16_t)(i * 64 +
			    (uint32_t)__builtin_ctzll(w));

			memcpy(to + n, &at, sizeof at);
			n += sizeof at;
		}
	return n;
}

int
chunk_count(struct span kept)
{
	uint32_t count;
	bool ones;

	if (kept.n < sizeof count)
		return -1;
	memcpy(&count, kept.p, sizeof count);
	if (count > CHUNK)
		return -1;
	uint32_t few = fewer(count, &ones);
	size_t rest = few < FEW_MAX ? few * sizeof(uint16_t) :
	    WORDS * sizeof(uint64_t);
	return kept.n == sizeof count + rest ? (int)count : -1;
}

bool
chunk_take(struct span kept, struct chunk *c)
{
	int count = chunk_count(kept), last = -1;
	bool ones;

	if (count == -1)
		return false;
	c->count = (uint32_t)count;
	uint32_t few = fewer(c->count, &ones);
	kept = span_skip(kept, sizeof c->count);
	if (few >= FEW_MAX) {
		memcpy(c->w, kept.p, sizeof c->w);
		return true;
	}
	memset(c->w, ones ? 0 : 0xff, sizeof c->w);
	for (uint32_t i = 0; i < few; i++) {
		uint16_t at;

		memcpy(&at, kept.p + i * sizeof at, sizeof at);
		if (at >= CHUNK || at <= last)
			return false;
		c->w[at / 64] ^= 1ull << at % 64;
		last = at;
	}
	return true;
}

static uint32_t
number(const void *pieces, size_t size, size_t i)
{
	uint32_t no;

	memcpy(&no, (const char *)pieces + i * size, sizeof no);
	return no;
}

size_t
chunk_at(const void *pieces, size_t n, size_t size, uint32_t no)
{
	size_t lo = 0, hi = n;

	/* Dense mailboxes have piece no at place no; often it is the last, or
	 * after it. */
	if (no < n && number(pieces, size, no) == no)
		return no;
	if (n > 0 && number(pieces, size, n - 1) < no)
		return n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (number(pieces, size, mid) < no)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
