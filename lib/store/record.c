/* SPDX-License-Identifier: ISC */
#include "store/record.h"

#include <string.h>

#include "store/filename.h"
#include "store/letters.h"
#include "store/uidlist.h"

struct key
key_mailbox(char kind, uint32_t mailbox)
{
	struct key k = key_start(kind);

	key_u32(&k, mailbox);
	return k;
}

struct key
key_uid(char kind, uint32_t mailbox, uint32_t uid)
{
	struct key k = key_mailbox(kind, mailbox);

	key_u32(&k, uid);
	return k;
}

struct key
key_modseq(char kind, uint32_t mailbox, uint64_t modseq, uint32_t uid)
{
	struct key k = key_mailbox(kind, mailbox);

	key_u64(&k, modseq);
	key_u32(&k, uid);
	return k;
}

struct key
key_name(uint32_t mailbox, uint64_t hash, uint32_t uid)
{
	struct key k = key_mailbox('n', mailbox);

	key_u64(&k, hash);
	key_u32(&k, uid);
	return k;
}

struct key
key_chunk(uint32_t mailbox, int kind, uint32_t no)
{
	struct key k = key_mailbox('b', mailbox);

	k.p[k.n++] = (unsigned char)kind;
	key_u32(&k, no);
	return k;
}

struct key
key_object(char kind, uint64_t object)
{
	struct key k = key_start(kind);

	key_u64(&k, object);
	return k;
}

static struct span
octets(const void *p, size_t n)
{
	return (struct span){ p, n };
}

bool
meta_get(struct txn *t, uint32_t mailbox, struct meta *m)
{
	struct key k = key_mailbox('M', mailbox);

	return txn_get_fixed(t, &k, m, sizeof *m);
}

bool
rec_get(struct txn *t, uint32_t mailbox, uint32_t uid, struct rec *r)
{
	struct key k = key_uid('m', mailbox, uid);

	return txn_get_fixed(t, &k, r, sizeof *r);
}

void
chunk_get(struct txn *t, uint32_t mailbox, int kind, uint32_t no,
    struct chunk *c)
{
	struct key k = key_chunk(mailbox, kind, no);
	struct span v;

	if (txn_get(t, &k, &v)) {
		if (chunk_take(v, c))
			return;
		txn_damaged(t);
	}
	*c = (struct chunk){ 0 };
}

void
rec_missed(struct txn *t, uint32_t mailbox, uint32_t uid)
{
	struct chunk c;

	chunk_get(t, mailbox, PRESENT, uid / CHUNK, &c);
	if (c.w[uid % CHUNK / 64] >> uid % 64 & 1)
		txn_damaged(t);
}

bool
rec_alive(struct txn *t, uint32_t mailbox, uint32_t uid, struct rec *r)
{
	if (rec_get(t, mailbox, uid, r) && !(r->flags & REC_GONE))
		return true;
	rec_missed(t, mailbox, uid);
	return false;
}

bool
name_must(struct txn *t, uint32_t mailbox, uint32_t uid, int *dir,
    struct span *name)
{
	if (rec_name(t, mailbox, uid, dir, name))
		return true;
	txn_damaged(t);
	return false;
}

bool
rec_name(struct txn *t, uint32_t mailbox, uint32_t uid, int *dir,
    struct span *name)
{
	struct key k = key_uid('f', mailbox, uid);
	struct span v;

	if (!txn_get(t, &k, &v) || v.n < 2)
		return false;
	*dir = v.p[0] == NEW ? NEW : CUR;
	*name = span_skip(v, 1);
	return true;
}

uint32_t
rec_late(const struct rec *r)
{
	return (r->flags & REC_LATE) >> 8;
}

uint64_t
full_hash(int dir, struct span name)
{
	return letters_hash(name) + (uint64_t)dir;
}

/* --- bitmaps --- */

static void
chunk_put(struct change *c, int kind)
{
	if (!c->touched[kind])
		return;
	struct key k = key_chunk(c->mb->id, kind, c->no[kind]);
	char kept[CHUNK_KEPT_MAX];
	txn_put(c->t, &k, octets(kept, chunk_keep(&c->chunk[kind], kept)));
	c->touched[kind] = false;
}

static struct chunk *
chunk_of(struct change *c, int kind, uint32_t no)
{
	if (c->no[kind] != no) {
		chunk_put(c, kind);
		c->no[kind] = no;
		chunk_get(c->t, c->mb->id, kind, no, &c->chunk[kind]);
	}
	return &c->chunk[kind];
}

/* Whether it was otherwise. */
static bool
set_bit(struct change *c, int kind, uint32_t uid, bool on)
{
	struct chunk *k = chunk_of(c, kind, uid / CHUNK);
	uint64_t *w = &k->w[uid % CHUNK / 64], bit = 1ull << uid % 64;

	if (((*w & bit) != 0) == on)
		return false;
	*w ^= bit;
	k->count += on ? 1 : (uint32_t)-1;
	c->touched[kind] = true;
	return true;
}

bool
change_present(struct change *c, uint32_t uid)
{
	const struct chunk *k = chunk_of(c, PRESENT, uid / CHUNK);

	return k->w[uid % CHUNK / 64] >> uid % 64 & 1;
}

enum store_result
change_flush(struct change *c)
{
	struct key k = key_mailbox('M', c->mb->id);

	for (int i = 0; i < KINDS; i++)
		chunk_put(c, i);
	txn_put(c->t, &k, octets(&c->m, sizeof c->m));
	return txn_result(c->t);
}

/* --- messages --- */

void
change_rec(struct change *c, uint32_t uid, const struct rec *r)
{
	struct key k = key_uid('m', c->mb->id, uid);

	txn_put(c->t, &k, octets(r, sizeof *r));
}

static void
journal(struct change *c, char kind, uint64_t modseq, uint32_t uid, bool on)
{
	struct key k = key_modseq(kind, c->mb->id, modseq, uid);

	if (on)
		txn_put(c->t, &k, octets("", 0));
	else if (!txn_del(c->t, &k))
		txn_damaged(c->t);	/* the record is an old one */
}

/* What the flags of one message add to the counters, or take away. */
static void
count(struct change *c, uint32_t uid, uint32_t flags, bool on)
{
	uint32_t one = on ? 1 : (uint32_t)-1;

	if (!(flags & MSG_SEEN))
		c->m.unseen += one;
	if (flags & MSG_DELETED)
		c->m.deleted += one;
	set_bit(c, SEEN, uid, on && (flags & MSG_SEEN));
	set_bit(c, DELETED, uid, on && (flags & MSG_DELETED));
}

int
named_cmp(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

void
change_named(struct change *c, const struct named *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct key k = key_name(c->mb->id, v[i].hash, v[i].uid);

		txn_put(c->t, &k, octets(&v[i].full, sizeof v[i].full));
	}
}

void
change_late(struct change *c, uint32_t uid, struct rec *r, uint32_t late)
{
	r->flags = (r->flags & ~(uint32_t)REC_LATE) | late << 8;
	if (set_bit(c, LATE, uid, late != 0))
		c->m.late += late != 0 ? 1 : (uint32_t)-1;
}

static void
put_name(struct change *c, uint32_t uid, int dir, struct span name)
{
	char v[300];
	struct key k = key_uid('f', c->mb->id, uid);

	v[0] = (char)dir;
	name = span_head(name, sizeof v - 1);
	memcpy(v + 1, name.p, name.n);
	txn_put(c->t, &k, octets(v, name.n + 1));
	if (!c->unnamed)
		change_named(c, &(struct named){ .uid = uid,
		    .hash = letters_hash(filename_base(name)),
		    .full = full_hash(dir, name) }, 1);
}

static void
put_new(struct change *c, uint32_t uid, bool on)
{
	struct key k = key_uid('u', c->mb->id, uid);

	if (on)
		txn_put(c->t, &k, octets("", 0));
	else
		txn_del(c->t, &k);
}

static void
drop_name(struct change *c, uint32_t uid)
{
	struct key k = key_uid('f', c->mb->id, uid);
	struct span name;
	int dir;

	if (!rec_name(c->t, c->mb->id, uid, &dir, &name))
		return;
	struct key n = key_name(c->mb->id, letters_hash(filename_base(name)), uid);
	txn_del(c->t, &n);
	txn_del(c->t, &k);
	if (dir == NEW)
		put_new(c, uid, false);
}

void
change_add(struct change *c, uint32_t uid, struct rec *r, int dir,
    struct span name)
{
	r->modseq = change_modseq(c);
	change_rec(c, uid, r);
	put_name(c, uid, dir, name);
	if (dir == NEW)
		put_new(c, uid, true);
	journal(c, 'j', r->modseq, uid, true);
	set_bit(c, PRESENT, uid, true);
	count(c, uid, r->flags, true);
	if (rec_late(r) != 0)
		change_late(c, uid, r, rec_late(r));
	c->m.messages++;
	c->m.bytes += r->wire;
	c->m.unsized += r->wire == 0;
}

void
change_flags(struct change *c, uint32_t uid, struct rec *r, uint32_t flags,
    uint32_t set)
{
	uint64_t modseq = change_modseq(c);

	if ((r->flags & REC_FLAGS) != flags) {
		count(c, uid, r->flags, false);
		count(c, uid, flags, true);
	}
	if (r->modseq != modseq) {
		journal(c, 'j', r->modseq, uid, false);
		journal(c, 'j', modseq, uid, true);
	}
	r->modseq = modseq;
	r->flags = flags | (r->flags & REC_LATE);
	r->set = set;
	change_rec(c, uid, r);
}

void
change_name(struct change *c, uint32_t uid, int dir, struct span name)
{
	struct span old;
	int old_dir;

	if (rec_name(c->t, c->mb->id, uid, &old_dir, &old)) {
		if (!span_eq(filename_base(old), filename_base(name)))
			drop_name(c, uid);
		else if (old_dir == NEW && dir != NEW)
			put_new(c, uid, false);
	}
	put_name(c, uid, dir, name);
	if (dir == NEW)
		put_new(c, uid, true);
}

void
change_gone(struct change *c, uint32_t uid, struct rec *r, bool unlink)
{
	uint64_t modseq = change_modseq(c);

	journal(c, 'j', r->modseq, uid, false);
	journal(c, 't', modseq, uid, true);
	count(c, uid, r->flags, false);
	set_bit(c, PRESENT, uid, false);
	change_late(c, uid, r, 0);
	c->m.messages--;
	c->m.bytes -= r->wire;
	c->m.unsized -= r->wire == 0;
	c->m.tombstones++;
	r->flags |= REC_GONE;
	r->modseq = modseq;
	change_rec(c, uid, r);
	if (unlink) {
		struct key k = key_uid('p', c->mb->id, uid);

		txn_put(c->t, &k, octets("", 0));
		c->m.pending++;
		put_new(c, uid, false);
	} else {
		drop_name(c, uid);
		object_drop(c->t, r->object);
	}
}

void
change_forget(struct change *c, uint32_t uid, bool unlink)
{
	struct rec r;

	if (!rec_alive(c->t, c->mb->id, uid, &r))
		return;
	uidlist_forget(&c->lines, &(struct uidlist_gone){ uid,
	    unlink ? r.inode : 0 }, 1);
	change_gone(c, uid, &r, unlink);
}

void
change_reaped(struct change *c, uint32_t uid)
{
	struct key k = key_uid('p', c->mb->id, uid);
	struct span v;
	struct rec r;

	if (!txn_get(c->t, &k, &v))
		return;
	txn_del(c->t, &k);
	c->m.pending--;
	drop_name(c, uid);
	if (rec_get(c->t, c->mb->id, uid, &r))
		object_drop(c->t, r.object);
}

void
change_wire(struct change *c, uint32_t uid, struct rec *r, uint64_t wire)
{
	if (r->wire != 0 || wire == 0)
		return;
	r->wire = wire;
	c->m.bytes += wire;
	c->m.unsized--;
	change_rec(c, uid, r);
}

/* --- objects --- */

uint64_t
object_new(struct txn *t, struct span digest)
{
	uint64_t id = t->root.next_object++;
	struct object o = { .refs = 1 };
	struct key k = key_object('o', id);

	t->touched = true;
	txn_put(t, &k, octets(&o, sizeof o));
	if (digest.n > 0) {
		k = key_object('d', id);
		txn_put(t, &k, digest);
	}
	return id;
}

void
object_hold(struct txn *t, uint64_t object)
{
	struct key k = key_object('o', object);
	struct object o;

	if (txn_get_fixed(t, &k, &o, sizeof o)) {
		o.refs++;
		txn_put(t, &k, octets(&o, sizeof o));
	}
}

void
object_drop(struct txn *t, uint64_t object)
{
	struct key k = key_object('o', object);
	struct object o;

	if (!txn_get_fixed(t, &k, &o, sizeof o))
		return;
	if (--o.refs > 0) {
		txn_put(t, &k, octets(&o, sizeof o));
		return;
	}
	txn_del(t, &k);
	k = key_object('d', object);
	txn_del(t, &k);
}
