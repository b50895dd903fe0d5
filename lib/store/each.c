/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "store/attach.h"
#include "store/keyword.h"
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
	bool gone, learned;
	size_t keyword;		/* offset in keywords */
	size_t file;		/* in files */
	size_t at, n;		/* of the digest in digests */
};

struct batch_of {
	struct view *v;
	const struct set *uids;	/* NULL: all */
	unsigned need;
	size_t n;
	struct buf keywords, digests, files;
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

/* Open it by the name at hand, else wherever it is. */
static enum store_result
open_file(struct batch_of *b, struct item *i, int *fd, struct stat *s,
    struct buf *file)
{
	uint64_t object;
	struct msg m = i->m;

	m.file = i->file > 0 ? b->files.p + i->file : NULL;
	if ((*fd = view_shown(b->v, &m, s)) != -1) {
		buf_adds(file, m.file);
		return STORE_OK;
	}
	enum store_result r = view_file(b->v, m.uid, fd, &object, file);
	if (r == STORE_OK && fstat(*fd, s) != 0) {
		r = store_fail(b->v->mb->st, "read a message", errno);
		close(*fd);
	}
	return r;
}

static void
learn(struct batch_of *b, struct digester *g, struct item *i)
{
	struct buf file = { 0 };
	size_t at = b->digests.n;
	uint64_t size;
	struct stat s;
	int fd;
	enum store_result r = open_file(b, i, &fd, &s, &file);

	/* Another program took it away. */
	if (r == STORE_EXPUNGED || r == STORE_NONEXISTENT) {
		i->gone = true;
		i->m.object = 0;
	}
	if (r == STORE_OK) {
		if (digester_read(g, fd, &s, buf_span(&file),
		    &b->digests) != 0) {
			store_fail(b->v->mb->st, "read a message", errno);
			b->digests.n = at;
		}
		i->learned = digest_sizes(span_skip(buf_span(&b->digests),
		    at), &size, &i->m.size);
		i->at = at;
		i->n = i->learned ? b->digests.n - at : 0;
		while (b->digests.n % 8 != 0)
			buf_addc(&b->digests, '\0');
		close(fd);
	}
	buf_free(&file);
}

static void
keep_one(struct change *c, uint32_t uid, uint64_t object, struct span d)
{
	struct key o = key_object('o', object), k = key_object('d', object);
	uint64_t size, wire;
	struct span v;
	struct rec r;

	if (!txn_get(c->t, &o, &v) || !digest_sizes(d, &size, &wire))
		return;
	txn_put(c->t, &k, d);
	if (rec_get(c->t, c->mb->id, uid, &r) && !(r.flags & REC_GONE) &&
	    r.object == object)
		change_wire(c, uid, &r, wire);
}

/* Best effort: who cannot keep it looks again the next time. */
static void
keep(struct batch_of *b)
{
	struct change c;
	size_t n = 0, k = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->item[i].learned) {
			n += 4096 + b->item[i].n;
			k++;
		}
	if (k == 0 || change_begin(&c, b->v->mb, n * 2, false) != STORE_OK)
		return;
	for (size_t i = 0; i < b->n; i++)
		if (b->item[i].learned)
			keep_one(&c, b->item[i].m.uid, b->item[i].m.object,
			    (struct span){ b->digests.p + b->item[i].at,
			    b->item[i].n });
	change_commit(&c);
}

static void
learn_all(struct batch_of *b)
{
	struct digester g = { 0 };

	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->item[i];

		if (!it->gone && ((b->need & NEED_DIGEST && it->n == 0) ||
		    (b->need & NEED_SIZE && it->m.size == 0)))
			learn(b, &g, it);
	}
	digester_free(&g);
	keep(b);
}

enum store_result
view_each(struct view *v, const struct set *uids, unsigned need,
    msg_digest_fn *fn, void *arg)
{
	struct batch_of *b = xmalloc(sizeof *b);
	enum store_result r = STORE_OK;
	bool more = true;

	/* The items are not worth clearing. */
	memset(b, 0, offsetof(struct batch_of, item));
	b->v = v;
	b->uids = uids;
	b->need = need;
	b->uid = view_next(v, uids, 1);
	b->seq = b->uid == 0 ? 0 : bits_rank(&v->present, b->uid);
	while (more && b->uid != 0 && (r = gather(b)) == STORE_OK) {
		if (need & (NEED_SIZE | NEED_DIGEST))
			learn_all(b);
		for (size_t i = 0; more && i < b->n; i++) {
			struct item *it = &b->item[i];

			if (it->m.keywords > 0)
				it->m.keyword = (const uint32_t *)(const void *)
				    (b->keywords.p + it->keyword);
			if (it->file > 0)
				it->m.file = b->files.p + it->file;
			more = fn(arg, it->seq, &it->m, it->n == 0 ?
			    SPAN("") : (struct span){
			    b->digests.p + it->at, it->n });
		}
	}
	buf_free(&b->keywords);
	buf_free(&b->digests);
	buf_free(&b->files);
	free(b);
	return r;
}

bool
object_digest(struct store *st, uint64_t object, struct buf *digest)
{
	struct key k = key_object('d', object);
	struct span d;
	struct txn t;

	if (txn_read(st, &t) != STORE_OK)
		return false;
	bool yes = txn_get(&t, &k, &d);
	if (yes)
		buf_add(digest, d);
	txn_abort(&t);
	return yes;
}

void
object_learn(struct view *v, uint32_t uid, uint64_t object,
    struct span digest)
{
	struct change c;

	if (change_begin(&c, v->mb, digest.n * 2 + 8192, false) != STORE_OK)
		return;
	keep_one(&c, uid, object, digest);
	change_commit(&c);
}
