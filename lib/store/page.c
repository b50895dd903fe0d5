/* SPDX-License-Identifier: ISC */
#include "store/page.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/file.h"

enum {
	HEAD = 16,		/* octets before a page's entries */
	NODE = 8,		/* and before an entry's key */
	DEPTH_MAX = 32,
	BRANCH = 1, LEAF = 2, OVERFLOW = 4, DIRTY = 16,	/* kinds of pages */
	BIG = 1,		/* of an entry: its value is elsewhere */
	INTEGER_KEYS = 8,	/* of a tree */
	MAGIC = (int)0xbeefc0de, VERSION = 1
};

#define NO_PAGE UINT64_MAX

struct head {
	uint64_t number;
	uint16_t pad, kind, lower, upper;
};				/* the places of entries follow, up to lower */

struct tree {
	uint32_t pad;		/* of the free tree: octets of a page */
	uint16_t flags, depth;
	uint64_t branches, leaves, overflows, entries, root;
};

struct first {			/* what the first two pages have */
	struct head head;
	uint32_t magic, version;
	uint64_t address, map_size;
	struct tree tree[2];
	uint64_t last, txn;
};

struct node {
	uint16_t lo, hi, flags, key;
};

/* A page of some level; the leaves are level 1. */
struct page {
	uint64_t number;
	unsigned level;
	struct span lo, hi;
};

/* Pages that were read, where there is no map. */
struct page_read {
	int fd;
	struct arena mem;
	struct { uint64_t number; char *octets; } page[DEPTH_MAX + 2];
	size_t n;
};

static const char *
read_page(const struct page_tree *t, uint64_t number)
{
	struct page_read *r = t->read;

	for (size_t i = 0; i < r->n; i++)
		if (r->page[i].number == number)
			return r->page[i].octets;
	if (r->n == COUNT(r->page))
		r->n--;
	char *octets = arena_zero(&r->mem, t->size);
	if (file_pread(r->fd, octets, t->size, (int64_t)(number * t->size)) !=
	    (ssize_t)t->size)
		memset(octets, 0, t->size);
	r->page[r->n].number = number;
	r->page[r->n++].octets = octets;
	return octets;
}

static const struct head *
head(const struct page_tree *t, uint64_t number)
{
	return (const void *)(t->read != NULL ? read_page(t, number) :
	    t->map + number * t->size);
}

static size_t
count(const struct head *h)
{
	return (h->lower - (size_t)HEAD) / sizeof(uint16_t);
}

/* Where in its page an entry begins. */
static size_t
place(const struct head *h, size_t i)
{
	uint16_t at;

	memcpy(&at, (const char *)h + HEAD + i * sizeof at, sizeof at);
	return at;
}

static struct node
node(const struct head *h, size_t i)
{
	struct node n;

	memcpy(&n, (const char *)h + place(h, i), sizeof n);
	return n;
}

static struct span
key(const struct head *h, size_t i)
{
	return (struct span){ (const char *)h + place(h, i) + NODE,
		node(h, i).key };
}

/* Where an entry of a branch leads. */
static uint64_t
child(const struct head *h, size_t i)
{
	struct node n = node(h, i);

	return n.lo | (uint64_t)n.hi << 16 | (uint64_t)n.flags << 32;
}

static bool
below(struct span key, struct span limit)
{
	return limit.p == NULL || span_cmp(key, limit) < 0;
}

/* --- one page --- */

/* A value beside the leaves: LMDB counts its pages when it frees them. */
static bool
big_is_good(const struct page_tree *t, const char *at, size_t octets)
{
	uint64_t number, n = (octets + HEAD + t->size - 1) / t->size;
	uint32_t pages;

	memcpy(&number, at, sizeof number);
	if (number < 2 || number >= t->pages || n > t->pages - number)
		return false;
	if (!t->write)
		return true;
	const struct head *h = head(t, number);
	memcpy(&pages, &h->lower, sizeof pages);
	return h->number == number && (h->kind & ~DIRTY) == OVERFLOW &&
	    pages == n;
}

/* Whether an entry lies inside of its page, and leads somewhere; *k is its
 * key. */
static bool
entry_is_good(const struct page_tree *t, const struct head *h, size_t i,
    bool leaf, struct span *k)
{
	size_t at = place(h, i);

	if (at % 2 != 0 || at < h->upper || at + NODE > t->size)
		return false;
	struct node n = node(h, i);
	size_t end = at + NODE + n.key, octets = n.lo | (size_t)n.hi << 16;
	*k = (struct span){ (const char *)h + at + NODE, n.key };
	if (end > t->size)
		return false;
	if (!leaf)
		return child(h, i) >= 2 && child(h, i) < t->pages;
	if (n.flags == BIG)
		return end + sizeof(uint64_t) <= t->size &&
		    big_is_good(t, (const char *)h + end, octets);
	return n.flags == 0 && octets <= t->size - end;
}

static bool
head_is_good(const struct page_tree *t, const struct page *p)
{
	if (p->number < 2 || p->number >= t->pages)
		return false;
	const struct head *h = head(t, p->number);
	return h->number == p->number &&
	    (h->kind & ~DIRTY) == (p->level > 1 ? BRANCH : LEAF) &&
	    h->lower > HEAD && h->lower % 2 == 0 && h->lower <= h->upper &&
	    h->upper <= t->size &&
	    (p->level == 1 || count(h) >= t->fewest);
}

/* The entries of a page whose head is good; rising: their keys are in order.
 * The first key of a branch counts as the lowest of all, whatever it is. */
static bool
entries_are_good(const struct page_tree *t, const struct page *p, bool rising)
{
	const struct head *h = head(t, p->number);
	struct span before, k = { 0 };

	for (size_t i = 0, n = count(h); i < n; i++) {
		before = k;
		if (!entry_is_good(t, h, i, p->level == 1, &k))
			return false;
		if (rising && i > (p->level > 1) && span_cmp(before, k) >= 0)
			return false;
	}
	return true;
}

/* Its keys are those that the page above says. */
static bool
keys_belong(const struct page_tree *t, const struct page *p)
{
	const struct head *h = head(t, p->number);
	size_t first = p->level > 1, n = count(h);

	if (first == n)
		return true;
	int o = p->lo.p == NULL ? -1 : span_cmp(p->lo, key(h, first));
	return (o < 0 || (o == 0 && p->level == 1)) &&
	    below(key(h, n - 1), p->hi);
}

static bool
is_good(struct page_tree *t, const struct page *p)
{
	uint16_t *seen = t->seen == NULL || p->number >= t->seen->n ? NULL :
	    &t->seen->when[p->number];

	if (!head_is_good(t, p))
		return false;
	if (seen == NULL || *seen != t->look) {
		if (!entries_are_good(t, p, true))
			return false;
		if (seen != NULL)
			*seen = t->look;
	}
	return keys_belong(t, p);
}

/* --- the way to a key --- */

/* The page below p that its entry i leads to. */
static struct page
page_below(const struct page_tree *t, const struct page *p, size_t i)
{
	const struct head *h = head(t, p->number);

	return (struct page){ child(h, i), p->level - 1,
		i > 0 ? key(h, i) : p->lo,
		i + 1 < count(h) ? key(h, i + 1) : p->hi };
}

/* Which entry of a branch leads to the key. */
static size_t
entry_for(const struct head *h, struct span k)
{
	size_t lo = 1, hi = count(h);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (span_cmp(key(h, mid), k) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1;
}

/* The first leaf below a page, and all on the way. */
static bool
first_is_good(struct page_tree *t, struct page p)
{
	for (; p.level > 1; p = page_below(t, &p, 0))
		if (!is_good(t, &p))
			return false;
	return is_good(t, &p);
}

bool
page_way(struct page_tree *t, struct span k, bool after,
    struct page_range *r)
{
	struct page p = { t->root, t->depth, { NULL, 0 }, { NULL, 0 } };
	struct page next = { 0 };

	r->known = false;
	for (; p.level > 1; ) {
		if (!is_good(t, &p))
			return false;
		size_t i = entry_for(head(t, p.number), k);
		struct page side;

		if (t->write && i > 0) {
			side = page_below(t, &p, i - 1);
			if (!is_good(t, &side))
				return false;
		}
		if (i + 1 < count(head(t, p.number))) {
			next = page_below(t, &p, i + 1);
			if (t->write && !is_good(t, &next))
				return false;
		}
		p = page_below(t, &p, i);
	}
	if (t->depth > 0 && !is_good(t, &p))
		return false;
	if (after && next.level > 0 && !first_is_good(t, next))
		return false;
	*r = (struct page_range){ true, p.lo, p.hi, p.number };
	return true;
}

bool
page_covers(const struct page_range *r, struct span k)
{
	return r->known && below(k, r->hi) &&
	    (r->lo.p == NULL || span_cmp(r->lo, k) <= 0);
}

/* --- pages that are free --- */

static uint64_t
number_key(const struct head *h, size_t i)
{
	uint64_t v = 0;

	memcpy(&v, key(h, i).p, sizeof v);
	return v;
}

/* A list: how many, then their numbers, falling. */
static bool
list_is_good(const struct page_tree *t, const struct head *h, size_t i)
{
	struct node n = node(h, i);
	size_t octets = n.lo | (size_t)n.hi << 16;
	const char *at = (const char *)h + place(h, i) + NODE + n.key;
	uint64_t number, v[2];

	if (n.flags == BIG) {
		memcpy(&number, at, sizeof number);
		at = (const char *)head(t, number) + HEAD;
	}
	if (octets < sizeof v[0])
		return false;
	memcpy(&number, at, sizeof number);
	if (number > octets / sizeof v[0] - 1)
		return false;
	v[0] = t->pages;
	for (uint64_t k = 1; k <= number; k++, v[0] = v[1]) {
		memcpy(&v[1], at + k * sizeof v[0], sizeof v[1]);
		if (v[1] >= v[0] || v[1] < 2)
			return false;
	}
	return true;
}

/* Each page at most once: left says how many there are. */
static bool
free_is_good(struct page_tree *t, const struct page *p, uint64_t *left)
{
	if (*left == 0 || !head_is_good(t, p) ||
	    !entries_are_good(t, p, false))
		return false;
	--*left;
	const struct head *h = head(t, p->number);
	for (size_t i = p->level > 1; i < count(h); i++)
		if (node(h, i).key != sizeof(uint64_t) ||
		    (i > (p->level > 1) &&
		    number_key(h, i - 1) >= number_key(h, i)))
			return false;
	for (size_t i = 0; i < count(h); i++) {
		if (p->level > 1) {
			struct page under = page_below(t, p, i);

			if (!free_is_good(t, &under, left))
				return false;
		} else if (!list_is_good(t, h, i))
			return false;
	}
	return true;
}

bool
page_free_list(struct page_tree *t)
{
	struct page p = { t->root, t->depth, { NULL, 0 }, { NULL, 0 } };

	uint64_t left = t->pages;

	return t->depth == 0 || free_is_good(t, &p, &left);
}

/* --- the first pages --- */

static bool
tree_is_good(const struct first *f, enum page_which which)
{
	const struct tree *t = &f->tree[which];

	return t->flags == (which == PAGE_FREE ? INTEGER_KEYS : 0) &&
	    (t->depth == 0 ? t->root == NO_PAGE :
	    t->depth <= DEPTH_MAX && t->root >= 2 && t->root <= f->last);
}

static bool
first_page_is_good(const struct first *f, size_t size, uint64_t pages)
{
	return f->magic == (uint32_t)MAGIC && f->version == VERSION &&
	    f->tree[PAGE_FREE].pad == size && f->last >= 1 &&
	    f->last < pages && tree_is_good(f, PAGE_FREE) &&
	    tree_is_good(f, PAGE_MAIN);
}

bool
page_opens(int fd, size_t size)
{
	struct first f;
	struct stat s;

	if (fstat(fd, &s) == -1)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (file_pread(fd, &f, sizeof f, (int64_t)(i * size)) !=
		    (ssize_t)sizeof f || !first_page_is_good(&f, size,
		    (uint64_t)s.st_size / size))
			return false;
	return true;
}

/* The tree as it is there. */
static bool
take_tree(struct page_tree *t, enum page_which which, const struct first *f,
    uint64_t pages, uint64_t txn)
{
	if (f->txn != txn || !first_page_is_good(f, t->size, pages))
		return false;
	t->pages = f->last + 1;
	t->root = f->tree[which].root;
	t->depth = f->tree[which].depth;
	/* LMDB ends the process for a branch that does not part anything,
	 * but among the lists of free pages. */
	t->fewest = which == PAGE_MAIN ? 2 : 1;
	return true;
}

static void
begin_look(struct page_tree *t, struct page_seen *seen)
{
	t->seen = seen;
	if (seen == NULL)
		return;
	if (seen->n < t->pages) {
		free(seen->when);
		seen->n = t->pages + t->pages / 4;
		seen->when = xcalloc(seen->n, sizeof *seen->when);
		seen->looks = 0;
	}
	if (++seen->looks == 0) {
		memset(seen->when, 0, seen->n * sizeof *seen->when);
		seen->looks = 1;
	}
	t->look = seen->looks;
}

bool
page_begin(struct page_tree *t, enum page_which which, const char *map,
    size_t map_size, size_t size, uint64_t txn, struct page_seen *seen)
{
	struct first f;

	*t = (struct page_tree){ .map = map, .size = size };
	memcpy(&f, map + (txn & 1) * size, sizeof f);
	if (!take_tree(t, which, &f, map_size / size, txn))
		return false;
	begin_look(t, seen);
	return true;
}

/* Where in the file the value of a leaf's key is, or 0. */
static uint64_t
value_place(const struct page_tree *t, uint64_t leaf, struct span k)
{
	const struct head *h = head(t, leaf);

	for (size_t i = 0; i < count(h); i++)
		if (span_eq(key(h, i), k) && node(h, i).flags == 0)
			return leaf * t->size + place(h, i) + NODE + k.n;
	return 0;
}

uint64_t
page_locate(int fd, size_t size, uint64_t txn, struct span k)
{
	struct page_read read = { .fd = fd };
	struct page_tree t = { .size = size, .read = &read };
	struct page_range r;
	struct stat s;
	struct first f;
	uint64_t at = 0;

	if (fstat(fd, &s) == 0 && file_pread(fd, &f, sizeof f,
	    (int64_t)((txn & 1) * size)) == (ssize_t)sizeof f &&
	    take_tree(&t, PAGE_MAIN, &f, (uint64_t)s.st_size / size, txn) &&
	    page_way(&t, k, false, &r) && r.leaf != 0)
		at = value_place(&t, r.leaf, k);
	arena_free(&read.mem);
	return at;
}
