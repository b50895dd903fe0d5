/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "base/die.h"
#include "store/index.h"
#include "store/seal.h"

enum {
	DBI = 1,		/* the environment's only database needs no
				   opening */
	READ_TRIES = 16		/* before what cannot be read is damaged */
};

static enum store_result
lmdb_fail(struct store *st, const char *what, int e)
{
	switch (e) {
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return store_fail(st, what, ENOMEM);
	case MDB_READERS_FULL:
		store_fail(st, "too many readers of the index", 0);
		return STORE_INUSE;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PAGE_FULL:
	case MDB_INVALID:
	case MDB_BAD_TXN:
	case MDB_CURSOR_FULL:
	case MDB_INCOMPATIBLE:
		index_damaged(st);
		break;
	case MDB_PANIC:
		/* A root page could not be written.  The one before holds,
		 * but this environment will not be used again. */
		index_stale(st);
		break;
	}
	return e > 0 ? store_fail(st, what, e) :
	    store_fail(st, mdb_strerror(e), 0);
}

static int
begin(struct store *st, unsigned flags, MDB_txn **t)
{
	MDB_env *env = index_env(st);
	int dead;

	index_enter(st);
	int e = mdb_txn_begin(env, NULL, flags, t);

	/* Another process has made the map larger. */
	if (e == MDB_MAP_RESIZED && (e = index_follow(st)) == 0)
		e = mdb_txn_begin(env, NULL, flags, t);
	if (e == MDB_READERS_FULL) {
		mdb_reader_check(env, &dead);
		e = mdb_txn_begin(env, NULL, flags, t);
	}
	if (e != 0)
		index_leave(st);
	return e;
}

static void
drop(struct store *st, MDB_txn *t)
{
	mdb_txn_abort(t);
	index_leave(st);
}

enum store_result
txn_read(struct store *st, struct txn *t)
{
	enum store_result r = STORE_ERROR;

	*t = (struct txn){ .st = st };
	for (int try = 0; try < READ_TRIES; try++) {
		if ((r = index_check(st, false)) != STORE_OK)
			return r;
		int e = begin(st, MDB_RDONLY, &t->t);
		if (e == 0) {
			if (index_tree(st, t->t, false, &t->tree,
			    &t->map_size))
				return STORE_OK;
			/* Two commits may have been faster, and again. */
			drop(st, t->t);
			t->t = NULL;
			e = try + 1 < READ_TRIES ? EAGAIN : MDB_CORRUPTED;
		}
		r = lmdb_fail(st, "read the index", e);
	}
	return r;
}

/* The lock is held. */
static enum store_result
begin_write(struct store *st, struct txn *t, size_t need, bool reserve)
{
	struct key k = key_start('R');
	enum store_result r = index_check(st, true);

	if (r == STORE_OK)
		r = index_grow(st, need, reserve);
	if (r != STORE_OK)
		return r;
	int e = begin(st, 0, &t->t);
	if (e != 0)
		return lmdb_fail(st, "write the index", e);
	t->err = 0;
	if (!index_tree(st, t->t, true, &t->tree, &t->map_size) ||
	    !txn_get_fixed(t, &k, &t->root, sizeof t->root)) {
		drop(st, t->t);
		index_damaged(st);
		return store_fail(st, "the index is damaged", 0);
	}
	return STORE_OK;
}

enum store_result
txn_write(struct store *st, struct txn *t, size_t need, bool reserve)
{
	enum store_result r = STORE_ERROR;

	*t = (struct txn){ .st = st, .write = true };
	if (index_lock(st) == -1)
		return store_fail(st, "lock the Maildir", errno);
	/* The second try is for what the first found damaged. */
	for (int try = 0; try < 2; try++) {
		r = begin_write(st, t, need, reserve);
		if (r != STORE_ERROR)
			break;
	}
	if (r != STORE_OK) {
		t->t = NULL;
		index_unlock(st);
	}
	return r;
}

static void
cursors_close(struct txn *t)
{
	for (size_t i = 0; i < TXN_KINDS; i++) {
		if (t->at[i] != NULL)
			mdb_cursor_close(t->at[i]);
		if (t->gone[i] != NULL)
			mdb_cursor_close(t->gone[i]);
		t->at[i] = t->gone[i] = NULL;
	}
}

enum store_result
txn_commit_held(struct txn *t)
{
	if (t->t == NULL)
		return STORE_ERROR;
	if (!t->write) {
		txn_abort(t);
		return STORE_OK;
	}
	if (t->touched) {
		struct key k = key_start('R');

		txn_put(t, &k, (struct span){ (char *)&t->root,
		    sizeof t->root });
	}
	int e = t->err;
	cursors_close(t);
	if (e != 0)
		mdb_txn_abort(t->t);
	else
		e = mdb_txn_commit(t->t);
	index_leave(t->st);
	t->t = NULL;
	t->held = e != 0;
	if (e == 0)
		index_unlock(t->st);
	return e == 0 ? STORE_OK : lmdb_fail(t->st, "write the index", e);
}

enum store_result
txn_commit(struct txn *t)
{
	enum store_result r = txn_commit_held(t);

	txn_abort(t);
	return r;
}

void
txn_abort(struct txn *t)
{
	bool locked = t->held || (t->t != NULL && t->write);

	if (t->t != NULL) {
		cursors_close(t);
		drop(t->st, t->t);
	}
	t->t = NULL;
	t->held = false;
	if (locked)
		index_unlock(t->st);
}

enum store_result
txn_replace(struct txn *t)
{
	cursors_close(t);
	drop(t->st, t->t);
	t->t = NULL;
	index_unwanted(t->st);
	enum store_result r = index_check(t->st, true);
	index_unlock(t->st);
	return r;
}

struct key
key_start(char kind)
{
	struct key k;

	k.p[0] = (unsigned char)kind;
	k.n = 1;
	return k;
}

void
key_u32(struct key *k, uint32_t v)
{
	uint32_t be = __builtin_bswap32(v);

	memcpy(k->p + k->n, &be, sizeof be);
	k->n += sizeof be;
}

void
key_u64(struct key *k, uint64_t v)
{
	uint64_t be = __builtin_bswap64(v);

	memcpy(k->p + k->n, &be, sizeof be);
	k->n += sizeof be;
}

uint32_t
key_get_u32(const MDB_val *k, size_t at)
{
	uint32_t v;

	if (k->mv_size < at + sizeof v)
		return 0;
	memcpy(&v, (const char *)k->mv_data + at, sizeof v);
	return __builtin_bswap32(v);
}

uint64_t
key_get_u64(const MDB_val *k, size_t at)
{
	uint64_t v;

	if (k->mv_size < at + sizeof v)
		return 0;
	memcpy(&v, (const char *)k->mv_data + at, sizeof v);
	return __builtin_bswap64(v);
}

static MDB_val
val(const void *p, size_t n)
{
	return (MDB_val){ n, (void *)(uintptr_t)p };
}

/* What LMDB says of damage makes the index anew at the next look. */
static void
note(struct txn *t, int e)
{
	if (e == 0 || e == MDB_NOTFOUND)
		return;
	if (t->err == 0)
		t->err = e;
	lmdb_fail(t->st, t->write ? "write the index" : "read the index", e);
}

void
txn_damaged(struct txn *t)
{
	note(t, MDB_CORRUPTED);
}

enum store_result
txn_result(const struct txn *t)
{
	return t->err == 0 ? STORE_OK : lmdb_fail(t->st, t->write ?
	    "write the index" : "read the index", t->err);
}

static struct span
octets(const MDB_val *v)
{
	return (struct span){ v->mv_data, v->mv_size };
}

/* A page begins with its number: one that is in the place of another has good
 * seals too, but of some other time. */
static bool
in_place(const struct txn *t, const void *p)
{
	uint64_t at = (uintptr_t)p - (uintptr_t)t->tree.map, no;

	if (at >= t->map_size)
		return true;
	at &= -(uint64_t)t->tree.size;
	memcpy(&no, t->tree.map + at, sizeof no);
	return no * t->tree.size == at;
}

/* Whether a value is what was put under that key; then without its seal. */
static bool
unseal(struct txn *t, const MDB_val *key, MDB_val *v)
{
	if (!in_place(t, v->mv_data) || !seal_check(octets(key), octets(v))) {
		txn_damaged(t);
		return false;
	}
	v->mv_size -= SEAL;
	return true;
}

/* Whether LMDB may go to that key; and, if after, to what follows it. */
static bool
may_go(struct txn *t, struct page_range *good, struct span key, bool after)
{
	if (page_covers(good, key) ||
	    page_way(&t->tree, key, after || t->write, good))
		return true;
	txn_damaged(t);
	return false;
}

/* The kind's place in a transaction's arrays. */
static size_t
kind(const struct key *k)
{
	return (size_t)(k->p[0] - 'A') % TXN_KINDS;
}

static struct span
key_span(const struct key *k)
{
	return (struct span){ (const char *)k->p, k->n };
}

/* The kind's cursor, opened at its first use; NULL, noted, if it cannot or
 * must not go to that key. */
static MDB_cursor *
cursor(struct txn *t, MDB_cursor *slot[TXN_KINDS], const struct key *k)
{
	MDB_cursor **c = &slot[kind(k)];
	struct page_range *good = slot == t->at ? t->good : t->good_gone;

	if (!may_go(t, &good[kind(k)], key_span(k), false))
		return NULL;
	if (*c == NULL) {
		int e = mdb_cursor_open(t->t, DBI, c);

		/* Or what is there would seem to be absent. */
		if (e == ENOMEM)
			die_temp("out of memory");
		note(t, e);
		if (e != 0)
			*c = NULL;
	}
	return *c;
}

bool
txn_get(struct txn *t, const struct key *k, struct span *v)
{
	MDB_cursor *c = cursor(t, t->at, k);
	MDB_val key = val(k->p, k->n), got;
	int e = c == NULL ? MDB_NOTFOUND :
	    mdb_cursor_get(c, &key, &got, MDB_SET);

	note(t, e);
	if (e != 0 || !unseal(t, &key, &got))
		return false;
	*v = octets(&got);
	return true;
}

bool
txn_get_fixed(struct txn *t, const struct key *k, void *v, size_t n)
{
	struct span s;

	if (!txn_get(t, k, &s))
		return false;
	if (s.n != n) {
		note(t, MDB_CORRUPTED);
		return false;
	}
	memcpy(v, s.p, n);
	return true;
}

/* Fill the room that LMDB made for a value. */
static void
fill(const MDB_val *key, const MDB_val *room, const void *v, size_t n)
{
	if (n > 0)
		memcpy(room->mv_data, v, n);
	seal_put(octets(key), room->mv_data, n);
}

void
txn_put(struct txn *t, const struct key *k, struct span v)
{
	MDB_cursor *c = cursor(t, t->at, k);
	MDB_val key = val(k->p, k->n), room = { v.n + SEAL, NULL };
	int e = c == NULL ? MDB_NOTFOUND :
	    mdb_cursor_put(c, &key, &room, MDB_RESERVE);

	note(t, e);
	if (e == 0)
		fill(&key, &room, v.p, v.n);
}

bool
txn_del(struct txn *t, const struct key *k)
{
	MDB_cursor *c = cursor(t, t->gone, k);
	MDB_val key = val(k->p, k->n), v;
	int e = c == NULL ? MDB_NOTFOUND :
	    mdb_cursor_get(c, &key, &v, MDB_SET);

	note(t, e == 0 ? mdb_cursor_del(c, 0) : e);
	return e == 0;
}

void
walk_start(struct walk *w, struct txn *t, const struct key *from,
    size_t prefix)
{
	*w = (struct walk){ .t = t, .from = *from, .prefix = prefix };
	int e = mdb_cursor_open(t->t, DBI, &w->c);

	/* A walk without a cursor would find nothing, and who walks would
	 * take that for an answer. */
	if (e == ENOMEM)
		die_temp("out of memory");
	note(t, e);
	if (e != 0)
		w->c = NULL;
}

/* The page of the key at hand may change before the next one is looked for. */
static void
keep_key(struct walk *w)
{
	w->last.n = w->key.mv_size < KEY_MAX ? w->key.mv_size : KEY_MAX;
	memcpy(w->last.p, w->key.mv_data, w->last.n);
}

/* The leaf of a key that nobody changes. */
static uintptr_t
leaf_of(const struct walk *w)
{
	return w->t->write ? 0 : (uintptr_t)w->key.mv_data &
	    -(uintptr_t)w->t->tree.size;
}

/* Whether LMDB may go on from the key at hand.  As long as that is on the same
 * leaf nothing new is to be looked at. */
static bool
may_step(struct walk *w)
{
	if (w->begun && w->leaf != 0 && leaf_of(w) == w->leaf)
		return true;
	if (!may_go(w->t, &w->good, octets(&w->key), true))
		return false;
	w->leaf = w->begun ? leaf_of(w) : 0;
	return true;
}

bool
walk_next(struct walk *w)
{
	if (w->c == NULL)
		return false;
	if (!w->begun)
		w->key = val(w->from.p, w->from.n);
	else if (w->t->write)
		w->key = val(w->last.p, w->last.n);
	if (!may_step(w))
		return false;
	int e = mdb_cursor_get(w->c, &w->key, &w->val,
	    w->begun ? MDB_NEXT : MDB_SET_RANGE);
	w->begun = true;
	note(w->t, e);
	if (e != 0 || w->key.mv_size < w->prefix ||
	    memcmp(w->key.mv_data, w->from.p, w->prefix) != 0 ||
	    !unseal(w->t, &w->key, &w->val))
		return false;
	if (w->t->write)
		keep_key(w);
	return true;
}

void
walk_seek(struct walk *w, const struct key *from, size_t prefix)
{
	w->from = *from;
	w->prefix = prefix;
	w->begun = false;
}

bool
walk_get(struct walk *w, const struct key *k, struct span *v)
{
	MDB_val key = val(k->p, k->n), got;
	int e = w->c == NULL || !may_go(w->t, &w->good, key_span(k), true) ?
	    MDB_NOTFOUND : mdb_cursor_get(w->c, &key, &got, MDB_SET);

	note(w->t, e);
	if (e != 0 || !unseal(w->t, &key, &got))
		return false;
	*v = octets(&got);
	return true;
}

void
walk_replace(struct walk *w, const void *v, size_t n)
{
	MDB_val room = { n + SEAL, NULL };
	int e = mdb_cursor_put(w->c, &w->key, &room,
	    MDB_CURRENT | MDB_RESERVE);

	note(w->t, e);
	if (e == 0)
		fill(&w->key, &room, v, n);
}

void
walk_delete(struct walk *w)
{
	note(w->t, mdb_cursor_del(w->c, 0));
}

void
walk_end(struct walk *w)
{
	if (w->c != NULL)
		mdb_cursor_close(w->c);
	w->c = NULL;
}
