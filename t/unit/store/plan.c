/* SPDX-License-Identifier: ISC */
#include "store/plan.h"

#include <stdlib.h>

#include "../../t.h"

/* No message is read here. */
const struct digest *
message_digest(const struct message *m)
{
	(void)m;
	return NULL;
}

ssize_t
message_read(struct message *m, uint64_t wire, char *p, size_t n)
{
	(void)m;
	(void)wire;
	(void)p;
	(void)n;
	return -1;
}

static const uint32_t some_keywords[] = { 0, 2 };
static const struct msg message = { .uid = 7, .flags = MSG_SEEN | MSG_DRAFT,
	.modseq = 50, .size = 1000, .internaldate = 86400 * 3 + 5,
	.keyword = some_keywords, .keywords = 2 };
static const struct span names[] = { { "$Forwarded", 10 }, { "b", 1 },
	{ "$MDNSent", 8 } };

static enum verdict
ask(const struct query *q, const struct digest *d)
{
	struct plan p;
	enum verdict v = MATCH;

	if (plan_make(&p, q, names, COUNT(names)) != STORE_OK) {
		plan_free(&p);
		return (enum verdict)-1;
	}
	seek_begin(&p.seek);
	v = plan_decide(&p, &message, d);
	plan_free(&p);
	return v;
}

static void
leaves(void)
{
	struct range seven = { 5, 7 };
	struct set uids = { .r = &seven, .n = 1, .cap = 1 };
	struct digest d = { .date = 86400 * 10 - 3600, .date_zone = 120,
		.wire_size = 9 };
	const struct {
		struct query q;
		const struct digest *d;
		enum verdict want;
		const char *name;
	} row[] = {
		{ { .op = QUERY_ALL }, NULL, MATCH, "all" },
		{ { .op = QUERY_AND }, NULL, MATCH, "and of nothing" },
		{ { .op = QUERY_OR }, NULL, NO_MATCH, "or of nothing" },
		{ { .op = QUERY_UIDS, .uids = &uids }, NULL, MATCH, "uids" },
		{ { .op = QUERY_FLAGS, .flags = MSG_SEEN }, NULL, MATCH,
		    "a flag" },
		{ { .op = QUERY_FLAGS, .flags = MSG_SEEN | MSG_DELETED },
		    NULL, NO_MATCH, "all of the flags" },
		{ { .op = QUERY_KEYWORD, .text = SPAN("$mdnsent") }, NULL,
		    MATCH, "keywords have no case" },
		{ { .op = QUERY_KEYWORD, .text = SPAN("b") }, NULL, NO_MATCH,
		    "a keyword that others have" },
		{ { .op = QUERY_KEYWORD, .text = SPAN("never") }, NULL,
		    NO_MATCH, "a keyword that was never used" },
		{ { .op = QUERY_BEFORE, .number = 3 }, NULL, NO_MATCH,
		    "before that day" },
		{ { .op = QUERY_BEFORE, .number = 4 }, NULL, MATCH,
		    "before the next" },
		{ { .op = QUERY_ON, .number = 3 }, NULL, MATCH, "on it" },
		{ { .op = QUERY_SINCE, .number = 3 }, NULL, MATCH, "since" },
		{ { .op = QUERY_SINCE, .number = 4 }, NULL, NO_MATCH,
		    "since the next" },
		{ { .op = QUERY_SENTON, .number = 10 }, NULL, UNDECIDED,
		    "the Date: field is in the digest" },
		{ { .op = QUERY_SENTON, .number = 10 }, &d, MATCH,
		    "as its own zone says" },
		{ { .op = QUERY_SENTBEFORE, .number = 10 }, &d, NO_MATCH,
		    "not as ours" },
		{ { .op = QUERY_LARGER, .number = 1000 }, NULL, NO_MATCH,
		    "larger is larger" },
		{ { .op = QUERY_SMALLER, .number = 1001 }, NULL, MATCH,
		    "smaller" },
		{ { .op = QUERY_MODSEQ, .number = 50 }, NULL, MATCH,
		    "modseq" },
		{ { .op = QUERY_MODSEQ, .number = 51 }, NULL, NO_MATCH,
		    "a later modseq" },
		{ { .op = QUERY_BODY, .text = SPAN("x") }, &d, UNDECIDED,
		    "a body that was not read" },
		{ { .op = QUERY_BODY, .text = SPAN("") }, NULL, MATCH,
		    "the empty string is in every body" },
		{ { .op = QUERY_HEADER, .name = SPAN("x") }, NULL, UNDECIDED,
		    "a field that may be there" },
	};

	for (size_t i = 0; i < COUNT(row); i++)
		ok(ask(&row[i].q, row[i].d) == row[i].want, row[i].name);
}

/* A random tree of known and unknown leaves, and what it should say. */
static struct query *
grow(struct arena *a, int depth, enum verdict *want)
{
	struct query *q = arena_zero(a, sizeof *q), **at = &q->sub;
	long kind = random() % (depth == 0 ? 3 : 6);
	long n = kind == 5 ? 1 : random() % 4;

	switch (kind) {
	case 0:
		q->op = QUERY_ALL;
		*want = MATCH;
		return q;
	case 1:
		q->op = QUERY_FLAGS;
		q->flags = MSG_DELETED;
		*want = NO_MATCH;
		return q;
	case 2:
		q->op = QUERY_TEXT;
		q->text = SPAN("text");
		*want = UNDECIDED;
		return q;
	}
	q->op = kind == 3 ? QUERY_AND : kind == 4 ? QUERY_OR : QUERY_NOT;
	*want = kind == 4 ? NO_MATCH : MATCH;
	for (; n > 0; n--) {
		enum verdict v;

		*at = grow(a, depth - 1, &v);
		at = &(*at)->next;
		if (kind == 3 && v < *want)
			*want = v;
		if (kind == 4 && v > *want)
			*want = v;
		if (kind == 5)
			*want = (enum verdict)(MATCH - v);
	}
	return q;
}

static void
trees(void)
{
	struct arena a = { 0 };
	bool same = true;

	for (unsigned seed = 1; seed < 3000; seed++) {
		enum verdict want;
		struct query *q;

		srandom(seed);
		q = grow(&a, 5, &want);
		same &= ask(q, NULL) == want;
		arena_reset(&a);
	}
	ok(same, "a tree is decided as soon as its leaves allow");
	arena_free(&a);
}

static void
limits(void)
{
	static struct query deep[19999], wide[20001];

	for (size_t i = 0; i < COUNT(deep); i++) {
		deep[i].op = QUERY_NOT;
		if (i + 1 < COUNT(deep))
			deep[i].sub = &deep[i + 1];
		else
			deep[i].op = QUERY_ALL;
	}
	ok(ask(deep, NULL) == MATCH, "nesting costs no stack");
	for (size_t i = 0; i < COUNT(wide); i++) {
		wide[i].op = QUERY_ALL;
		wide[i].next = &wide[i + 1];
	}
	wide[0].op = QUERY_OR;
	wide[0].sub = &wide[1];
	wide[COUNT(wide) - 1].next = NULL;
	ok((int)ask(wide, NULL) == -1, "a query without end is refused");
	wide[9999].next = NULL;
	for (size_t i = 1; i < 10000; i++) {
		wide[i].op = i % 2 == 0 ? QUERY_HEADER : QUERY_TEXT;
		wide[i].name = SPAN("subject");
		wide[i].text = SPAN("abc");
	}
	ok(ask(wide, NULL) == UNDECIDED, "ten thousand strings are not");
}

int
main(void)
{
	leaves();
	trees();
	limits();
	return done();
}
