/* SPDX-License-Identifier: ISC */
#include "store/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/crew.h"
#include "base/die.h"
#include "store/adopt.h"
#include "store/attach.h"
#include "store/bits.h"
#include "store/dirs.h"
#include "store/filename.h"
#include "store/intent.h"
#include "store/letters.h"
#include "store/list.h"

enum {
	AT_ONCE = 2000,		/* files taken in with the lock held */
	NAMES_AT_ONCE = 10000,	/* and hashes of names */
	PASSES = 20,		/* one beside renames misses some files, that
				   many miss none */
	ODD_AT_ONCE = 400,	/* and files that need a closer look */
	NEED = 4096		/* octets of the index for one file, and more
				   than enough */
};

struct file {
	uint64_t hash;		/* of the base */
	uint64_t when;		/* by its name */
	const char *name;
	uint32_t uid;		/* 0: none yet; before it is taken in, what
				   the uidlist gives it */
	uint8_t n;		/* octets of the name */
	bool new;		/* in new/ */
	bool known;		/* the index has it already */
};

struct build {
	struct mailbox *mb;
	uint32_t id;		/* the mailbox's */
	struct adopt adopt;
	struct dirs dirs;
	struct crew crew;
	struct arena mem;
	struct file *file;
	size_t n, cap;
	struct entry *odd;	/* of whose base there is another */
	size_t odds, odd_cap;
	uint32_t *slot;		/* 1 + index of file, by hash */
	size_t slots;		/* a power of two, or 0 */
	bool named;		/* those of the known were put */
	struct meta m;		/* as this builder left it */
	bool lost;		/* another was faster, or began anew */
};

static struct span
name_of(const struct file *f)
{
	return (struct span){ f->name, f->n };
}

/* --- what there is --- */

/* The slot of the file with that hash, or the free one for it. */
static uint32_t *
slot(struct build *b, uint64_t hash)
{
	size_t i = hash & (b->slots - 1);

	while (b->slot[i] != 0 && b->file[b->slot[i] - 1].hash != hash)
		i = (i + 1) & (b->slots - 1);
	return &b->slot[i];
}

static void
more_slots(struct build *b)
{
	if (b->n < b->slots / 2)
		return;
	free(b->slot);
	b->slots = b->slots == 0 ? 1024 : b->slots * 4;
	b->slot = xcalloc(b->slots, sizeof *b->slot);
	for (size_t i = 0; i < b->n; i++)
		*slot(b, b->file[i].hash) = (uint32_t)i + 1;
}

/* One more; false if there is one of that hash. */
static bool
add_file(struct build *b, const struct file *f)
{
	more_slots(b);
	uint32_t *s = slot(b, f->hash);

	if (*s != 0)
		return false;
	if (b->n == b->cap) {
		b->cap = b->cap == 0 ? 1024 : b->cap * 2;
		b->file = xrealloc(b->file, b->cap * sizeof *b->file);
	}
	b->file[b->n++] = *f;
	*s = (uint32_t)b->n;
	return true;
}

/* What a builder who died took in. */
static void
load_known(struct build *b, struct txn *t)
{
	struct key from = key_uid('f', b->mb->id, 0);
	struct walk w;

	walk_start(&w, t, &from, 5);
	while (walk_next(&w)) {
		struct span v = { w.val.mv_data, w.val.mv_size };
		struct span name = span_skip(v, 1);

		if (name.n > 0 && name.n <= UINT8_MAX)
			add_file(b, &(struct file){ .known = true,
			    .hash = letters_hash(filename_base(name)),
			    .new = v.p[0] == NEW,
			    .uid = key_get_u32(&w.key, 5),
			    .name = arena_cstr(&b->mem, name),
			    .n = (uint8_t)name.n });
	}
	walk_end(&w);
}

static void
see(void *arg, int d, const struct dirent *e)
{
	struct build *b = arg;
	struct span name = span_str(e->d_name), base = filename_base(name);
	struct file f = { .hash = letters_hash(base), .new = d == NEW,
		.n = (uint8_t)name.n };
	struct uidlist_msg *m = adopt_listed(&b->adopt, f.hash, base);
	uint64_t v = 0;

	if (m != NULL)
		f.uid = m->uid;
	else if (span_u64(span_head(base, span_chr(base, '.')), INT64_MAX,
	    &v))
		f.when = v;
	f.name = arena_cstr(&b->mem, name);
	if (add_file(b, &f))
		return;
	const struct file *same = &b->file[*slot(b, f.hash) - 1];
	if (same->new == f.new && span_eq(name_of(same), name))
		return;
	b->odd = arena_grow(&b->mem, b->odd, &b->odd_cap, b->odds + 1,
	    sizeof *b->odd);
	b->odd[b->odds++] = (struct entry){ .dir = d, .hash = f.hash,
		.name = name_of(&f) };
}

static int
by_order(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->known != y->known)
		return x->known ? -1 : 1;
	if (x->uid != y->uid)	/* those with a UID first, rising */
		return x->uid - 1 < y->uid - 1 ? -1 : 1;
	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	return span_cmp(name_of(x), name_of(y));
}

static void
forget(struct build *b)
{
	free(b->slot);
	free(b->file);
	arena_free(&b->mem);
	b->slot = NULL;
	b->file = NULL;
	b->odd = NULL;
	b->n = b->cap = b->odds = b->odd_cap = b->slots = 0;
}

/* Everything that the uidlist, the index and the directories have. */
static enum store_result
look(struct build *b)
{
	struct txn t;
	enum store_result r = dirs_stat(&b->dirs, b->mb);

	forget(b);
	if (r == STORE_OK)
		r = txn_read(b->mb->st, &t);
	if (r != STORE_OK)
		return r;
	load_known(b, &t);
	txn_abort(&t);
	for (int d = CUR; d <= NEW && r == STORE_OK; d++)
		r = dirs_read(b->mb, d, see, b);
	free(b->slot);		/* the order changes now */
	b->slot = NULL;
	b->slots = 0;
	if (b->n > 0)
		qsort(b->file, b->n, sizeof *b->file, by_order);
	return r;
}

/* --- taking in --- */

/* The lock, if nobody else has built here since we looked. */
static enum store_result
begin(struct build *b, struct change *c, size_t files)
{
	enum store_result r = attach_begin(c, b->mb, files * NEED,
	    files == 0);

	if (r != STORE_OK)
		return r;
	if (c->m.building && b->mb->id == b->id && c->m.modseq == b->m.modseq &&
	    c->m.list_size == b->m.list_size)
		return STORE_OK;
	change_abort(c);
	b->lost = true;
	return STORE_CHANGED;
}

static enum store_result
end(struct build *b, struct change *c)
{
	enum store_result r = change_commit(c);

	b->m = c->m;
	return r;
}

/* Some files that are taken in at once.  They are looked at before the lock is
 * taken, by a second thread while those before them are written. */
struct portion {
	struct build *b;
	struct file *f;
	size_t n;
	enum file_there there[AT_ONCE];
	struct stat stat[AT_ONCE];
};

static bool
look_at(void *arg, unsigned hand, size_t i)
{
	struct portion *p = arg;

	(void)hand;
	p->there[i] = adopt_stat(&p->b->adopt, p->f[i].new ? NEW : CUR,
	    p->f[i].name, &p->stat[i]);
	return true;
}

/* Begin to look at what comes after that; false at the end. */
static bool
portion_start(struct portion *p, struct build *b, struct file *f)
{
	size_t left = (size_t)(b->file + b->n - f);

	p->b = b;
	p->f = f;
	p->n = left < AT_ONCE ? left : AT_ONCE;
	if (p->n > 0)
		crew_start(&b->crew, look_at, p, p->n);
	return p->n > 0;
}

static enum store_result
take_some(struct build *b, struct portion *p)
{
	struct change c;
	enum store_result r = begin(b, &c, p->n);

	if (r != STORE_OK)
		return r;
	c.coming = (size_t)(b->file + b->n - p->f);
	c.unnamed = true;
	bool batches = intent_any(c.t);
	for (size_t i = 0; i < p->n; i++) {
		struct file *f = &p->f[i];

		b->adopt.unsure = b->adopt.unsure ||
		    p->there[i] == FILE_UNSURE;
		/* A batch that is still coming brings its own. */
		bool take = p->there[i] == FILE_THERE && !(batches &&
		    intent_covers(c.t, b->mb->id, name_of(f)));
		f->uid = take ? adopt_new(&b->adopt, &c, f->new ? NEW : CUR,
		    name_of(f), &p->stat[i]) : 0;
	}
	return end(b, &c);
}

/* All from that one on. */
static enum store_result
take_files(struct build *b, struct file *f)
{
	struct portion *p = xmalloc(sizeof *p), *next = xmalloc(sizeof *next);
	enum store_result r = STORE_OK;

	crew_init(&b->crew);
	bool more = portion_start(p, b, f);

	while (more && r == STORE_OK) {
		struct portion *done = p;

		crew_finish(&b->crew);
		more = portion_start(next, b, p->f + p->n);
		r = take_some(b, p);
		p = next;
		next = done;
	}
	if (more)
		crew_stop(&b->crew);
	crew_free(&b->crew);
	free(p);
	free(next);
	return r;
}

/* Names are found by a hash.  All of them at the end, in its order, so that
 * each page of the index is written once. */
static enum store_result
put_names(struct build *b)
{
	struct named *v = xmalloc((b->n + 1) * sizeof *v);
	enum store_result r = STORE_OK;
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->file[i].uid != 0 && !(b->named && b->file[i].known))
			v[n++] = (struct named){ .hash = b->file[i].hash,
			    .full = full_hash(b->file[i].new ? NEW : CUR,
			    name_of(&b->file[i])), .uid = b->file[i].uid };
	qsort(v, n, sizeof *v, named_cmp);
	for (size_t i = 0; i < n && r == STORE_OK; ) {
		size_t some = n - i < NAMES_AT_ONCE ? n - i : NAMES_AT_ONCE;
		struct change c;

		if ((r = begin(b, &c, some)) == STORE_OK) {
			change_named(&c, v + i, some);
			r = end(b, &c);
		}
		i += some;
	}
	free(v);
	b->named = b->named || r == STORE_OK;
	return r;
}

/* Files whose base another one has. */
static enum store_result
take_odd(struct build *b)
{
	enum store_result r = STORE_OK;

	for (size_t i = 0; i < b->odds && r == STORE_OK; ) {
		size_t last = b->odds - i < ODD_AT_ONCE ? b->odds :
		    i + ODD_AT_ONCE;
		struct change c;

		if ((r = begin(b, &c, last - i)) != STORE_OK)
			break;
		for (; i < last; i++)
			adopt_entry(&b->adopt, &c, &b->odd[i]);
		r = end(b, &c);
	}
	return r;
}

static enum store_result
take_in(struct build *b)
{
	size_t i = 0;

	while (i < b->n && b->file[i].known)
		i++;
	enum store_result r = take_files(b, b->file + i);

	if (r == STORE_OK)
		r = put_names(b);
	return r == STORE_OK ? take_odd(b) : r;
}

/* --- what was missed --- */

/* The UIDs that the list gives to files which were not found. */
static void
not_found(struct build *b, struct txn *t, struct set *uids)
{
	const struct uidlist *l = b->adopt.list;
	struct bits present = { 0 };
	struct rec r;

	bits_load(&present, t, b->mb->id, PRESENT);
	for (size_t i = 0; i < l->n; i++) {
		const struct uidlist_msg *m = &l->msg[i];

		if (!m->gone && !bits_has(&present, m->uid) &&
		    !rec_get(t, b->mb->id, m->uid, &r) &&
		    adopt_listed(&b->adopt, m->hash, m->base) == m)
			set_add(uids, m->uid, m->uid);
	}
	bits_free(&present);
}

/* Whether no file of the list was missed, also of those that are to be
 * unlinked still: its message would be a new one. */
static bool
found_all(struct build *b)
{
	const struct uidlist *l = b->adopt.list;
	struct set uids = { 0 };
	struct txn t;

	for (size_t i = 0; i < l->n; i++)
		if (l->msg[i].gone && l->msg[i].inode != 0)
			return false;
	if (txn_read(b->mb->st, &t) != STORE_OK)
		return false;
	not_found(b, &t, &uids);
	bool all = uids.n == 0;
	txn_abort(&t);
	set_free(&uids);
	return all;
}

/* Until nothing is missed, or what is missed is really gone. */
static enum store_result
build(struct build *b)
{
	enum store_result r = STORE_OK;
	struct change c;
	bool sure = false;

	for (int pass = 0; pass < PASSES && !sure; pass++) {
		struct stat at[2];

		b->adopt.unsure = false;
		sure = dirs_at_rest(b->mb, at);
		if ((r = look(b)) != STORE_OK || (r = take_in(b)) != STORE_OK)
			return r;
		sure = !b->adopt.unsure &&
		    ((sure && dirs_unchanged(b->mb, at)) || found_all(b));
	}
	if (b->adopt.unlinked)
		for (int d = CUR; d <= NEW; d++)
			fsync(mailbox_sub(b->mb, d));
	if ((r = begin(b, &c, 0)) != STORE_OK)
		return r;
	if (!b->adopt.unsure)
		dirs_note(&b->dirs, &c);
	if (c.m.building == 2 && import_end(b->mb->dir) == -1) {
		r = store_fail(b->mb->st, "note what was taken over", errno);
		change_abort(&c);
		return r;
	}
	c.m.building = 0;
	c.m.first_recent = c.m.uidnext;
	return end(b, &c);
}

/* --- the whole --- */

/* What the uidlist says, and whether there is something to build. */
static enum store_result
prepare(struct build *b, struct uidlist *l, struct buf *text)
{
	struct mailbox *mb = b->mb;
	struct txn t;
	uint64_t inode;
	enum store_result r = list_read(mb, text, &inode);

	if (r == STORE_OK)
		r = txn_read(mb->st, &t);
	if (r != STORE_OK)
		return r;
	bool here = mb->generation == index_generation(mb->st) &&
	    meta_get(&t, mb->id, &b->m) && b->m.building;
	txn_abort(&t);
	b->id = mb->id;
	b->lost = !here;
	if (b->lost)
		return STORE_CHANGED;
	/* The rest is of a builder who died: it will be cut. */
	if (inode == b->m.list_ino && text->n > b->m.list_size)
		text->n = b->m.list_size;
	if (!uidlist_parse(buf_span(text), l))
		return STORE_INUSE;
	adopt_sort(l);
	b->adopt.list = l;
	for (int d = CUR; d <= NEW; d++) {
		b->dirs.known[d] = b->m.dir[d];
		b->dirs.read[d] = true;
	}
	return STORE_OK;
}

enum store_result
mailbox_build(struct mailbox *mb)
{
	struct build b = { .mb = mb, .adopt = { .mb = mb } };
	struct uidlist l = { 0 };
	struct buf text = { 0 };
	int lock = mailbox_sub(mb, CUR);

	/* Who comes meanwhile waits, and finds it done.  Where directories
	 * cannot be locked, who loses in begin() looks again. */
	while (lock != -1 && flock(lock, LOCK_EX) == -1 && errno == EINTR)
		;
	enum store_result r = prepare(&b, &l, &text);
	if (r == STORE_OK)
		r = build(&b);
	if (lock != -1)
		flock(lock, LOCK_UN);
	forget(&b);
	arena_free(&b.adopt.mem);
	uidlist_free(&l);
	buf_free(&text);
	/* Someone else was faster: the caller sees how far that is. */
	return b.lost ? STORE_OK : r;
}
