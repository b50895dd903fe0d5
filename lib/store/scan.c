/* SPDX-License-Identifier: ISC */
#include "store/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/adopt.h"
#include "store/attach.h"
#include "store/bits.h"
#include "store/filename.h"
#include "store/letters.h"
#include "store/list.h"

enum {
	QUIET = 2,		/* seconds after which an mtime is sure */
	AT_ONCE = 400,		/* files taken in with the lock held */
	MANY = 5000,		/* from here on reading costs something */
	PASSES = 20,		/* one beside renames misses some files, that
				   many miss none */
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
	bool read[2];
	struct stat before[2];
	struct dirstate known[2];
	int64_t now;
};

static void
scan_free(struct scan *s)
{
	bits_free(&s->missing);
	arena_free(&s->mem);
	arena_free(&s->adopt.mem);
}

/* Quiet for long enough, or of a time when the clock was another. */
static bool
is_quiet(const struct scan *s, int d)
{
	int64_t age = s->now - s->before[d].st_mtim.tv_sec;

	return age >= QUIET || age < -1;
}

/* Whether to read the directory now. */
static bool
must_read(const struct scan *s, const struct meta *m, int d, enum look how)
{
	const struct dirstate *k = &m->dir[d];
	int64_t since = s->now - k->read;

	if (how == LOOK_MISSED)
		return true;
	if (dir_is(k, &s->before[d]))
		return (how == LOOK_FULL || m->messages < MANY) &&
		    k->dirty && is_quiet(s, d);
	if (m->messages < MANY || d == NEW || is_quiet(s, d))
		return true;
	/* A big one that never rests. */
	return since < 0 || since >= s->mb->st->rescan;
}

/* --- reading a directory --- */

/* What the index does not know exactly so is kept for later. */
static void
see(struct scan *s, struct walk *w, int d, struct span name)
{
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

static DIR *
dir_open(struct mailbox *mb, int d)
{
	int sub = mailbox_sub(mb, d);
	int fd = sub == -1 ? -1 : openat(sub, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (dir == NULL && fd != -1)
		close(fd);
	return dir;
}

static bool
is_candidate(const struct dirent *e)
{
	return (e->d_type == DT_REG || e->d_type == DT_UNKNOWN) &&
	    letters_valid(span_str(e->d_name));
}

static enum store_result
read_dir(struct scan *s, struct txn *t, int d)
{
	DIR *dir = dir_open(s->mb, d);
	struct key any = key_start('n');
	struct dirent *e;
	struct walk w;

	if (dir == NULL)
		return store_fail(s->mb->st, "read the folder", errno);
	walk_start(&w, t, &any, 1);
	errno = 0;
	while ((e = readdir(dir)) != NULL) {
		if (is_candidate(e))
			see(s, &w, d, span_str(e->d_name));
		errno = 0;
	}
	int err = errno;
	walk_end(&w);
	closedir(dir);
	return err == 0 ? STORE_OK :
	    store_fail(s->mb->st, "read the folder", err);
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

/* Note what was read, unless someone noted something since. */
static void
note_dirs(struct scan *s, struct change *c)
{
	for (int d = CUR; d <= NEW; d++) {
		struct dirstate *k = &c->m.dir[d];

		if (!s->read[d] || k->sec != s->known[d].sec ||
		    k->nsec != s->known[d].nsec)
			continue;
		*k = (struct dirstate){ .sec = s->before[d].st_mtim.tv_sec,
			.nsec = (uint32_t)s->before[d].st_mtim.tv_nsec,
			.dirty = !is_quiet(s, d), .read = s->now };
	}
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
		enum store_result r = attach_begin(&c, s->mb,
		    (end - i) * NEED, s->n == 0);

		if (r != STORE_OK)
			return r;
		for (; i < end; i++)
			adopt_entry(&s->adopt, &c, &s->e[i]);
		if (i == s->n && note && !s->adopt.unsure)
			note_dirs(s, &c);
		if (i == s->n && note && s->adopt.list != NULL &&
		    c.m.building) {
			c.m.building = 0;
			c.m.first_recent = c.m.uidnext;
		}
		*found = *found || c.modseq != 0;
		if ((r = change_commit(&c)) != STORE_OK)
			return r;
	} while (i < s->n);
	return STORE_OK;
}

/* --- what is not there any more --- */

/* Of the UIDs missed, those whose files are not where the index says now.
 * The lock need not be held: this only makes the list shorter. */
static void
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

		if (!rec_get(t, mb->id, uid, &r) || (r.flags & REC_GONE) ||
		    !rec_name(t, mb->id, uid, &d, &name) || !s->read[d] ||
		    name.n >= sizeof p)
			continue;
		memcpy(p, name.p, name.n);
		p[name.n] = '\0';
		if (fstatat(mailbox_sub(mb, d), p, &st,
		    AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT)
			set_add(gone, uid, uid);
	}
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

/* Whether a change of either directory would show in its mtime: the last one
 * is long enough ago.  at gets what they are like. */
static bool
at_rest(struct mailbox *mb, struct stat at[2])
{
	for (int d = CUR; d <= NEW; d++) {
		if (fstat(mailbox_sub(mb, d), &at[d]) == -1)
			return false;
		int64_t ms = clock_now_us() / 1000 -
		    (at[d].st_mtim.tv_sec * 1000 +
		    at[d].st_mtim.tv_nsec / 1000000);
		if (ms >= 0 && ms < (at[d].st_mtim.tv_nsec == 0 ?
		    QUIET * 1000 : 100))
			return false;
	}
	return true;
}

static bool
unchanged(struct mailbox *mb, const struct stat at[2])
{
	struct stat now;

	for (int d = CUR; d <= NEW; d++)
		if (fstat(mailbox_sub(mb, d), &now) == -1 ||
		    now.st_mtim.tv_sec != at[d].st_mtim.tv_sec ||
		    now.st_mtim.tv_nsec != at[d].st_mtim.tv_nsec)
			return false;
	return true;
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
	if (!at_rest(s->mb, at))
		return false;
	for (d = CUR; d <= NEW; d++) {
		DIR *dir = dir_open(s->mb, d);
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
	return unchanged(s->mb, at);
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
		struct rec r;
		enum store_result res = change_begin(&c, s->mb,
		    AT_ONCE * NEED, true);

		if (res != STORE_OK)
			return res;
		if (!unchanged(s->mb, at)) {
			change_abort(&c);
			return STORE_OK;
		}
		for (int i = 0; i < AT_ONCE && uid != 0;
		    i++, uid = set_next(gone, uid + 1))
			if (rec_get(c.t, s->mb->id, uid, &r) &&
			    !(r.flags & REC_GONE)) {
				uidlist_forget(&c.lines,
				    &(struct uidlist_gone){ uid, 0 }, 1);
				change_gone(&c, uid, &r, false);
			}
		c.spare_list = true;
		if (uid == 0)
			note_dirs(s, &c);
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
	still_missing(s, &t, &gone);
	bool sure = gone.n == 0 || look_again(s, &t, &gone, at);
	txn_abort(&t);
	if (sure && gone.n == 0)
		r = take_in(&(struct scan){ .mb = s->mb, .now = s->now,
		    .read = { s->read[0], s->read[1] },
		    .before = { s->before[0], s->before[1] },
		    .known = { s->known[0], s->known[1] } }, true, found);
	else if (sure) {
		*found = true;
		r = expunge(s, &gone, at);
	}
	set_free(&gone);
	return r;
}

/* --- the look --- */

static enum store_result
stat_dirs(struct scan *s)
{
	s->now = clock_now();
	for (int d = CUR; d <= NEW; d++) {
		int fd = mailbox_sub(s->mb, d);

		if (fd == -1 || fstat(fd, &s->before[d]) == -1)
			return errno == ENOENT || errno == ENOTDIR ?
			    STORE_CHANGED :
			    store_fail(s->mb->st, "open the folder", errno);
		if (s->before[d].st_nlink == 0)
			return STORE_CHANGED;
	}
	return STORE_OK;
}

/* Of what is missing only in new/ when that alone was read. */
static void
load_missing(struct scan *s, struct txn *t)
{
	struct key from = key_mailbox('u', s->mb->id);
	struct walk w;

	if (s->read[CUR]) {
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

enum store_result
mailbox_look(struct mailbox *mb, enum look how, bool *found)
{
	struct scan s = { .mb = mb, .adopt = { .mb = mb } };
	struct meta m;
	struct txn t;
	enum store_result r = stat_dirs(&s);

	*found = false;
	if (r == STORE_OK)
		r = mailbox_read(mb, &t, &m);
	if (r != STORE_OK)
		return r;
	for (int d = CUR; d <= NEW; d++) {
		s.read[d] = must_read(&s, &m, d, how);
		s.known[d] = m.dir[d];
	}
	bool cut = list_is_cut(mb, &m);
	if (!cut || (!s.read[CUR] && !s.read[NEW])) {
		txn_abort(&t);
		if (cut || (r = cut_list(mb)) != STORE_OK)
			return r;
		return mailbox_look(mb, how, found);
	}
	load_missing(&s, &t);
	for (int d = CUR; d <= NEW && r == STORE_OK; d++)
		if (s.read[d])
			r = read_dir(&s, &t, d);
	txn_abort(&t);
	bool whole = bits_next(&s.missing, 1) == 0;
	if (r == STORE_OK)
		r = take_in(&s, whole, found);
	if (r == STORE_OK && !whole)
		r = confirm(&s, found);
	scan_free(&s);
	return r;
}

/* --- the first look --- */

/* The UIDs that the list gives to files which were not found. */
static void
not_found(struct scan *s, struct txn *t, struct set *uids)
{
	const struct uidlist *l = s->adopt.list;
	struct bits present = { 0 };
	struct rec r;

	bits_load(&present, t, s->mb->id, PRESENT);
	for (size_t i = 0; i < l->n; i++) {
		const struct uidlist_msg *m = &l->msg[i];

		if (!m->gone && !bits_has(&present, m->uid) &&
		    !rec_get(t, s->mb->id, m->uid, &r) &&
		    adopt_listed(&s->adopt, m->hash, m->base) == m)
			set_add(uids, m->uid, m->uid);
	}
	bits_free(&present);
}

/* Whether no file of the list was missed: its message would be a new one. */
static bool
found_all(struct scan *s)
{
	struct set uids = { 0 };
	struct txn t;

	if (txn_read(s->mb->st, &t) != STORE_OK)
		return true;
	not_found(s, &t, &uids);
	bool all = uids.n == 0;
	txn_abort(&t);
	set_free(&uids);
	return all;
}

/* Until nothing is missed, or what is missed is really gone. */
static enum store_result
build(struct scan *s)
{
	bool found = false, sure = false;
	enum store_result r = STORE_OK;

	for (int pass = 0; pass < PASSES && !sure; pass++) {
		struct stat at[2];
		struct txn t;

		sure = at_rest(s->mb, at);
		s->n = 0;
		if ((r = stat_dirs(s)) != STORE_OK ||
		    (r = txn_read(s->mb->st, &t)) != STORE_OK)
			return r;
		for (int d = CUR; d <= NEW && r == STORE_OK; d++)
			r = read_dir(s, &t, d);
		txn_abort(&t);
		if (r == STORE_OK)
			r = take_in(s, false, &found);
		if (r != STORE_OK)
			return r;
		sure = (sure && unchanged(s->mb, at)) || found_all(s);
	}
	s->n = 0;
	return take_in(s, true, &found);
}

enum store_result
scan_build(struct mailbox *mb)
{
	struct scan s = { .mb = mb, .adopt = { .mb = mb },
		.read = { true, true } };
	struct uidlist l = { 0 };
	struct buf text = { 0 };
	struct txn t;
	struct meta m;
	uint64_t inode;
	enum store_result r = list_read(mb, &text, &inode);

	if (r == STORE_OK)
		r = txn_read(mb->st, &t);
	if (r == STORE_OK) {
		bool here = mb->generation == index_generation(mb->st) &&
		    meta_get(&t, mb->id, &m);

		/* The rest is of a builder who died: it will be cut. */
		if (here && inode == m.list_ino && text.n > m.list_size)
			text.n = m.list_size;
		if (uidlist_parse(buf_span(&text), &l)) {
			adopt_sort(&l);
			s.adopt.list = &l;
		}
		if (here && s.adopt.list != NULL) {
			s.known[CUR] = m.dir[CUR];
			s.known[NEW] = m.dir[NEW];
		} else
			r = STORE_INUSE;
		txn_abort(&t);
	}
	if (r == STORE_OK)
		r = build(&s);
	if (r == STORE_OK && s.adopt.unlinked)
		for (int d = CUR; d <= NEW; d++)
			fsync(mailbox_sub(mb, d));
	scan_free(&s);
	uidlist_free(&l);
	buf_free(&text);
	return r;
}
