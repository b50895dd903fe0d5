/* SPDX-License-Identifier: ISC */
#include "store/told.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "store/chunk.h"

void
told_free(struct told *t)
{
	free(t->p);
	*t = (struct told){ 0 };
}

uint16_t
told_sum(uint32_t flags, const uint32_t *keyword, size_t n)
{
	uint64_t h = (flags + 1) * 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < n; i++)
		h = ((h ^ h >> 29) + keyword[i] + 1) * 0xff51afd7ed558ccd;
	h >>= 48;
	return h == 0 ? 1 : (uint16_t)h;
}

/* The first piece whose number is >= no. */
static size_t
at_or_after(const struct told *t, uint32_t no)
{
	return chunk_at(t->p, t->n, sizeof *t->p, no);
}

void
told_put(struct told *t, uint32_t uid, uint16_t sum)
{
	uint32_t no = uid / TOLD;
	size_t i = at_or_after(t, no);

	if (i == t->n || t->p[i].no != no) {
		if (t->n == t->cap) {
			t->cap += t->cap / 2 + 4;
			t->p = xrealloc(t->p, t->cap * sizeof *t->p);
		}
		memmove(t->p + i + 1, t->p + i, (t->n - i) * sizeof *t->p);
		t->p[i] = (struct told_piece){ .no = no };
		t->n++;
	}
	t->p[i].sum[uid % TOLD] = sum;
}

uint16_t
told_get(const struct told *t, uint32_t uid)
{
	size_t i = at_or_after(t, uid / TOLD);

	return i < t->n && t->p[i].no == uid / TOLD ?
	    t->p[i].sum[uid % TOLD] : 0;
}
