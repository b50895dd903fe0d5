/* SPDX-License-Identifier: ISC */
#ifndef STORE_KEYWORD_H
#define STORE_KEYWORD_H

#include "store/record.h"

/*
 * Keywords have a number per mailbox, which holds for ever; a message has a
 * set of them, and equal sets are kept once.  Names and sets never change,
 * so a copy of them stays good as long as the index does.
 */
struct names {
	struct arena mem;
	uint64_t generation;
	struct span *name;
	size_t n, cap;
	const uint32_t **set;	/* by number: count, then the keywords */
	size_t sets;
};

/* Bring mb->names up to m->keywords. */
void names_load(struct mailbox *mb, struct txn *t, const struct meta *m);
void names_free(struct mailbox *mb);

/* The keyword of that name in any case, or -1.  After names_load. */
int32_t keyword_find(const struct mailbox *mb, struct span name);

/* The same, made if it is not there.  -1: too many, or no keyword's name
 * can be that. */
int32_t keyword_make(struct change *c, struct span name);

/* The keywords of a set. */
const uint32_t *set_keywords(struct mailbox *mb, struct txn *t,
    uint32_t set, size_t *n);

/* The set of these keywords (ascending, no doubles). */
uint32_t set_of(struct change *c, const uint32_t *keyword, size_t n);

/* The same set with these added (removed). */
uint32_t set_with(struct change *c, uint32_t set, const uint32_t *keyword,
    size_t n, bool add);

#endif
