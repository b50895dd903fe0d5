/* SPDX-License-Identifier: ISC */
#ifndef STORE_PLAN_H
#define STORE_PLAN_H

#include "base/arena.h"
#include "store/query.h"
#include "store/seek.h"

/*
 * A query made ready: its tree as an array, its strings sorted by where they
 * are looked for.  It is asked again and again as more becomes known of a
 * message, and says UNDECIDED until that is enough.
 */
enum verdict { NO_MATCH, UNDECIDED, MATCH };

struct plan_node {
	const struct query *q;
	uint32_t parent, end;	/* end: the node after its subtree */
	uint32_t field;		/* HEADER, ADDRESS: of seek.field */
	uint32_t needle;	/* there; BODY and TEXT: in the body */
	uint32_t head;		/* TEXT: in the header */
	uint32_t keyword;	/* KEYWORD: its index, or SEEK_NONE */
};

struct plan {
	struct arena mem;
	struct plan_node *node;
	uint8_t *value;		/* [n], of the inner ones while deciding */
	uint32_t n;
	bool asks_record;	/* something is answered by the record */
	bool asks_digest;	/* by the digest */
	bool asks_size;
	struct seek seek;
};

/* keyword: the mailbox's keyword names.  STORE_LIMIT: too long a query. */
enum store_result plan_make(struct plan *p, const struct query *q,
    const struct span *keyword, size_t keywords);
void plan_free(struct plan *p);

/* What can be said with its record, its digest (NULL: not known) and what
 * p->seek has found. */
enum verdict plan_decide(const struct plan *p, const struct msg *m,
    const struct digest *d);

#endif
