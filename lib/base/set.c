/* SPDX-License-Identifier: ISC */
#include "base/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"

void
set_free(struct set *s)
{
	free(s->r);
	*s = (struct set){ 0 };
}

void
set_clear(struct set *s)
{
	s->n = 0;
}

/* The first range whose hi is >= v. */
static size_t
at_or_after(const struct set *s, uint32_t v)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->r[mid].hi < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Replace ranges [from, to) by the k ranges at with. */
static void
splice(struct set *s, size_t from, size_t to, const struct range *with,
    size_t k)
{
	size_t n = s->n - (to - from) + k;

	if (n > s->cap) {
		s->cap = s->cap * 2 > n ? s->cap * 2 : n + 8;
		s->r = xrealloc(s->r, s->cap * sizeof *s->r);
	}
	if (s->n > to)
		memmove(s->r + from + k, s->r + to,
		    (s->n - to) * sizeof *s->r);
	if (k > 0)
		memcpy(s->r + from, with, k * sizeof *with);
	s->n = n;
}

void
set_add(struct set *s, uint32_t lo, uint32_t hi)
{
	if (lo > hi) {
		uint32_t t = lo;

		lo = hi;
		hi = t;
	}
	if (s->n > 0 && lo > 1 && s->r[s->n - 1].hi < lo - 1) {
		splice(s, s->n, s->n, &(struct range){ lo, hi }, 1);
		return;
	}
	size_t from = at_or_after(s, lo > 1 ? lo - 1 : lo), to = from;

	while (to < s->n &&
	    (hi == UINT32_MAX || s->r[to].lo <= hi + 1)) {
		if (s->r[to].lo < lo)
			lo = s->r[to].lo;
		if (s->r[to].hi > hi)
			hi = s->r[to].hi;
		to++;
	}
	splice(s, from, to, &(struct range){ lo, hi }, 1);
}

void
set_remove(struct set *s, uint32_t lo, uint32_t hi)
{
	size_t from = at_or_after(s, lo), to = from;
	struct range keep[2];
	size_t k = 0;

	while (to < s->n && s->r[to].lo <= hi) {
		if (s->r[to].lo < lo)
			keep[k++] = (struct range){ s->r[to].lo, lo - 1 };
		if (s->r[to].hi > hi)
			keep[k++] = (struct range){ hi + 1, s->r[to].hi };
		to++;
	}
	splice(s, from, to, keep, k);
}

void
set_add_set(struct set *s, const struct set *more)
{
	for (size_t i = 0; i < more->n; i++)
		set_add(s, more->r[i].lo, more->r[i].hi);
}

bool
set_has(const struct set *s, uint32_t v)
{
	return v != 0 && set_next(s, v) == v;
}

uint64_t
set_count(const struct set *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += (uint64_t)s->r[i].hi - s->r[i].lo + 1;
	return n;
}

uint32_t
set_next(const struct set *s, uint32_t v)
{
	size_t i = at_or_after(s, v);

	if (i == s->n)
		return 0;
	return s->r[i].lo > v ? s->r[i].lo : v;
}

void
set_print(const struct set *s, struct buf *to)
{
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			buf_addc(to, ',');
		buf_addu(to, s->r[i].lo);
		if (s->r[i].hi != s->r[i].lo) {
			buf_addc(to, ':');
			buf_addu(to, s->r[i].hi);
		}
	}
}
