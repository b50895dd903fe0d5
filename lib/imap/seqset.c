/* SPDX-License-Identifier: ISC */
#include "imap/lex.h"

/* RFC 3501 9: seq-number = nz-number / "*"; 0 is the latter. */
static uint32_t
seq_number(struct lex *l)
{
	return lex_try(l, '*') ? 0 : lex_nz_number(l);
}

struct seqset
lex_seqset(struct lex *l)
{
	struct seqset q = { 0 };
	size_t cap = 0;

	do {
		uint32_t lo = seq_number(l);
		uint32_t hi = lex_try(l, ':') ? seq_number(l) : lo;

		q.r = arena_grow(l->arena, q.r, &cap, q.n + 1, sizeof *q.r);
		q.r[q.n++] = (struct range){ lo, hi };
	} while (lex_try(l, ','));
	if (l->error != NULL)
		q.n = 0;
	return q;
}

bool
seqset_add(const struct seqset *q, uint32_t star, uint32_t max,
    struct set *to)
{
	for (size_t i = 0; i < q->n; i++) {
		uint32_t lo = q->r[i].lo, hi = q->r[i].hi;

		if ((lo == 0 || hi == 0) && star == 0) {
			if (max == 0)
				return false;
			continue;
		}
		if (lo == 0)
			lo = star;
		if (hi == 0)
			hi = star;
		if (lo > max || hi > max)
			return false;
		set_add(to, lo, hi);
	}
	return true;
}
