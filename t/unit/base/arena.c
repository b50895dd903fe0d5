/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include "../../t.h"

int
main(void)
{
	struct arena a = { 0 };
	bool aligned = true, kept = true;
	char *p[200];

	for (size_t i = 0; i < COUNT(p); i++) {
		p[i] = arena_alloc(&a, i * 37);
		aligned = aligned && (uintptr_t)p[i] % 16 == 0;
		memset(p[i], (int)i, i * 37);
	}
	for (size_t i = 1; i < COUNT(p); i++)
		kept = kept && p[i][0] == (char)i &&
		    p[i][i * 37 - 1] == (char)i;
	ok(aligned, "what it gives is aligned for any type");
	ok(kept, "pieces do not overlap, across chunks too");
	ok(a.total >= 37 * 199, "it counts what it gave");
	ok(arena_zero(&a, 100000) != NULL, "a piece larger than a chunk");

	struct span s = arena_dup(&a, SPAN("one\0two"));

	is(s, SPAN("one\0two"), "a copy of octets with a NUL");
	is(span_str(arena_cstr(&a, SPAN("abc"))), SPAN("abc"),
	    "a copy ended by NUL");

	uint32_t *v = NULL;
	size_t cap = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		v = arena_grow(&a, v, &cap, i + 1, sizeof *v);
		v[i] = i;
	}
	ok(v[0] == 0 && v[999] == 999, "an array keeps its elements growing");
	arena_reset(&a);
	ok(a.total == 0, "a reset gives everything back");
	arena_free(&a);
	return done();
}
