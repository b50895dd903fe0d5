/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "store/attach.h"
#include "store/keyword.h"
#include "store/learn.h"
#include "store/view_internal.h"

enum {
	AT_ONCE = 1024,			/* records copied from one snapshot */
	DIGESTS_AT_ONCE = 256 << 10,	/* octets of digests, at least one */
	NEAR = 32			/* UIDs: the cursor walks that far */
};

struct item {
	struct msg m;
	uint32_t seq;
	uint32_t set;
	bool gone;
	size_t keyword;		/* offset in keywords */
	size_t file;		/* 1 + offset in files; 0: none */
	size_t at, n;		/* of the digest in digests */
	size_t unread;		/* 1 + its number in learner; 0: it is known */
};

struct batch_of {
	struct view *v;
	const struct set *uids;	/* NULL: all */
	unsigned need;
	size_t n;
	struct buf keywords, digests, files;
	struct learner learner;
	uint32_t uid, seq;	/* where the next batch begins; 0: the end */
	struct item item[AT_ONCE];
};

/* The next one after uid, and its number where that of uid is seq. */
static uint32_t
advance(const struct batch_of *b, uint32_t uid, uint32_t *seq)
{
	uint32_t follow = bits_next(&b->v->present, uid + 1);
	uint32_t next;

	if (follow == 0)
		return 0;
	if (b->uids == NULL || set_has(b->uids, follow)) {
		++*seq;
		return follow;
	}
	next = view_next(b->v, b->uids, follow);
	if (next != 0)
		*seq = bits_rank(&b->v->present, next);
	return next;
}

static void
fill(struct batch_of *b, struct walk *near, struct item *i,
    const struct rec *r)
{
	struct key k;
	struct span d;
	size_t n;

	i->m.flags = r->flags & REC_FLAGS;
	i->m.object = i->gone ? 0 : r->object;
	i->m.modseq = r->modseq;
	i->m.size = r->wire;
	i->m.internaldate = r->internaldate;
	i->m.savedate = r->savedate;
	if (r->set != 0) {
		const uint32_t *s = set_keywords(b->v->mb, near[0].t, r->set,
		    &n);

		i->keyword = b->keywords.n;
		i->m.keywords = n;
		buf_add(&b->keywords, (struct span){ (const char *)s,
		    n * sizeof *s });
	}
	if (i->gone)
		return;
	if (b->need & NEED_DIGEST)
		k = key_object('d', r->object);
	if (b->need & NEED_DIGEST && walk_get(&near[0], &k, &d)) {
		i->at = b->digests.n;
		i->n = d.n;
		buf_add(&b->digests, d);
		/* What digest_open reads is 8-octet aligned. */
		while (b->digests.n % 8 != 0)
			buf_addc(&b->digests, '\0');
	}
	bool unknown = (b->need & NEED_DIGEST && i->n == 0) ||
	    (b->need & NEED_SIZE && r->wire == 0);

	if (!unknown && !(b->need & NEED_FILE))
		return;
	k = key_uid('f', b->v->mb->id, i->m.uid);
	if (walk_get(&near[1], &k, &d) && d.n > 1) {
		i->m.dir = d.p[0] == NEW ? NEW : CUR;
		i->m.inode = r->inode;
		i->file = b->files.n + 1;
		buf_add(&b->files, d);
		buf_addc(&b->files, '\0');
	}
}

/* Copy what the next messages are, from one snapshot. */
static enum store_result
gather_now(struct batch_of *b)
{
	struct txn t;
	struct meta m;
	struct walk w, near[2];
	struct key from = key_uid('m', b->v->mb->id, b->uid);
	bool have = false;
	enum store_result res = mailbox_read(b->v->mb, &t, &m);

	if (res != STORE_OK)
		return res;
	names_load(b->v->mb, &t, &m);
	b->n = 0;
	buf_clear(&b->keywords);
	buf_clear(&b->digests);
	buf_clear(&b->files);
	from = key_uid('m', b->v->mb->id, b->uid);
	walk_start(&w, &t, &from, 5);
	for (size_t k = 0; k < COUNT(near); k++)
		walk_start(&near[k], &t, &from, 5);
	uint32_t at = 0;
	while (b->uid != 0 && b->n < AT_ONCE &&
	    b->digests.n < DIGESTS_AT_ONCE) {
		struct item *i = &b->item[b->n++];
		struct rec r = { .flags = REC_GONE };

		*i = (struct item){ .seq = b->seq, .m.uid = b->uid };
		if (b->uid - at > NEAR || !have) {
			from = key_uid('m', b->v->mb->id, b->uid);
			walk_seek(&w, &from, 5);
			have = walk_next(&w);
		}
		while (have && (at = key_get_u32(&w.key, 5)) < b->uid)
			have = walk_next(&w);
		if (have && at == b->uid) {
			if (w.val.mv_size == sizeof r)
				memcpy(&r, w.val.mv_data, sizeof r);
			else
				txn_damaged(&t);
		}
		i->gone = (r.flags & REC_GONE) != 0;
		if (i->gone)
			rec_missed(&t, b->v->mb->id, b->uid);
		fill(b, near, i, &r);
		b->uid = advance(b, b->uid, &b->seq);
	}
	walk_end(&w);
	for (size_t k = 0; k < COUNT(near); k++)
		walk_end(&near[k]);
	res = txn_result(&t);
	txn_abort(&t);
	return res;
}

/* The same, once more if the index turns out to be damaged. */
static enum store_result
gather(struct batch_of *b)
{
	uint32_t uid = b->uid, seq = b->seq;
	enum store_result r = gather_now(b);

	if (!index_again(b->v->mb->st, r))
		return r;
	b->uid = uid;
	b->seq = seq;
	return gather_now(b);
}

/* --- what was never looked into --- */

/* Gather the next messages, and begin to look into those that are unknown. */
static enum store_result
begin(struct batch_of *b)
{
	struct learner *l = &b->learner;
	enum store_result r = gather(b);

	learner_clear(l);
	if (r != STORE_OK || !(b->need & (NEED_SIZE | NEED_DIGEST)))
		return r;
	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->item[i];

		if (it->gone || !((b->need & NEED_DIGEST && it->n == 0) ||
		    (b->need & NEED_SIZE && it->m.size == 0)))
			continue;
		learner_add(l, &(struct unread){ .uid = it->m.uid,
		    .object = it->m.object, .dir = it->m.dir,
		    .file = it->file == 0 ? NULL : b->files.p + it->file });
		it->unread = l->n;
	}
	if (l->n > 0)
		learner_start(l);
	return r;
}

/* Those that were too much at once are for the next time. */
static void
cut(struct batch_of *b, size_t learned)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->item[i].unread > learned) {
			b->n = i;
			b->uid = b->item[i].m.uid;
			b->seq = b->item[i].seq;
		}
}

static void
complete(struct batch_of *b)
{
	struct learner *l = &b->learner;
	uint64_t size;

	if (l->n == 0)
		return;
	cut(b, learner_finish(l));
	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->item[i];

		if (it->unread == 0)
			continue;
		if (l->unread[it->unread - 1].gone) {
			it->gone = true;
			it->m.object = 0;
		}
		digest_sizes(learner_digest(l, it->unread - 1), &size,
		    &it->m.size);
	}
}

static struct span
digest_of(const struct batch_of *b, const struct item *i)
{
	if (i->unread > 0)
		return learner_digest(&b->learner, i->unread - 1);
	return i->n == 0 ? SPAN("") :
	    (struct span){ b->digests.p + i->at, i->n };
}

static bool
show(struct batch_of *b, msg_digest_fn *fn, void *arg)
{
	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->item[i];

		if (it->m.keywords > 0)
			it->m.keyword = (const uint32_t *)(const void *)
			    (b->keywords.p + it->keyword);
		if (it->file > 0)
			it->m.file = b->files.p + it->file;
		if (!fn(arg, it->seq, &it->m, digest_of(b, it)))
			return false;
	}
	return true;
}

/* Keep and show those of b.  While that goes on, the next are looked into, if
 * there was something to be learned. */
static bool
go_on(struct batch_of *b, struct batch_of *next, msg_digest_fn *fn, void *arg,
    enum store_result *r)
{
	complete(b);
	bool ahead = b->learner.n > 0 && b->uid != 0;

	next->uid = b->uid;
	next->seq = b->seq;
	next->n = 0;
	if (ahead)
		*r = begin(next);
	learner_keep(&b->learner);
	if (!show(b, fn, arg))
		return false;
	if (!ahead && next->uid != 0)
		*r = begin(next);
	return *r == STORE_OK && next->n > 0;
}

static struct batch_of *
new_batch(struct view *v, const struct set *uids, unsigned need,
    struct hands *hands)
{
	struct batch_of *b = xmalloc(sizeof *b);

	/* The items are not worth clearing. */
	memset(b, 0, offsetof(struct batch_of, item));
	b->v = v;
	b->uids = uids;
	b->need = need;
	b->learner.v = v;
	b->learner.hands = hands;
	return b;
}

static void
batch_free(struct batch_of *b)
{
	learner_free(&b->learner);
	buf_free(&b->keywords);
	buf_free(&b->digests);
	buf_free(&b->files);
	free(b);
}

enum store_result
view_each(struct view *v, const struct set *uids, unsigned need,
    msg_digest_fn *fn, void *arg)
{
	struct hands hands;
	struct batch_of *b = new_batch(v, uids, need, &hands);
	struct batch_of *next = new_batch(v, uids, need, &hands);
	enum store_result r = STORE_OK;

	hands_init(&hands);
	b->uid = view_next(v, uids, 1);
	if (b->uid != 0) {
		b->seq = bits_rank(&v->present, b->uid);
		r = begin(b);
	}
	while (r == STORE_OK && b->n > 0 && go_on(b, next, fn, arg, &r)) {
		struct batch_of *shown = b;

		b = next;
		next = shown;
	}
	batch_free(b);
	batch_free(next);
	hands_free(&hands);
	return r;
}
