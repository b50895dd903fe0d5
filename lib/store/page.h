/* SPDX-License-Identifier: ISC */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include "base/span.h"

/*
 * What LMDB's pages have to look like.  LMDB trusts them: a damaged one can
 * end the process, have it write where it must not, or lead to pages of some
 * other time.  So each page is looked at before LMDB comes to it: it has its
 * own number and the kind that its level has, its entries lie inside of it
 * and in their order, and its keys are those that the page above says.
 *
 * This is the form of LMDB's data version 1 (all of 0.9), on a machine of the
 * same byte order and page size.
 */
struct page_seen {		/* pages that are good, by number */
	uint16_t *when;		/* in which look */
	size_t n;
	uint16_t looks;
};

struct page_tree {
	const char *map;	/* what LMDB maps */
	size_t size;		/* octets of a page */
	uint64_t pages;		/* there are so many */
	uint64_t root;
	unsigned depth;		/* 0: the tree is empty */
	uint16_t fewest;	/* keys of a branch */
	bool write;		/* LMDB will look at neighbours too */
	struct page_seen *seen;
	uint16_t look;
	struct page_read *read;	/* page.c's own: there is no map */
};

/* Keys from lo on and below hi are on pages that were looked at. */
struct page_range {
	bool known;
	struct span lo, hi;	/* p == NULL: no limit */
	uint64_t leaf;		/* the page of the key, or 0 */
};

/* The two trees of an environment: LMDB's own of pages that are free, and
 * what it is for. */
enum page_which { PAGE_FREE, PAGE_MAIN };

/* Whether the file of an environment of that page size begins with what LMDB
 * can open: two pages that say what the file then has. */
bool page_opens(int fd, size_t size);

/* Where in the file the value of that key is, as the transaction of that
 * number committed it; 0 if it is not there, is too big or anything is not good
 * on the way to it. */
uint64_t page_locate(int fd, size_t size, uint64_t txn, struct span key);

/* Begin a look at the tree as the transaction of that number committed it, to
 * do with t->write whatever a transaction may, in map_size octets that are all
 * there.  seen (or NULL) is kept from one look to the next, and begins as
 * { 0 }; its owner frees seen->when.  False: it is not the last transaction or the last
 * but one, or the first pages are not good. */
bool page_begin(struct page_tree *t, enum page_which which, const char *map,
    size_t map_size, size_t size, uint64_t txn, struct page_seen *seen);

/* Whether all is good on the way to the key, and, if after, to the leaf that
 * follows its leaf.  *r then says for what other keys that holds. */
bool page_way(struct page_tree *t, struct span key, bool after,
    struct page_range *r);

/* Whether the key is one of them. */
bool page_covers(const struct page_range *r, struct span key);

/* Whether the tree of free pages is good, the lists in it too. */
bool page_free_list(struct page_tree *t);

#endif
