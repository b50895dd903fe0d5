/* SPDX-License-Identifier: ISC */
#include "store/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/adopt.h"
#include "store/attach.h"
#include "store/bits.h"
#include "store/dirs.h"
#include "store/filename.h"
#include "store/letters.h"
#include "store/list.h"

enum {
	AT_ONCE = 400,		/* files taken in with the lock held */
	NEED = 4096		/* octets of the index for one file, and more
				   than enough */
};

struct scan {
	struct mailbox *mb;
	struct adopt adopt;
	struct arena mem;
	struct entry *e;
	size_t n, cap;
	struct bits missing;	/* what the index has and nobody saw yet */
	struct dirs dirs;
	struct walk names;	/* for see */
};

static void
scan_free(struct scan *s)
{
	bits_free(&s->missing);
	arena_free(&s->mem);
	arena_free(&s->adopt.mem);
}

/* Whether to read the directory now. */
static bool
must_read(const struct scan *s, const struct meta *m, int d, enum look how)
{
	const struct dirstate *k = &m->dir[d];
	int64_t since = s->dirs.now - k->read;

	if (how == LOOK_MISSED)
		return true;
	if (dir_is(k, &s->dirs.before[d]))
		return (how == LOOK_FULL || m->messages < DIR_MANY) &&
		    k->dirty && dirs_quiet(&s->dirs, d);
	if (m->messages < DIR_MANY || d == NEW || dirs_quiet(&s->dirs, d))
		return true;
	/* A big one that never rests. */
	return since < 0 || since >= s->mb->st->rescan;
}

/* --- reading a directory --- */

/* What the index does not know exactly so is kept for later. */
static void
see(void *arg, int d, const struct dirent *e)
{
	struct scan *s = arg;
	struct walk *w = &s->names;
	struct span name = span_str(e->d_name);
	struct span base = filename_base(name);
	uint64_t hash = letters_hash(base), full = full_hash(d, name), v;
	struct key from = key_name(s->mb->id, hash, 0);

	walk_seek(w, &from, from.n - 4);
	while (walk_next(w))
		if (w->val.mv_size == sizeof v) {
			uint32_t uid = key_get_u32(&w->key, from.n - 4);

			memcpy(&v, w->val.mv_data, sizeof v);
			if (v == full) {
				bits_set(&s->missing, uid, false);
				return;
			}
		}
	s->e = arena_grow(&s->mem, s->e, &s->cap, s->n + 1, sizeof *s->e);
	s->e[s->n++] = (struct entry){ .dir = d, .hash = hash,
		.name = arena_dup(&s->mem, name) };
}

static enum store_result
read_dir(struct scan *s, struct txn *t, int d)
{
	struct key any = key_start('n');

	walk_start(&s->names, t, &any, 1);
	enum store_result r = dirs_read(s->mb, d, see, s);
	walk_end(&s->names);
	return r;
}

static int
by_hash(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* A file that the index has, but does not find by its name, would be taken in
 * a second time: no missing message may have the base of what is new, unless
 * the look-up of that base is there. */
static void
check_names(struct scan *s, struct txn *t)
{
	uint32_t uid = s->n == 0 ? 0 : bits_next(&s->missing, 1);
	struct span name, v;
	int dir;

	if (uid != 0)
		qsort(s->e, s->n, sizeof *s->e, by_hash);
	for (; uid != 0; uid = bits_next(&s->missing, uid + 1)) {
		if (!name_must(t, s->mb->id, uid, &dir, &name))
			break;
		struct entry e = { .hash = letters_hash(filename_base(name)) };
		struct key n = key_name(s->mb->id, e.hash, uid);

		if (bsearch(&e, s->e, s->n, sizeof *s->e, by_hash) != NULL &&
		    !txn_get(t, &n, &v))
			txn_damaged(t);
	}
}

/* --- taking in --- */

static int
by_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->uid != y->uid)	/* those with a UID first, rising */
		return x->uid - 1 < y->uid - 1 ? -1 : 1;
	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	return span_cmp(x->name, y->name);
}

static enum store_result
take_in(struct scan *s, bool note, bool *found)
{
	size_t i = 0;

	for (size_t k = 0; k < s->n; k++) {
		struct entry *e = &s->e[k];
		struct span base = filename_base(e->name);
		struct uidlist_msg *m = adopt_listed(&s->adopt, e->hash, base);

		e->uid = m == NULL ? 0 : m->uid;
		e->when = m == NULL ? 0 : 1;
		if (m == NULL) {
			uint64_t v = 0;

			span_u64(span_head(base, span_chr(base, '.')),
			    INT64_MAX, &v);
			e->when = v;
		}
	}
	if (s->n == 0 && !note)
		return STORE_OK;
	if (s->n > 0)
		qsort(s->e, s->n, sizeof *s->e, by_order);
	do {
		struct change c;
		size_t end = s->n - i < AT_ONCE ? s->n : i + AT_ONCE;
		/* It may be another index than was read, and has to ask the
		 * uidlist first. */
		enum store_result r = change_begin(&c, s->mb,
		    (end - i) * NEED, s->n == 0);

		if (r != STORE_OK)
			return r;
		for (; i < end; i++)
			adopt_entry(&s->adopt, &c, &s->e[i]);
		if (i == s->n && note && !s->adopt.unsure)
			dirs_note(&s->dirs, &c);
		*found = *found || c.modseq != 0;
		if ((r = change_commit(&c)) != STORE_OK)
			return r;
	} while (i < s->n);
	return STORE_OK;
}

/* --- what is not there any more --- */

/* Of the UIDs missed, those whose files are not where the index says now.
 * The lock need not be held: this only makes the list shorter.  Where it
 * cannot be told nobody may believe that all was seen. */
static enum store_result
still_missing(struct scan *s, struct txn *t, struct set *gone)
{
	struct mailbox *mb = s->mb;
	struct stat st;
	struct rec r;

	for (uint32_t uid = bits_next(&s->missing, 1); uid != 0;
	    uid = bits_next(&s->missing, uid + 1)) {
		struct span name;
		char p[256];
		int d;

		if (!rec_alive(t, mb->id, uid, &r) ||
		    !rec_name(t, mb->id, uid, &d, &name) || !s->dirs.read[d] ||
		    name.n >= sizeof p)
			continue;
		memcpy(p, name.p, name.n);
		p[name.n] = '\0';
		if (fstatat(mailbox_sub(mb, d), p, &st,
		    AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno != ENOENT)
			return mailbox_fail(mb, "look at a message", errno);
		set_add(gone, uid, uid);
	}
	return STORE_OK;
}

struct base {
	uint64_t hash;
	uint32_t uid;
};

static int
by_base(const void *a, const void *b)
{
	const struct base *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* The second look: all of both directories, unchanged for long enough that
 * a change would show in their mtimes.  What it sees leaves *gone.  False if
 * it proves nothing. */
static bool
look_again(struct scan *s, struct txn *t, struct set *gone,
    struct stat at[2])
{
	size_t n = (size_t)set_count(gone), k = 0;
	struct base *b = arena_alloc(&s->mem, n * sizeof *b);
	struct span name;
	int d;

	for (uint32_t uid = set_next(gone, 1); uid != 0;
	    uid = set_next(gone, uid + 1))
		if (rec_name(t, s->mb->id, uid, &d, &name))
			b[k++] = (struct base){
			    letters_hash(filename_base(name)), uid };
	qsort(b, k, sizeof *b, by_base);
	if (!dirs_at_rest(s->mb, at))
		return false;
	for (d = CUR; d <= NEW; d++) {
		DIR *dir = dirs_open(s->mb, d);
		struct dirent *e;

		if (dir == NULL)
			return false;
		errno = 0;
		while ((e = readdir(dir)) != NULL) {
			struct base key = { .hash = letters_hash(
			    filename_base(span_str(e->d_name))) };
			struct base *hit = bsearch(&key, b, k, sizeof *b,
			    by_base);

			if (hit != NULL)
				set_remove(gone, hit->uid, hit->uid);
			errno = 0;
		}
		bool good = errno == 0;
		closedir(dir);
		if (!good)
			return false;
	}
	return dirs_unchanged(s->mb, at);
}

bool
scan_proves_gone(struct mailbox *mb, struct txn *t, struct set *uids)
{
	struct scan s = { .mb = mb };
	struct stat at[2];
	bool sure = look_again(&s, t, uids, at);

	scan_free(&s);
	return sure;
}

/* Expunge what two looks missed, if the directories still are as they were
 * at the second. */
static enum store_result
expunge(struct scan *s, const struct set *gone, const struct stat at[2])
{
	uint32_t uid = set_next(gone, 1);

	do {
		struct change c;
		enum store_result res = change_begin(&c, s->mb,
		    AT_ONCE * NEED, true);

		if (res != STORE_OK)
			return res;
		if (!dirs_unchanged(s->mb, at)) {
			change_abort(&c);
			return STORE_OK;
		}
		for (int i = 0; i < AT_ONCE && uid != 0;
		    i++, uid = set_next(gone, uid + 1))
			change_forget(&c, uid, false);
		c.spare_list = true;
		if (uid == 0)
			dirs_note(&s->dirs, &c);
		if ((res = change_commit(&c)) != STORE_OK)
			return res;
	} while (uid != 0);
	return STORE_OK;
}

static enum store_result
confirm(struct scan *s, bool *found)
{
	struct set gone = { 0 };
	struct stat at[2];
	struct txn t;
	struct meta m;
	enum store_result r = mailbox_read(s->mb, &t, &m);

	if (r != STORE_OK)
		return r;
	r = still_missing(s, &t, &gone);
	bool sure = r == STORE_OK &&
	    (gone.n == 0 || look_again(s, &t, &gone, at));
	txn_abort(&t);
	if (sure && gone.n == 0)
		r = take_in(&(struct scan){ .mb = s->mb, .dirs = s->dirs },
		    true, found);
	else if (sure) {
		*found = true;
		r = expunge(s, &gone, at);
	}
	set_free(&gone);
	return r;
}

/* --- the look --- */

/* Of what is missing only in new/ when that alone was read. */
static void
load_missing(struct scan *s, struct txn *t)
{
	struct key from = key_mailbox('u', s->mb->id);
	struct walk w;

	if (s->dirs.read[CUR]) {
		bits_load(&s->missing, t, s->mb->id, PRESENT);
		return;
	}
	walk_start(&w, t, &from, from.n);
	while (walk_next(&w))
		bits_set(&s->missing, key_get_u32(&w.key, from.n), true);
	walk_end(&w);
}

/* What a dead writer left in the uidlist goes before anyone counts on it. */
static enum store_result
cut_list(struct mailbox *mb)
{
	struct change c;
	enum store_result r = change_begin(&c, mb, 0, true);

	if (r == STORE_OK && (r = list_cut(&c)) == STORE_OK)
		return change_commit(&c);
	change_abort(&c);
	return r;
}

/* What the index knows, and which directories are to be read; t is then
 * open. */
static enum store_result
begin_look(struct scan *s, enum look how, struct txn *t, struct meta *m)
{
	struct mailbox *mb = s->mb;
	enum store_result r = dirs_stat(&s->dirs, mb);

	if (r == STORE_OK)
		r = mailbox_read(mb, t, m);
	while (r == STORE_OK && !list_is_cut(mb, m)) {
		txn_abort(t);
		if ((r = cut_list(mb)) == STORE_OK)
			r = mailbox_read(mb, t, m);
	}
	for (int d = CUR; r == STORE_OK && d <= NEW; d++) {
		s->dirs.read[d] = must_read(s, m, d, how);
		s->dirs.known[d] = m->dir[d];
	}
	return r;
}

static bool
is_idle(const struct scan *s)
{
	return !s->dirs.read[CUR] && !s->dirs.read[NEW];
}

/* Read them, and take in what is found.  It ends t. */
static enum store_result
look(struct scan *s, struct txn *t, bool *found)
{
	enum store_result r = STORE_OK;

	load_missing(s, t);
	for (int d = CUR; d <= NEW && r == STORE_OK; d++)
		if (s->dirs.read[d])
			r = read_dir(s, t, d);
	if (r == STORE_OK)
		check_names(s, t);
	if (r == STORE_OK)
		r = txn_result(t);
	txn_abort(t);
	bool whole = bits_next(&s->missing, 1) == 0;
	if (r == STORE_OK)
		r = take_in(s, whole, found);
	if (r == STORE_OK && !whole)
		r = confirm(s, found);
	scan_free(s);
	/* Whoever is to make room must get in: what the index has none for is
	 * shown when it has. */
	return r == STORE_FULL ? STORE_OK : r;
}

enum store_result
mailbox_look(struct mailbox *mb, enum look how, bool *found)
{
	struct scan s = { .mb = mb, .adopt = { .mb = mb } };
	struct meta m;
	struct txn t;
	enum store_result r = begin_look(&s, how, &t, &m);

	*found = false;
	if (r != STORE_OK)
		return r;
	if (!is_idle(&s))
		return look(&s, &t, found);
	txn_abort(&t);
	return STORE_OK;
}

enum store_result
mailbox_see(struct mailbox *mb, struct txn *t, struct meta *m)
{
	struct scan s = { .mb = mb, .adopt = { .mb = mb } };
	bool found = false;
	enum store_result r = begin_look(&s, LOOK_QUICK, t, m);

	if (r != STORE_OK || is_idle(&s))
		return r;
	r = look(&s, t, &found);
	return r == STORE_OK ? mailbox_read(mb, t, m) : r;
}
