/* SPDX-License-Identifier: ISC */
#include "store/query.h"

#include "store/internal.h"
#include "store/plan.h"

enum { BATCH = 64, TICK = 1024 };

struct search {
	struct plan plan;
	struct view *view;
	bool (*tick)(void *);
	void *arg;
	unsigned seen;
	bool stopped;
	struct set hits;	/* of this pass, ascending */
	struct set open;	/* not decided in this pass */

	/* The last pass: records of a batch, and the message at hand. */
	struct arena mem;
	struct msg batch[BATCH];
	size_t n;
	const struct msg *msg;
	const struct digest *digest;
	size_t news;		/* seek_news when it was asked last */
};

static bool
go_on(struct search *s)
{
	if (s->tick != NULL && ++s->seen % TICK == 0 && !s->tick(s->arg))
		s->stopped = true;
	return !s->stopped;
}

static void
settle(struct search *s, const struct msg *m, enum verdict v)
{
	if (v == MATCH)
		set_add(&s->hits, m->uid, m->uid);
	else if (v == UNDECIDED)
		set_add(&s->open, m->uid, m->uid);
}

/* First pass: what the records say. */
static bool
by_record(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	struct search *s = arg;

	(void)seq;
	(void)digest;
	settle(s, m, s->plan.asks_record ? plan_decide(&s->plan, m, NULL) :
	    UNDECIDED);
	return go_on(s);
}

/* Second pass: what the digest says.  Messages that are gone have none, and
 * only their flags could be asked for. */
static bool
by_digest(void *arg, uint32_t seq, const struct msg *m, struct span octets)
{
	struct search *s = arg;
	struct digest d;

	(void)seq;
	if (octets.n > 0 && digest_open(octets, &d)) {
		seek_begin(&s->plan.seek);
		seek_kept(&s->plan.seek, &d);
		settle(s, m, plan_decide(&s->plan, m, &d));
	}
	return go_on(s);
}

/* Third pass: records of a batch, then one message after the other. */
static bool
remember(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	struct search *s = arg;
	struct msg *to = &s->batch[s->n++];
	uint32_t *keyword;

	(void)seq;
	(void)digest;
	*to = *m;
	keyword = arena_alloc(&s->mem, m->keywords * sizeof *keyword);
	for (size_t i = 0; i < m->keywords; i++)
		keyword[i] = m->keyword[i];
	to->keyword = keyword;
	return s->n < BATCH;
}

static bool
undecided(void *arg)
{
	struct search *s = arg;

	size_t news = seek_news(&s->plan.seek);

	if (s->tick != NULL && !s->tick(s->arg))
		s->stopped = true;
	if (s->stopped)
		return false;
	if (news == s->news)
		return true;
	s->news = news;
	return plan_decide(&s->plan, s->msg, s->digest) == UNDECIDED;
}

/* What is gone or cannot be read is not found: there is no better answer, and
 * one bad file must not make the others unfindable. */
static void
by_text(struct search *s, const struct msg *m)
{
	struct message *text;
	struct seek *k = &s->plan.seek;

	if (message_open(s->view, m->uid, &text) != STORE_OK)
		return;
	s->msg = m;
	s->digest = message_digest(text);
	s->news = SIZE_MAX;
	seek_begin(k);
	seek_kept(k, s->digest);
	if (!undecided(s) || seek_message(k, text, undecided, s) == 0)
		if (plan_decide(&s->plan, m, s->digest) == MATCH)
			set_add(&s->hits, m->uid, m->uid);
	message_close(text);
}

static enum store_result
texts(struct search *s, const struct set *open)
{
	enum store_result r = STORE_OK;
	uint32_t uid = set_next(open, 1);

	while (uid != 0 && r == STORE_OK && !s->stopped) {
		struct set some = { 0 };

		for (size_t i = 0; i < BATCH && uid != 0; i++) {
			set_add(&some, uid, uid);
			uid = uid == UINT32_MAX ? 0 : set_next(open, uid + 1);
		}
		s->n = 0;
		r = view_each(s->view, &some, 0, remember, s);
		for (size_t i = 0; i < s->n && !s->stopped; i++)
			by_text(s, &s->batch[i]);
		arena_reset(&s->mem);
		set_free(&some);
	}
	return r;
}

/* The messages that can match at all: those of every UID set that all else
 * is ANDed with. */
static void
candidates(const struct query *q, struct set *to)
{
	const struct query *sub = q->op == QUERY_AND ? q->sub : q;

	set_add(to, 1, UINT32_MAX);
	for (; sub != NULL; sub = sub->next) {
		struct set keep = { 0 };
		size_t i = 0, j = 0;

		if (sub->op == QUERY_UIDS) {
			while (i < to->n && j < sub->uids->n) {
				struct range a = to->r[i], b = sub->uids->r[j];
				uint32_t lo = a.lo > b.lo ? a.lo : b.lo;
				uint32_t hi = a.hi < b.hi ? a.hi : b.hi;

				if (lo <= hi)
					set_add(&keep, lo, hi);
				if (a.hi < b.hi)
					i++;
				else
					j++;
			}
			set_free(to);
			*to = keep;
		}
		if (q->op != QUERY_AND)
			break;
	}
}

/* A set into another in linear time, which adding out of order is not. */
static void
unite(struct set *to, const struct set *from)
{
	struct set all = { 0 };
	size_t i = 0, j = 0;

	while (i < to->n || j < from->n) {
		bool first = j == from->n ||
		    (i < to->n && to->r[i].lo < from->r[j].lo);
		struct range r = first ? to->r[i++] : from->r[j++];

		set_add(&all, r.lo, r.hi);
	}
	set_free(to);
	*to = all;
}

/* The end of a pass: what it found goes to *hits. */
static void
gained(struct search *s, struct set *hits)
{
	unite(hits, &s->hits);
	set_clear(&s->hits);
}

static enum store_result
passes(struct search *s, const struct query *q, struct set *hits)
{
	struct set pool = { 0 }, rest;
	enum store_result r;

	candidates(q, &pool);
	seek_begin(&s->plan.seek);
	r = view_each(s->view, set_count(&pool) == UINT32_MAX ? NULL : &pool,
	    0, by_record, s);
	gained(s, hits);
	set_free(&pool);
	if (r == STORE_OK && !s->stopped && s->open.n > 0 &&
	    (s->plan.asks_digest || s->plan.asks_size)) {
		rest = s->open;
		s->open = (struct set){ 0 };
		r = view_each(s->view, &rest, NEED_DIGEST, by_digest, s);
		gained(s, hits);
		set_free(&rest);
	}
	if (r == STORE_OK && !s->stopped && s->open.n > 0) {
		rest = s->open;
		s->open = (struct set){ 0 };
		r = texts(s, &rest);
		gained(s, hits);
		set_free(&rest);
	}
	return r;
}

enum store_result
view_search(struct view *v, const struct query *q, bool (*tick)(void *),
    void *arg, struct set *hits)
{
	struct search s = { .view = v, .tick = tick, .arg = arg };
	const struct span *keyword;
	size_t keywords;
	enum store_result r;

	r = mailbox_keywords(view_mailbox(v), &keyword, &keywords);
	if (r != STORE_OK)
		return r;
	r = plan_make(&s.plan, q, keyword, keywords);
	if (r == STORE_OK)
		r = passes(&s, q, hits);
	plan_free(&s.plan);
	set_free(&s.hits);
	set_free(&s.open);
	arena_free(&s.mem);
	return r == STORE_OK && s.stopped ? STORE_INUSE : r;
}
