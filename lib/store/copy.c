/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "store/attach.h"
#include "store/filename.h"
#include "store/intent.h"
#include "store/keyword.h"
#include "store/letters.h"
#include "store/list.h"
#include "store/place.h"
#include "store/scan.h"
#include "store/uidlist.h"
#include "store/view_internal.h"

enum {
	NEED = 3072,
	MOVED_AT_ONCE = 1000	/* so that the lock is short */
};

/*
 * Copies are hard links under names of a new batch in cur/ of the other
 * mailbox, so the source is not touched until the commit; MOVE is a copy
 * whose sources get their tombstones in the same transaction, and are
 * unlinked afterwards like what was expunged.  COPY is all or nothing; a
 * MOVE of many may be done in part (RFC 6851 3.3), one batch after another:
 * the commit that ends one begins the next.
 */
struct one {
	uint32_t uid, to;
	uint32_t flags;
	uint64_t inode;
	bool known;		/* somebody took it in before us */
	bool left_out;
	bool linked;		/* not copied: it is the same inode */
	const char *name;	/* in the other mailbox; NULL: no file */
};

struct copying {
	struct view *v;
	struct mailbox *to;
	bool move;
	struct batch batch;	/* the one at hand, guarded by the intent */
	struct intent intent;
	struct mailbox *unsynced;	/* whose list tells what has gone */

	/* of the batch at hand */
	struct one *m;
	size_t n, coming;	/* coming: in later batches */
	struct arena mem;
	struct buf base, full;	/* of the name at hand */
	struct buf lines;	/* of the copies, behind all else that is said:
				   where they all are, all is */
	struct named *named;	/* by hash; uid is the place in m */
	struct uidlist_gone *gone;	/* of the source */
	size_t gones;
	struct moved moved;
	bool alone;		/* one message, linked with the lock held */
	bool committed, lost;
};

/* --- the files --- */

/* Where there can be no second link, the octets are copied. */
static int
copy_octets(struct copying *c, int from, struct one *o)
{
	char tmp[256], *block;
	struct stat s;
	struct timespec t[2];
	ssize_t n = -1;
	int64_t at = 0;
	int fd = tmp_open(c->to, tmp);

	if (fd == -1)
		return -1;
	block = xmalloc(65536);
	while ((n = file_pread(from, block, 65536, at)) > 0 &&
	    file_write(fd, (struct span){ block, (size_t)n }) == 0)
		at += n;
	free(block);
	if (n == 0 && fstat(fd, &s) == 0)
		o->inode = s.st_ino;
	if (n == 0 && fstat(from, &s) == 0) {
		t[0] = t[1] = s.st_mtim;
		n = futimens(fd, t) == 0 && fsync(fd) == 0 &&
		    file_move(mailbox_sub(c->to, TMP), tmp,
		    mailbox_sub(c->to, CUR), o->name) == 0 ? 0 : -1;
	} else
		n = -1;
	int e = errno;
	if (n != 0)
		unlinkat(mailbox_sub(c->to, TMP), tmp, 0);
	close(fd);
	errno = e;
	return (int)n;
}

static void
name_copy(struct copying *c, struct one *o, struct span old, uint32_t flags)
{
	uint64_t size = 0, wire = 0;

	buf_clear(&c->base);
	buf_clear(&c->full);
	if (!filename_size(old, &size) || !filename_wire(old, &wire))
		wire = 0;
	batch_name(&c->batch, size, wire, &c->base);
	letters_name(&c->full, buf_span(&c->base), SPAN(""), flags);
	o->name = arena_cstr(&c->mem, buf_span(&c->full));
	o->flags = flags;
	c->named[o - c->m] = (struct named){ .uid = (uint32_t)(o - c->m),
		.hash = letters_hash(buf_span(&c->base)),
		.full = full_hash(CUR, buf_span(&c->full)) };
}

/* Link one by where the index says that it is; ENOENT: not there. */
static int
link_one(struct copying *c, struct txn *t, struct one *o)
{
	struct mailbox *from = c->v->mb;
	struct span name;
	struct rec r;
	char path[256];
	int dir;

	if (!rec_alive(t, from->id, o->uid, &r) ||
	    !name_must(t, from->id, o->uid, &dir, &name) ||
	    name.n >= sizeof path) {
		o->left_out = true;
		return 0;
	}
	memcpy(path, name.p, name.n);
	path[name.n] = '\0';
	name_copy(c, o, name, r.flags & REC_FLAGS);
	o->inode = r.inode;
	int a = mailbox_sub(from, dir), b = mailbox_sub(c->to, CUR);
	if (linkat(a, path, b, o->name, 0) == 0) {
		struct stat s;

		if (!c->move)
			return 0;
		/* Renamed already: the next look at the folder sees to what. */
		o->linked = fstatat(b, o->name, &s, AT_SYMLINK_NOFOLLOW) == 0;
		if (o->linked)
			o->inode = s.st_ino;
		else if (errno != ENOENT)
			return -1;
		return 0;
	}
	if (c->alone || (errno != EMLINK && errno != EXDEV &&
	    errno != EPERM && errno != EOPNOTSUPP))
		return -1;
	int fd = openat(a, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1)
		return -1;
	int e = copy_octets(c, fd, o);
	close(fd);
	return e;
}

/* What is not where the index says is looked for, once or twice. */
static enum store_result
link_all(struct copying *c)
{
	struct store *st = c->to->st;
	size_t i = 0;

	for (int try = 0; i < c->n; try++) {
		struct txn t;
		struct meta m;
		bool found;
		enum store_result r = mailbox_read(c->v->mb, &t, &m);

		if (r != STORE_OK)
			return r;
		int e = 0;
		while (i < c->n && (e = link_one(c, &t, &c->m[i])) == 0)
			i++;
		int err = errno;
		r = txn_result(&t);
		txn_abort(&t);
		if (r != STORE_OK)
			return r;
		if (e == 0)
			break;
		c->m[i].name = NULL;
		if (err != ENOENT)
			return store_fail(st, "link a message", err);
		r = mailbox_look(c->v->mb, LOOK_MISSED, &found);
		if (r != STORE_OK)
			return r;
		if (try >= 3)	/* gone, or on its way out */
			c->m[i++].left_out = true;
	}
	return fsync(mailbox_sub(c->to, CUR)) == 0 ? STORE_OK :
	    store_fail(st, "sync the folder", errno);
}

/* One file is whole by itself: linked with the lock held, nobody can take it
 * in before its record is there, and so it needs no intent.  But after a crash
 * it would be found without its keywords.  What has some, or cannot be linked
 * where the index says that it is, goes the long way. */
static enum store_result
link_alone(struct copying *c, struct change *to)
{
	struct one *o = c->m;
	struct rec r;

	change_dir_before(to, CUR);
	if (rec_alive(to->t, c->v->mb->id, o->uid, &r) && r.set == 0 &&
	    link_one(c, to->t, o) == 0) {
		to->entries[CUR] = 1;
		change_dir_after(to, CUR);
		/* The index is not to know of what loss of power takes. */
		return fsync(mailbox_sub(c->to, CUR)) == 0 ? STORE_OK :
		    store_fail(c->to->st, "sync the folder", errno);
	}
	if (o->name != NULL)
		unlinkat(mailbox_sub(c->to, CUR), o->name, 0);
	o->name = NULL;
	c->alone = false;
	return STORE_CANNOT;
}

static void
unlink_all(struct copying *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->m[i].name != NULL)
			unlinkat(mailbox_sub(c->to, CUR), c->m[i].name, 0);
}

/* --- the records --- */

struct mapping {
	const struct span *name;	/* the source's keywords, a copy */
	struct arena mem;
	uint32_t *number;	/* there; UINT32_MAX: not asked yet */
	struct set *has;	/* by the source's number */
	size_t n;
};

/* The names are copied: the other mailbox may be the same one. */
static void
map_start(struct mapping *map, struct mailbox *mb, struct txn *t,
    const struct meta *m)
{
	struct span *name;

	names_load(mb, t, m);
	map->n = mb->names->n;
	name = arena_alloc(&map->mem, (map->n + 1) * sizeof *name);
	map->number = arena_alloc(&map->mem,
	    (map->n + 1) * sizeof *map->number);
	map->has = arena_zero(&map->mem, (map->n + 1) * sizeof *map->has);
	for (size_t i = 0; i < map->n; i++) {
		name[i] = arena_dup(&map->mem, mb->names->name[i]);
		map->number[i] = UINT32_MAX;
	}
	map->name = name;
}

/* The same set of keywords in the other mailbox; they may be too many. */
static bool
map_set(struct mapping *map, struct mailbox *from, struct change *to,
    uint32_t set, uint32_t uid, uint32_t *made)
{
	size_t n;
	const uint32_t *k = set_keywords(from, to->t, set, &n);
	uint32_t *all = xcalloc(n + 1, sizeof *all);
	size_t have = 0;

	for (size_t i = 0; i < n && k[i] < map->n; i++) {
		uint32_t *number = &map->number[k[i]];

		if (*number == UINT32_MAX) {
			int32_t x = keyword_make(to, map->name[k[i]]);

			if (x < 0) {
				free(all);
				return false;
			}
			*number = (uint32_t)x;
		}
		all[have++] = *number;
		set_add(&map->has[k[i]], uid, uid);
	}
	*made = set_with(to, 0, all, have, true);
	free(all);
	return true;
}

static void
map_end(struct mapping *map, struct change *to)
{
	for (size_t i = 0; i < map->n; i++) {
		if (map->has[i].n > 0) {
			uidlist_flag(&to->lines, true, map->number[i],
			    &map->has[i]);
			to->sync_list = true;
		}
		set_free(&map->has[i]);
	}
	arena_free(&map->mem);
}

/* Our intent was lost with the index: whether somebody took the copy in as a
 * message meanwhile, which is then only given its keywords.  *r: why not
 * go on, perhaps because someone else took us for dead and removed it. */
static bool
record_known(struct copying *c, struct mapping *map, struct change *to,
    struct one *o, uint32_t set, enum store_result *r)
{
	struct rec rec;

	if ((o->to = place_known(to, span_str(o->name))) == 0) {
		if (faccessat(mailbox_sub(c->to, CUR), o->name, F_OK,
		    AT_SYMLINK_NOFOLLOW) == -1)
			*r = STORE_INUSE;
		return false;
	}
	o->known = true;
	if (set != 0 && rec_alive(to->t, to->mb->id, o->to, &rec)) {
		if (map_set(map, c->v->mb, to, set, o->to, &set))
			change_flags(to, o->to, &rec, rec.flags, set);
		else
			*r = STORE_LIMIT;
	}
	return true;
}

/* A record of the copy. */
static enum store_result
record_new(struct copying *c, struct mapping *map, struct change *to,
    struct one *o, const struct rec *old)
{
	struct span name = span_str(o->name);
	struct rec r = *old;

	r.flags = o->flags;
	r.inode = o->inode;
	r.savedate = (int64_t)batch_seconds(name);
	r.set = 0;
	if ((o->to = change_uid(to, 0)) == 0 || (old->set != 0 &&
	    !map_set(map, c->v->mb, to, old->set, o->to, &r.set)))
		return STORE_LIMIT;
	uidlist_message(&c->lines, o->to, filename_base(name));
	object_hold(to->t, r.object);
	change_add(to, o->to, &r, CUR, name);
	return STORE_OK;
}

static enum store_result
record_one(struct copying *c, struct mapping *map, struct change *to,
    struct change *from, struct one *o)
{
	struct mailbox *src = c->v->mb;
	enum store_result r = STORE_OK;
	struct rec old;

	/* Expunged meanwhile: then it is not copied either.  If another
	 * program has renamed the file, who undoes the intent finds it. */
	if (!rec_alive(to->t, src->id, o->uid, &old)) {
		o->left_out = true;
		return unlinkat(mailbox_sub(c->to, CUR), o->name, 0) == 0 ?
		    STORE_OK : STORE_EXPUNGED;
	}
	if (!(c->lost && record_known(c, map, to, o, old.set, &r)) &&
	    r == STORE_OK)
		r = record_new(c, map, to, o, &old);
	if (r != STORE_OK)
		return r;
	if (c->move) {
		/* It may have been put back, with another inode than is
		 * known. */
		if (o->linked)
			old.inode = o->inode;
		c->gone[c->gones++] = (struct uidlist_gone){ o->uid,
			old.inode };
		from->m.list_dead += 100;
		change_gone(from, o->uid, &old, true);
		c->v->behind = true;
	}
	return STORE_OK;
}

/* The hashes of the names, in their order, with the UIDs that they have by
 * now. */
static void
record_names(struct copying *c, struct change *to)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct one *o = &c->m[c->named[i].uid];

		if (o->left_out || o->known)
			continue;
		c->named[n] = c->named[i];
		c->named[n++].uid = o->to;
	}
	change_named(to, c->named, n);
}

static enum store_result
record_all(struct copying *c, struct copied *done)
{
	struct mapping map = { 0 };
	struct change to, other, *from = &other;
	struct meta m;
	enum store_result r = change_begin(&to, c->to,
	    c->n * NEED + (1 << 20), false);
	bool same = c->v->mb->ino == c->to->ino &&
	    c->v->mb->dev == c->to->dev;

	if (r != STORE_OK)
		return r;
	if (same) {
		/* One mailbox, perhaps by two handles: one change. */
		from = &to;
		c->v->mb->id = to.mb->id;
		c->v->mb->generation = to.mb->generation;
		m = to.m;
	} else {
		r = change_join(&other, &to, c->v->mb) == STORE_OK ?
		    STORE_OK : STORE_INUSE;
		m = other.m;
	}
	if (r == STORE_OK && c->alone)
		r = link_alone(c, &to);
	if (r == STORE_OK) {
		map_start(&map, c->v->mb, to.t, &m);
		if (!c->alone)
			moved_note(&c->moved, &to, CUR);
		to.unnamed = true;
		c->gones = 0;
		buf_clear(&c->lines);
		c->lost = intent_lost(&c->intent, to.t);
		to.coming = c->n + c->coming;
		for (size_t i = 0; i < c->n && r == STORE_OK; i++)
			if (!c->m[i].left_out)
				r = record_one(c, &map, &to, from, &c->m[i]);
		to.unnamed = false;
		record_names(c, &to);
		map_end(&map, &to);
		buf_add(&to.lines, buf_span(&c->lines));
		uidlist_forget(&from->lines, c->gone, c->gones);
		if (c->gones > 0)
			c->unsynced = from->mb;
	}
	if (r != STORE_OK) {
		if (!same)
			change_abort(&other);
		change_abort(&to);
		return r;
	}
	done->uidvalidity = to.m.uidvalidity;
	done->modseq = c->move ? from->modseq : 0;
	bool go_on = c->coming > 0 && !c->lost;
	struct batch next = { 0 };
	if (go_on) {
		batch_start(&next);
		intent_next(&c->intent, to.t, &next);
	} else
		intent_done(&c->intent, to.t);
	r = change_commit2(&to, c->move && !same ? &other : NULL);
	c->committed = to.committed;
	if (r == STORE_OK && go_on)
		c->batch = next;
	else if (r == STORE_OK)
		intent_end(&c->intent);
	return r;
}

static void
take_back(struct copying *c)
{
	uint32_t *uid = arena_alloc(&c->mem, c->n * sizeof *uid);
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (!c->m[i].left_out)
			uid[n++] = c->m[i].to;
	place_withdraw(c->to, uid, n);
}

/* The source may be unknown to an index that was made anew. */
static enum store_result
record(struct copying *c, struct copied *done)
{
	enum store_result r = record_all(c, done);
	struct meta m;

	for (int try = 0; r == STORE_INUSE && try < 3 &&
	    mailbox_meta(c->v->mb, &m) == STORE_OK &&
	    !(c->alone && c->m->name != NULL); try++)
		r = record_all(c, done);
	return r;
}

/* The files, then the records.  Who looks at the folder between the link and
 * the commit would take a file for a new message, and it would have two
 * UIDs. */
static enum store_result
transfer_guarded(struct copying *c, struct copied *done)
{
	int cur = mailbox_sub(c->to, CUR);
	enum store_result r = STORE_OK;

	if (c->intent.token == 0)
		r = intent_begin(&c->intent, c->to, c->move ? c->v->mb : NULL,
		    &c->batch);
	if (r == STORE_OK) {
		moved_before(&c->moved, cur);
		r = link_all(c);
		moved_after(&c->moved, cur);
	}
	if (r == STORE_OK) {
		qsort(c->named, c->n, sizeof *c->named, named_cmp);
		r = record(c, done);
	}
	return r;
}

/* One batch. */
static enum store_result
transfer(struct copying *c, struct copied *done)
{
	enum store_result r = STORE_OK;

	if (c->intent.token == 0)
		batch_start(&c->batch);
	c->alone = c->n == 1 && !c->move;
	if (c->alone)
		r = record(c, done);
	if (!c->alone)
		r = transfer_guarded(c, done);
	/* After the commit nothing is taken back of what was moved: these are
	 * the only files. */
	if (r != STORE_OK && !c->committed)
		unlink_all(c);
	else if (r != STORE_OK && !c->move)
		take_back(c);
	return r;
}

static enum store_result
transfer_some(struct copying *c, struct one *m, size_t n, size_t coming,
    struct copied *done)
{
	c->m = m;
	c->n = n;
	c->coming = coming;
	c->committed = c->lost = false;
	/* What was left out has no name: it sorts somewhere. */
	c->named = arena_zero(&c->mem, n * sizeof *c->named);
	for (size_t i = 0; i < n; i++)
		c->named[i].uid = (uint32_t)i;
	c->gone = arena_alloc(&c->mem, (c->move ? n : 1) * sizeof *c->gone);
	enum store_result r = transfer(c, done);
	for (size_t i = 0; r == STORE_OK && i < n; i++)
		if (!m[i].left_out) {
			done->from[done->n] = m[i].uid;
			done->to[done->n++] = m[i].to;
		}
	arena_reset(&c->mem);
	return r;
}

static enum store_result
copy_now(struct view *v, const struct set *uids, struct mailbox *to,
    bool move, struct copied *done)
{
	struct copying c = { .v = v, .to = to, .move = move,
		.intent = { .fd = -1 } };
	struct one *m = NULL;
	enum store_result r = STORE_OK, too = STORE_OK;
	size_t n = 0, cap = 0, some;

	*done = (struct copied){ 0 };
	if (!(to->rights & RIGHT_WRITE) ||
	    (move && !(v->mb->rights & RIGHT_WRITE)))
		return STORE_DENIED;
	if (to->st != v->mb->st)
		return STORE_CANNOT;
	for (uint32_t uid = view_next(v, uids, 1); uid != 0;
	    uid = view_next(v, uids, uid + 1)) {
		if (n == cap) {
			cap = cap * 2 + 16;
			m = xrealloc(m, cap * sizeof *m);
		}
		m[n++] = (struct one){ .uid = uid };
	}
	if (n > 0 && mailbox_sub(to, CUR) == -1)
		r = mailbox_fail(to, "open the folder", errno);
	done->from = xcalloc(n + 1, sizeof *done->from);
	done->to = xcalloc(n + 1, sizeof *done->to);
	for (size_t i = 0; i < n && r == STORE_OK; i += some) {
		some = move && n - i > MOVED_AT_ONCE ? MOVED_AT_ONCE : n - i;
		r = transfer_some(&c, m + i, some, n - i - some, done);
	}
	/* Also where only some could be moved. */
	if (c.unsynced != NULL)
		too = list_sync(c.unsynced);
	intent_end(&c.intent);
	buf_free(&c.base);
	buf_free(&c.full);
	buf_free(&c.lines);
	arena_free(&c.mem);
	free(m);
	return r == STORE_OK ? too : r;
}

enum store_result
view_copy(struct view *v, const struct set *uids, struct mailbox *to,
    bool move, struct copied *done)
{
	enum store_result r = copy_now(v, uids, to, move, done);

	/* The index was damaged, and nothing is done yet. */
	if (index_again(v->mb->st, r) && done->n == 0) {
		free(done->from);
		free(done->to);
		r = copy_now(v, uids, to, move, done);
	}
	return r;
}
