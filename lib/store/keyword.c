/* SPDX-License-Identifier: ISC */
#include "store/keyword.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "store/letters.h"
#include "store/uidlist.h"

void
names_free(struct mailbox *mb)
{
	if (mb->names == NULL)
		return;
	arena_free(&mb->names->mem);
	free(mb->names);
	mb->names = NULL;
}

void
names_load(struct mailbox *mb, struct txn *t, const struct meta *m)
{
	struct names *ns = mb->names;

	if (ns != NULL && ns->generation != mb->generation) {
		names_free(mb);
		ns = NULL;
	}
	if (ns == NULL) {
		ns = mb->names = xcalloc(1, sizeof *ns);
		ns->generation = mb->generation;
	}
	if (ns->n == m->keywords)
		return;
	if (ns->n > m->keywords)	/* from a change that was given up */
		ns->n = 0;
	ns->name = arena_grow(&ns->mem, ns->name, &ns->cap, m->keywords,
	    sizeof *ns->name);
	while (ns->n < m->keywords) {
		struct key k = key_uid('w', mb->id, (uint32_t)ns->n);
		struct span v = { "", 0 };

		if (!txn_get(t, &k, &v))
			txn_damaged(t);
		ns->name[ns->n++] = arena_dup(&ns->mem, v);
	}
}

int32_t
keyword_find(const struct mailbox *mb, struct span name)
{
	for (size_t i = 0; i < mb->names->n; i++)
		if (span_ieq(mb->names->name[i], name))
			return (int32_t)i;
	return -1;
}

static bool
name_ok(struct span name)
{
	if (name.n == 0 || name.n > KEYWORD_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f)
			return false;
	return true;
}

int32_t
keyword_make(struct change *c, struct span name)
{
	names_load(c->mb, c->t, &c->m);
	int32_t i = keyword_find(c->mb, name);
	if (i >= 0)
		return i;
	if (c->m.keywords >= UIDLIST_KEYWORDS_MAX || !name_ok(name))
		return -1;
	struct key k = key_uid('w', c->mb->id, c->m.keywords);
	txn_put(c->t, &k, name);
	uidlist_keyword(&c->lines, c->m.keywords, name);
	c->sync_list = true;
	c->m.keywords++;
	names_load(c->mb, c->t, &c->m);
	return (int32_t)c->m.keywords - 1;
}

const uint32_t *
set_keywords(struct mailbox *mb, struct txn *t, uint32_t set, size_t *n)
{
	struct names *ns = mb->names;
	struct span v;

	*n = 0;
	if (set == 0 || ns == NULL)
		return NULL;
	if (set >= ns->sets) {
		size_t cap = ns->sets;

		ns->set = arena_grow(&ns->mem, ns->set, &cap,
		    (size_t)set + 16, sizeof *ns->set);
		for (size_t i = ns->sets; i < cap; i++)
			ns->set[i] = NULL;
		ns->sets = cap;
	}
	if (ns->set[set] == NULL) {
		struct key k = key_uid('k', mb->id, set);

		if (!txn_get(t, &k, &v)) {
			txn_damaged(t);
			return NULL;
		}
		uint32_t *a = arena_alloc(&ns->mem, v.n + sizeof *a);
		a[0] = (uint32_t)(v.n / sizeof *a);
		memcpy(a + 1, v.p, v.n);
		ns->set[set] = a;
	}
	*n = ns->set[set][0];
	return ns->set[set] + 1;
}

uint32_t
set_of(struct change *c, const uint32_t *keyword, size_t n)
{
	struct span list = { (const char *)keyword, n * sizeof *keyword };
	struct span v;
	uint32_t set;

	if (n == 0)
		return 0;
	/* The hash only leads to the set; on a collision try the next. */
	for (uint64_t h = letters_hash(list); ; h++) {
		struct key q = key_modseq('q', c->mb->id, h, 0);

		if (txn_get_fixed(c->t, &q, &set, sizeof set)) {
			struct key k = key_uid('k', c->mb->id, set);

			if (txn_get(c->t, &k, &v) && span_eq(v, list))
				return set;
			if (c->t->err != 0)
				return 0;
			continue;
		}
		set = ++c->m.sets;
		struct key k = key_uid('k', c->mb->id, set);
		txn_put(c->t, &k, list);
		txn_put(c->t, &q, (struct span){ (char *)&set, sizeof set });
		return set;
	}
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t
set_with(struct change *c, uint32_t set, const uint32_t *keyword, size_t n,
    bool add)
{
	size_t have, k = 0;

	if (n == 0)
		return set;
	names_load(c->mb, c->t, &c->m);
	const uint32_t *old = set_keywords(c->mb, c->t, set, &have);
	uint32_t *all = xmalloc((have + n) * sizeof *all);
	for (size_t i = 0; i < have; i++) {
		bool named = false;

		for (size_t j = 0; j < n; j++)
			named = named || keyword[j] == old[i];
		if (!named)
			all[k++] = old[i];
	}
	if (add) {
		memcpy(all + k, keyword, n * sizeof *all);
		k += n;
		qsort(all, k, sizeof *all, by_number);
		size_t u = 0;
		for (size_t i = 0; i < k; i++)
			if (u == 0 || all[u - 1] != all[i])
				all[u++] = all[i];
		k = u;
	}
	uint32_t made = set_of(c, all, k);
	free(all);
	return made;
}
