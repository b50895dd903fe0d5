/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"

enum { CHUNK = 16 * 1024, ALIGN = 16 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, cap;
	_Alignas(ALIGN) char data[];
};

void *
arena_alloc(struct arena *a, size_t n)
{
	if (n > SIZE_MAX / 4)
		die_temp("out of memory");
	n = (n + ALIGN - 1) / ALIGN * ALIGN;

	struct arena_chunk *c = a->chunks;

	if (c == NULL || c->cap - c->used < n) {
		size_t cap = n > CHUNK ? n : CHUNK;

		c = xmalloc(sizeof *c + cap);
		c->used = 0;
		c->cap = cap;
		c->next = a->chunks;
		a->chunks = c;
	}
	void *p = c->data + c->used;

	c->used += n;
	a->total += n;
	return p;
}

void *
arena_zero(struct arena *a, size_t n)
{
	void *p = arena_alloc(a, n);

	memset(p, 0, n);
	return p;
}

struct span
arena_dup(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct span){ p, s.n };
}

char *
arena_cstr(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

void *
arena_grow(struct arena *a, void *p, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return p;
	size_t want = *cap == 0 ? 8 : *cap * 2;

	if (want < need)
		want = need;
	if (want > SIZE_MAX / 8 / size)
		die_temp("out of memory");
	void *q = arena_alloc(a, want * size);

	if (*cap > 0)
		memcpy(q, p, *cap * size);
	*cap = want;
	return q;
}

static void
release(struct arena_chunk *c)
{
	while (c != NULL) {
		struct arena_chunk *next = c->next;

		free(c);
		c = next;
	}
}

void
arena_reset(struct arena *a)
{
	struct arena_chunk *keep = a->chunks;

	a->total = 0;
	if (keep == NULL)
		return;
	release(keep->next);
	keep->next = NULL;
	keep->used = 0;
	if (keep->cap > CHUNK) {
		free(keep);
		a->chunks = NULL;
	}
}

void
arena_wipe(struct arena *a)
{
	for (struct arena_chunk *c = a->chunks; c != NULL; c = c->next)
		explicit_bzero(c->data, c->cap);
	arena_reset(a);
}

void
arena_free(struct arena *a)
{
	release(a->chunks);
	*a = (struct arena){ 0 };
}
