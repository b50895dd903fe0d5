/* SPDX-License-Identifier: ISC */
#include "store/bits.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"

/* How many bits are set.  Without the machine's instruction for it the
 * compiler's own is a call for each word. */
static uint32_t
ones(const uint64_t *w, size_t n)
{
	const uint64_t half = 0x00ff00ff00ff00ff;
	uint32_t all = 0;

	while (n > 0) {
		/* So many that no octet of the sum overflows. */
		size_t some = n < 16 ? n : 16;
		uint64_t sum = 0;

		for (size_t i = 0; i < some; i++) {
			uint64_t v = w[i];

			v -= v >> 1 & 0x5555555555555555;
			v = (v & 0x3333333333333333) +
			    (v >> 2 & 0x3333333333333333);
			sum += (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
		}
		sum = (sum & half) + (sum >> 8 & half);
		all += (uint32_t)(sum * 0x0001000100010001 >> 48);
		w += some;
		n -= some;
	}
	return all;
}

void
bits_room(struct bits *b, size_t n)
{
	if (n <= b->cap)
		return;
	b->cap = n;
	b->c = xrealloc(b->c, b->cap * sizeof *b->c);
}

extern inline uint64_t bits_word(const struct bits_chunk *c, uint32_t i);

/* Words that can be written. */
static uint64_t *
own_words(struct bits_chunk *c)
{
	if (c->w == NULL) {
		c->w = xmalloc(WORDS * sizeof *c->w);
		memset(c->w, 0xff, WORDS * sizeof *c->w);
	}
	return c->w;
}

static void
drop_all(struct bits *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->c[i].w);
	b->n = 0;
}

static struct bits_chunk *
more(struct bits *b)
{
	if (b->n == b->cap)
		bits_room(b, b->cap * 2 + 4);
	return &b->c[b->n];
}

void
bits_load(struct bits *b, struct txn *t, uint32_t mailbox, int kind)
{
	struct key from = key_chunk(mailbox, kind, 0);
	struct chunk k;
	struct walk w;

	drop_all(b);
	walk_start(&w, t, &from, 6);
	while (walk_next(&w)) {
		struct span kept = { w.val.mv_data, w.val.mv_size };
		int count = chunk_count(kept);

		if (count == 0)
			continue;
		if (count != CHUNK && !chunk_take(kept, &k)) {
			txn_damaged(t);
			continue;
		}
		struct bits_chunk *c = more(b);
		*c = (struct bits_chunk){ .no = key_get_u32(&w.key, 6),
			.count = (uint32_t)count };
		if (count != CHUNK)
			memcpy(own_words(c), k.w, sizeof k.w);
		b->n++;
	}
	walk_end(&w);
	b->total = 0;
	for (size_t i = 0; i < b->n; i++) {
		b->c[i].before = b->total;
		b->total += b->c[i].count;
	}
}

void
bits_free(struct bits *b)
{
	drop_all(b);
	free(b->c);
	*b = (struct bits){ 0 };
}

/* The first chunk whose number is >= no. */
static size_t
at_or_after(const struct bits *b, uint32_t no)
{
	return chunk_at(b->c, b->n, sizeof *b->c, no);
}

bool
bits_has(const struct bits *b, uint32_t uid)
{
	size_t i = at_or_after(b, uid / CHUNK);

	return i < b->n && b->c[i].no == uid / CHUNK &&
	    (bits_word(&b->c[i], uid % CHUNK / 64) >> uid % 64 & 1);
}

void
bits_set(struct bits *b, uint32_t uid, bool on)
{
	uint32_t no = uid / CHUNK;
	size_t i = at_or_after(b, no);
	uint64_t bit = 1ull << uid % 64;

	if (i == b->n || b->c[i].no != no) {
		if (!on)
			return;
		more(b);
		memmove(b->c + i + 1, b->c + i, (b->n - i) * sizeof *b->c);
		b->c[i] = (struct bits_chunk){ .no = no,
			.w = xcalloc(WORDS, sizeof bit) };
		b->n++;
	}
	if (on && b->c[i].w == NULL)
		return;
	uint64_t *w = own_words(&b->c[i]) + uid % CHUNK / 64;
	*w = on ? *w | bit : *w & ~bit;
}

void
bits_count(struct bits *b)
{
	b->total = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct bits_chunk *c = &b->c[i];

		c->count = c->w == NULL ? CHUNK : ones(c->w, WORDS);
		c->before = b->total;
		b->total += c->count;
	}
}

uint32_t
bits_rank(const struct bits *b, uint32_t uid)
{
	size_t i = at_or_after(b, uid / CHUNK);

	if (i == b->n)
		return b->total;
	const struct bits_chunk *c = &b->c[i];
	uint32_t r = c->before, word = uid % CHUNK / 64;
	if (c->no != uid / CHUNK)
		return r;
	if (c->w == NULL)
		return r + uid % CHUNK + 1;
	uint64_t last = c->w[word] & ~0ull >> (63 - uid % 64);
	return r + ones(c->w, word) + ones(&last, 1);
}

uint32_t
bits_select(const struct bits *b, uint32_t n)
{
	size_t lo = 0, hi = b->n;

	if (n == 0 || n > b->total)
		return 0;
	/* The last chunk with before < n. */
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->c[mid].before < n)
			lo = mid;
		else
			hi = mid;
	}
	const struct bits_chunk *c = &b->c[lo];
	uint32_t left = n - c->before;
	if (c->w == NULL)
		return c->no * CHUNK + left - 1;
	for (uint32_t j = 0; j < WORDS; j++) {
		uint32_t k = (uint32_t)__builtin_popcountll(c->w[j]);
		uint64_t w = c->w[j];

		if (left > k) {
			left -= k;
			continue;
		}
		while (--left > 0)
			w &= w - 1;
		return c->no * CHUNK + j * 64 + (uint32_t)__builtin_ctzll(w);
	}
	return 0;
}

uint32_t
bits_next(const struct bits *b, uint32_t uid)
{
	uint32_t no = uid / CHUNK, from = uid % CHUNK;

	for (size_t i = at_or_after(b, no); i < b->n; i++) {
		const struct bits_chunk *c = &b->c[i];

		if (c->no != no)
			from = 0;
		for (uint32_t j = from / 64; j < WORDS; j++) {
			uint64_t w = bits_word(c, j);

			if (j == from / 64)
				w &= ~0ull << from % 64;
			if (w != 0)
				return c->no * CHUNK + j * 64 +
				    (uint32_t)__builtin_ctzll(w);
		}
	}
	return 0;
}

uint32_t
bits_last(const struct bits *b)
{
	return bits_select(b, b->total);
}
