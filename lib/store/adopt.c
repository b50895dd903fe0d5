/* SPDX-License-Identifier: ISC */
#include "store/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/batch.h"
#include "store/filename.h"
#include "store/intent.h"
#include "store/keyword.h"
#include "store/letters.h"

static int
by_hash(const void *a, const void *b)
{
	const struct uidlist_msg *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

void
adopt_sort(struct uidlist *l)
{
	if (l->n > 0)
		qsort(l->msg, l->n, sizeof *l->msg, by_hash);
}

struct uidlist_msg *
adopt_listed(const struct adopt *a, uint64_t hash, struct span base)
{
	const struct uidlist *l = a->list;
	struct uidlist_msg *best = NULL;
	size_t lo = 0, hi = l == NULL ? 0 : l->n, end = hi;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->msg[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < end && l->msg[lo].hash == hash; lo++)
		if (span_eq(l->msg[lo].base, base))
			best = &l->msg[lo];
	return best;
}

/* NUL-terminated; names here are never longer than 255 octets. */
struct path {
	char p[256];
};

static struct path
path(struct span name)
{
	struct path p = { { 0 } };

	for (size_t i = 0; i < name.n && i < sizeof p.p - 1; i++)
		p.p[i] = name.p[i];
	return p;
}

enum file_there
adopt_stat(const struct adopt *a, int dir, const char *name, struct stat *s)
{
	int fd = mailbox_sub(a->mb, dir);

	if (fd != -1 && fstatat(fd, name, s, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISREG(s->st_mode) ? FILE_THERE : FILE_ABSENT;
	return fd != -1 && errno == ENOENT ? FILE_ABSENT : FILE_UNSURE;
}

static bool
stat_file(struct adopt *a, int dir, struct span name, struct stat *s)
{
	enum file_there t = adopt_stat(a, dir, path(name).p, s);

	a->unsure = a->unsure || t == FILE_UNSURE;
	return t == FILE_THERE;
}

/* --- keywords of a new message --- */

/* Dovecot's keywords are small letters; its file tells which. */
static void
load_letters(struct adopt *a, struct change *c)
{
	struct import im = { 0 };

	if (a->letters_loaded)
		return;
	a->letters_loaded = true;
	bool found = import_folder(a->mb->dir, &im);
	if (im.err != 0 && c->t->err == 0)
		c->t->err = im.err;
	else if (found)
		for (size_t i = 0; i < COUNT(a->letter); i++)
			a->letter[i] = arena_dup(&a->mem, im.letter[i]);
	arena_free(&im.mem);
}

static uint32_t
set_of_letters(struct adopt *a, struct change *c, struct span letters,
    uint32_t uid, uint32_t set)
{
	struct set one = { 0 };

	set_add(&one, uid, uid);
	for (size_t i = 0; i < letters.n; i++) {
		struct span name = SPAN("");

		if (letters.p[i] >= 'a' && letters.p[i] <= 'z') {
			load_letters(a, c);
			name = a->letter[letters.p[i] - 'a'];
		} else if (letters.p[i] == 'P')
			name = SPAN("$Forwarded");
		int32_t k = name.n == 0 ? -1 : keyword_make(c, name);
		if (k < 0)
			continue;
		uint32_t number = (uint32_t)k;
		uint32_t with = set_with(c, set, &number, 1, true);
		if (with != set)
			uidlist_flag(&c->lines, true, number, &one);
		set = with;
		c->sync_list = true;
	}
	set_free(&one);
	return set;
}

static uint32_t
set_of_list(struct adopt *a, struct change *c, uint32_t uid)
{
	uint32_t set = 0;

	for (size_t i = 0; i < a->list->keywords; i++)
		if (a->list->keyword[i].n > 0 &&
		    set_has(&a->list->has[i], uid)) {
			uint32_t k = (uint32_t)i;

			set = set_with(c, set, &k, 1, true);
		}
	return set;
}

/* --- one file --- */

uint32_t
adopt_new(struct adopt *a, struct change *c, int dir, struct span name,
    const struct stat *s)
{
	struct span base = filename_base(name), letters = filename_flags(name);
	struct uidlist_msg *m = adopt_listed(a, letters_hash(base), base);
	struct rec r = { .inode = s->st_ino,
		.internaldate = s->st_mtim.tv_sec };
	uint64_t size;

	if (m != NULL && m->gone) {
		if (m->inode == s->st_ino) {
			/* Expunged, and nobody came to unlink it. */
			unlinkat(mailbox_sub(a->mb, dir), path(name).p, 0);
			a->unlinked = true;
			return 0;
		}
		m = NULL;
	}
	if (m != NULL && change_present(c, m->uid))
		m = NULL;
	uint32_t uid = change_uid(c, m != NULL ? m->uid : 0);
	if (uid == 0)
		return 0;
	if (m != NULL)
		r.set = set_of_list(a, c, uid);
	else
		uidlist_message(&c->lines, uid, base);
	if (m == NULL || c->m.building == 2)
		r.set = set_of_letters(a, c, letters, uid, r.set);
	if (filename_size(name, &size) && size == (uint64_t)s->st_size)
		filename_wire(name, &r.wire);
	r.savedate = (int64_t)batch_seconds(base);
	if (r.savedate == 0)
		r.savedate = s->st_mtim.tv_sec;
	r.flags = letters_flags(letters);
	if (m != NULL) {
		uint32_t flags, late = uidlist_late_flags(a->list, uid,
		    &flags);

		r.flags = (r.flags & ~late) | flags | late << 8;
	}
	r.object = object_new(c->t, SPAN(""));
	change_add(c, uid, &r, dir, name);
	return uid;
}

/* Two files with one base: the second gets a name of its own. */
static void
adopt_double(struct adopt *a, struct change *c, const struct entry *e,
    const struct stat *s)
{
	struct buf base = { 0 }, name = { 0 };
	struct batch b;
	int fd = mailbox_sub(a->mb, e->dir);

	batch_start(&b);
	batch_name(&b, 0, 0, &base);
	if (e->dir == NEW)
		buf_add(&name, buf_span(&base));
	else
		letters_name(&name, buf_span(&base),
		    filename_flags(e->name),
		    letters_flags(filename_flags(e->name)));
	change_dir_before(c, e->dir);
	if (renameat2(fd, path(e->name).p, fd, buf_cstr(&name),
	    RENAME_NOREPLACE) == 0) {
		c->entries[e->dir] = 2;
		change_dir_after(c, e->dir);
		adopt_new(a, c, e->dir, buf_span(&name), s);
	}
	buf_free(&base);
	buf_free(&name);
}

/* The message's file has another name or directory now. */
static void
adopt_renamed(struct change *c, const struct entry *e, uint32_t uid,
    struct rec *r, struct span old, const struct stat *s)
{
	uint32_t was = letters_flags(filename_flags(old));
	uint32_t is = letters_flags(filename_flags(e->name));
	uint32_t changed = (was ^ is) & ~rec_late(r);
	uint32_t had = r->flags & REC_FLAGS;
	uint32_t flags = (had & ~changed) | (is & changed);

	r->inode = s->st_ino;
	if (flags != had)
		change_flags(c, uid, r, flags, r->set);
	else
		change_rec(c, uid, r);
	change_name(c, uid, e->dir, e->name);
}

/* Whether the entry is of that known message, and then what to do. */
static bool
adopt_known(struct adopt *a, struct change *c, const struct entry *e,
    uint32_t uid)
{
	struct span name;
	struct rec r;
	struct stat s, t;
	int dir;

	if (!rec_name(c->t, a->mb->id, uid, &dir, &name) ||
	    !span_eq(filename_base(name), filename_base(e->name)) ||
	    !rec_get(c->t, a->mb->id, uid, &r))
		return false;
	if (!stat_file(a, e->dir, e->name, &s))
		return true;
	if (r.flags & REC_GONE) {
		/* Ours to unlink, by its present name. */
		if (s.st_ino != r.inode)
			return false;
		change_name(c, uid, e->dir, e->name);
		return true;
	}
	if (dir == e->dir && span_eq(name, e->name)) {
		if (r.inode != s.st_ino) {
			r.inode = s.st_ino;
			change_rec(c, uid, &r);
		}
		return true;
	}
	if (stat_file(a, dir, name, &t)) {
		if (t.st_ino != s.st_ino)
			adopt_double(a, c, e, &s);
		return true;
	}
	if (a->unsure)
		return true;
	adopt_renamed(c, e, uid, &r, name, &s);
	return true;
}

void
adopt_entry(struct adopt *a, struct change *c, const struct entry *e)
{
	struct key from = key_name(a->mb->id, e->hash, 0);
	uint32_t uid[16];
	size_t n = 0;
	struct walk w;
	struct stat s;

	walk_start(&w, c->t, &from, from.n - 4);
	while (n < COUNT(uid) && walk_next(&w))
		uid[n++] = key_get_u32(&w.key, from.n - 4);
	walk_end(&w);
	while (n-- > 0)
		if (adopt_known(a, c, e, uid[n]))
			return;
	if (intent_covers(c->t, a->mb->id, e->name) ||
	    !stat_file(a, e->dir, e->name, &s))
		return;
	adopt_new(a, c, e->dir, e->name, &s);
}
