/* SPDX-License-Identifier: ISC */
#include "store/plan.h"

#include <stdlib.h>

#include "base/die.h"

enum { NODES_MAX = 20000, DAY = 86400 };

static bool
inner(const struct query *q)
{
	return q->op == QUERY_AND || q->op == QUERY_OR || q->op == QUERY_NOT;
}

/* The tree in preorder, without recursion: nothing bounds its depth. */
static bool
flatten(struct plan *p, const struct query *q)
{
	size_t cap = 0;
	uint32_t at = SEEK_NONE;	/* the node whose subtree is open */

	for (;;) {
		struct plan_node *n;
		const struct query *next = NULL;

		if (p->n == NODES_MAX)
			return false;
		p->node = arena_grow(&p->mem, p->node, &cap, p->n + 1,
		    sizeof *p->node);
		n = &p->node[p->n];
		*n = (struct plan_node){ .q = q, .parent = at,
			.end = p->n + 1, .field = SEEK_NONE,
			.keyword = SEEK_NONE };
		if (inner(q) && q->sub != NULL) {
			at = p->n++;
			q = q->sub;
			continue;
		}
		p->n++;
		/* The next sibling, of the nearest ancestor that has one. */
		while (at != SEEK_NONE) {
			if (p->node[at].q->op != QUERY_NOT)
				next = q->next;
			if (next != NULL)
				break;
			p->node[at].end = p->n;
			q = p->node[at].q;
			at = p->node[at].parent;
		}
		if (next == NULL)
			return true;
		q = next;
	}
}

static uint32_t
add_needle(struct arena *mem, struct span **list, size_t *n, size_t *cap,
    struct span s)
{
	*list = arena_grow(mem, *list, cap, *n + 1, sizeof **list);
	(*list)[*n] = s;
	return (uint32_t)(*n)++;
}

static int
by_name(const void *a, const void *b)
{
	const struct query *x = (*(struct plan_node *const *)a)->q;
	const struct query *y = (*(struct plan_node *const *)b)->q;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;

	for (size_t i = 0; i < n; i++) {
		int d = (unsigned char)ascii_lower(x->name.p[i]) -
		    (unsigned char)ascii_lower(y->name.p[i]);

		if (d != 0)
			return d;
	}
	if (x->name.n != y->name.n)
		return x->name.n < y->name.n ? -1 : 1;
	return (int)x->op - (int)y->op;
}

/* Fields in the order of their names; one scan for each name and kind. */
static void
add_fields(struct plan *p, struct plan_node **leaf, size_t n)
{
	struct seek *k = &p->seek;

	qsort(leaf, n, sizeof *leaf, by_name);
	k->field = arena_zero(&p->mem, (n + 1) * sizeof *k->field);
	for (size_t i = 0; i < n; i++) {
		struct seek_field *f;

		if (i == 0 || by_name(&leaf[i - 1], &leaf[i]) != 0) {
			f = &k->field[k->fields++];
			f->name = leaf[i]->q->name;
			f->address = leaf[i]->q->op == QUERY_ADDRESS;
		}
		f = &k->field[k->fields - 1];
		leaf[i]->field = (uint32_t)(k->fields - 1);
		leaf[i]->needle = add_needle(&p->mem, &f->needle, &f->needles,
		    &f->cap, leaf[i]->q->text);
		p->asks_digest |= digest_keeps(f->name);
	}
}

static uint32_t
find_keyword(struct span name, const struct span *keyword, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_ieq(keyword[i], name))
			return (uint32_t)i;
	return SEEK_NONE;
}

enum store_result
plan_make(struct plan *p, const struct query *q, const struct span *keyword,
    size_t keywords)
{
	struct plan_node **leaf;
	struct seek *k = &p->seek;
	size_t n = 0;

	*p = (struct plan){ .n = 0 };
	if (!flatten(p, q))
		return STORE_LIMIT;
	k->mem = &p->mem;
	p->value = arena_zero(&p->mem, p->n);
	leaf = arena_alloc(&p->mem, p->n * sizeof *leaf);
	for (uint32_t i = 0; i < p->n; i++) {
		struct plan_node *x = &p->node[i];

		p->asks_record |= x->q->op < QUERY_SENTBEFORE &&
		    (!inner(x->q) || x->q->sub == NULL);
		switch (x->q->op) {
		case QUERY_KEYWORD:
			x->keyword = find_keyword(x->q->text, keyword,
			    keywords);
			break;
		case QUERY_SENTBEFORE:
		case QUERY_SENTON:
		case QUERY_SENTSINCE:
			p->asks_digest = true;
			break;
		case QUERY_LARGER:
		case QUERY_SMALLER:
			p->asks_size = p->asks_record = true;
			break;
		case QUERY_HEADER:
		case QUERY_ADDRESS:
			leaf[n++] = x;
			break;
		case QUERY_TEXT:
			x->head = add_needle(&p->mem, &k->head.needle,
			    &k->head.needles, &k->head.cap, x->q->text);
			/* FALLTHROUGH */
		case QUERY_BODY:
			x->needle = add_needle(&p->mem, &k->body.needle,
			    &k->body.needles, &k->body.cap, x->q->text);
			break;
		case QUERY_MODSEQ:
			p->asks_record = true;
			break;
		default:
			break;
		}
		/* The empty string is found before anything is read. */
		p->asks_record |= x->q->op >= QUERY_HEADER &&
		    x->q->text.n == 0;
	}
	add_fields(p, leaf, n);
	return seek_ready(k) ? STORE_OK : STORE_LIMIT;
}

void
plan_free(struct plan *p)
{
	seek_free(&p->seek);
	arena_free(&p->mem);
}

static enum verdict
verdict(bool yes)
{
	return yes ? MATCH : NO_MATCH;
}

/* Days since 1970, also before. */
static int64_t
day(int64_t seconds)
{
	return seconds / DAY - (seconds % DAY < 0);
}

static enum verdict
by_day(enum query_op op, int64_t have, uint64_t number)
{
	int64_t want = (int64_t)number;

	if (op == QUERY_BEFORE || op == QUERY_SENTBEFORE)
		return verdict(have < want);
	if (op == QUERY_ON || op == QUERY_SENTON)
		return verdict(have == want);
	return verdict(have >= want);
}

/* RFC 3501 6.4.4: as the Date: field says it, zone disregarded.  A message
 * without one was sent on no day. */
static enum verdict
by_sent(const struct query *q, const struct digest *d)
{
	if (d == NULL)
		return UNDECIDED;
	if (d->date == INT64_MIN)
		return NO_MATCH;
	return by_day(q->op, day(d->date + (int64_t)d->date_zone * 60),
	    q->number);
}

static enum verdict
by_size(const struct query *q, const struct msg *m, const struct digest *d)
{
	uint64_t size = m->size != 0 || d == NULL ? m->size : d->wire_size;

	if (size == 0 && d == NULL)
		return UNDECIDED;
	return verdict(q->op == QUERY_LARGER ? size > q->number :
	    size < q->number);
}

static enum verdict
by_keyword(const struct plan_node *n, const struct msg *m)
{
	for (size_t i = 0; i < m->keywords; i++)
		if (m->keyword[i] == n->keyword)
			return MATCH;
	return NO_MATCH;
}

static enum verdict
by_field(const struct seek *k, const struct plan_node *n)
{
	const struct seek_field *f = &k->field[n->field];

	if (f->present && scan_found(f->scan, n->needle))
		return MATCH;
	return f->known ? NO_MATCH : UNDECIDED;
}

static enum verdict
by_text(const struct seek *k, const struct plan_node *n)
{
	bool head = n->q->op == QUERY_TEXT;

	if ((head && scan_found(k->head.scan, n->head)) ||
	    scan_found(k->body.scan, n->needle))
		return MATCH;
	return (!head || k->head.known) && k->body.known ? NO_MATCH :
	    UNDECIDED;
}

static enum verdict
leaf_verdict(const struct plan *p, const struct plan_node *n,
    const struct msg *m, const struct digest *d)
{
	const struct query *q = n->q;

	switch (q->op) {
	case QUERY_ALL:
	case QUERY_AND:
		return MATCH;
	case QUERY_OR:
	case QUERY_NOT:
		return NO_MATCH;
	case QUERY_UIDS:
		return verdict(set_has(q->uids, m->uid));
	case QUERY_FLAGS:
		return verdict((m->flags & q->flags) == q->flags);
	case QUERY_KEYWORD:
		return by_keyword(n, m);
	case QUERY_BEFORE:
	case QUERY_ON:
	case QUERY_SINCE:
		return by_day(q->op, day(m->internaldate), q->number);
	case QUERY_SENTBEFORE:
	case QUERY_SENTON:
	case QUERY_SENTSINCE:
		return by_sent(q, d);
	case QUERY_LARGER:
	case QUERY_SMALLER:
		return by_size(q, m, d);
	case QUERY_MODSEQ:
		return verdict(m->modseq >= q->number);
	case QUERY_HEADER:
	case QUERY_ADDRESS:
		return by_field(&p->seek, n);
	case QUERY_BODY:
	case QUERY_TEXT:
		return by_text(&p->seek, n);
	}
	return NO_MATCH;
}

/* What a child's verdict makes of its parent's so far.  In the order of the
 * enum AND is the least and OR the greatest. */
static enum verdict
merge(enum query_op op, enum verdict sofar, enum verdict v)
{
	if (op == QUERY_NOT)
		return (enum verdict)(MATCH - v);
	if (op == QUERY_AND)
		return v < sofar ? v : sofar;
	return v > sofar ? v : sofar;
}

/* No more children can change it. */
static bool
settled(enum query_op op, enum verdict v)
{
	return (op == QUERY_AND && v == NO_MATCH) ||
	    (op == QUERY_OR && v == MATCH);
}

enum verdict
plan_decide(const struct plan *p, const struct msg *m,
    const struct digest *d)
{
	uint32_t i = 0;

	for (;;) {
		const struct plan_node *n = &p->node[i];
		enum verdict v;

		if (n->end > i + 1) {
			p->value[i] = n->q->op == QUERY_OR ? NO_MATCH : MATCH;
			i++;
			continue;
		}
		v = leaf_verdict(p, n, m, d);
		/* Up to the first ancestor that has a child left. */
		for (;;) {
			uint32_t at = n->parent, next = n->end;

			if (at == SEEK_NONE)
				return v;
			n = &p->node[at];
			v = merge(n->q->op, (enum verdict)p->value[at], v);
			p->value[at] = (uint8_t)v;
			if (next < n->end && !settled(n->q->op, v)) {
				i = next;
				break;
			}
		}
	}
}
