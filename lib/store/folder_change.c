/* SPDX-License-Identifier: ISC */
/* CREATE, DELETE and RENAME. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/bell.h"
#include "store/list.h"
#include "store/name.h"
#include "store/tree.h"
#include "store/urlkey.h"

/* Make the folder of a name and those above it that are not there.  Needs
 * the lock and folders_read; the caller syncs.  *made gets the directories,
 * each with a NUL behind it. */
static enum store_result
make_some(struct store *st, struct span name, struct buf *made)
{
	for (size_t i = 1; i <= name.n; i++) {
		struct span part = span_head(name, i);
		const struct folder *f;
		struct buf disk = { 0 };
		enum store_result r;

		if (i < name.n && name.p[i] != '\0')
			continue;
		f = folders_find(st, part);
		if (f != NULL && (f->exists || f->err != 0))
			continue;
		r = name_disk(part, &disk);
		if (r == STORE_OK && folders_reserved(buf_span(&disk)))
			r = i < name.n ? STORE_EXISTS : STORE_CANNOT;
		if (r == STORE_OK)
			r = tree_make(st, buf_cstr(&disk));
		if (r == STORE_OK && f == NULL)
			buf_add(made, (struct span){ disk.p, disk.n + 1 });
		buf_free(&disk);
		/* A parent that cannot be made need not be there. */
		if (r != STORE_OK && !(i < name.n && (r == STORE_EXISTS ||
		    r == STORE_CANNOT)))
			return r;
	}
	return STORE_OK;
}

static enum store_result
sync_tree(struct store *st)
{
	return fsync(st->dir) == 0 ? STORE_OK :
	    store_fail(st, "sync the Maildir", errno);
}

/* That, and durably; all or nothing. */
static enum store_result
make_with_parents(struct store *st, struct span name)
{
	struct buf made = { 0 };
	enum store_result r = make_some(st, name, &made);

	if (r == STORE_OK)
		r = sync_tree(st);
	while (r != STORE_OK && made.n > 0) {
		made.n--;
		size_t nul = span_rchr(buf_span(&made), '\0');
		size_t last = nul == made.n ? 0 : nul + 1;

		tree_unmake(st, made.p + last);
		made.n = last;
	}
	buf_free(&made);
	return r;
}

/* Whether a new folder can have that name: STORE_OK, STORE_EXISTS,
 * STORE_CANNOT, or why that cannot be told. */
static enum store_result
is_free(struct store *st, struct span name)
{
	const struct folder *f = folders_find(st, name);
	struct buf disk = { 0 };
	enum store_result r = STORE_OK;

	if (name_inbox(name) || (f != NULL && f->exists))
		return STORE_EXISTS;
	if (f != NULL && f->err != 0)
		return folders_fail(st, f->disk, f->err);
	r = name_disk(name, &disk);
	if (r == STORE_OK && folders_reserved(buf_span(&disk)))
		r = STORE_CANNOT;
	buf_free(&disk);
	return r;
}

enum store_result
store_create(struct store *st, struct span name)
{
	enum store_result r = tree_lock(st);

	if (r != STORE_OK)
		return r;
	r = folders_read(st);
	if (r == STORE_OK)
		r = is_free(st, name);
	if (r == STORE_OK)
		r = make_with_parents(st, name);
	if (folders_of(st)->debris)
		tree_sweep(st);
	tree_unlock(st);
	if (r == STORE_OK)
		bell_ring(st);
	return r;
}

/* Whether a folder that exists is below the name. */
static bool
has_below(struct store *st, struct span name)
{
	const struct folders *f = folders_of(st);
	bool yes = false;

	for (size_t i = folders_from(f, name); i < f->n && !yes; i++) {
		if (span_eq(f->f[i].name, name))
			continue;
		if (!name_below(f->f[i].name, name))
			break;
		yes = f->f[i].exists;
	}
	return yes;
}

static enum store_result
discard(struct store *st, struct span name)
{
	const struct folder *f = folders_find(st, name);
	struct buf disk = { 0 };
	enum store_result r;

	if (f != NULL && f->err != 0)
		return folders_fail(st, f->disk, f->err);
	if (f == NULL || !f->exists)
		return has_below(st, name) ? STORE_HASCHILDREN :
		    STORE_NONEXISTENT;
	if (folders_reserved(f->disk))
		return STORE_CANNOT;
	buf_add(&disk, f->disk);
	r = tree_discard(st, buf_cstr(&disk));
	buf_free(&disk);
	return r;
}

enum store_result
store_delete(struct store *st, struct span name)
{
	enum store_result r;
	uint8_t guid[16];

	if (name_inbox(name))
		return STORE_CANNOT;
	r = tree_lock(st);
	if (r != STORE_OK)
		return r;
	r = folders_read(st);
	bool signs = r == STORE_OK && urlkey_mark(st, name, guid);

	if (r == STORE_OK)
		r = discard(st, name);
	/* What it signed is gone with its name; this is for order. */
	if (r == STORE_OK && signs)
		urlkey_drop(st, guid);
	tree_unlock(st);
	if (r == STORE_OK)
		tree_sweep(st);
	return r;
}

/* Everything in INBOX goes to the new folder, which is there. */
static enum store_result
move_messages(struct store *st, struct span to)
{
	struct mailbox *from = NULL, *dst = NULL;
	struct copied done = { 0 };
	struct set all = { 0 };
	struct view *v = NULL;
	enum store_result r;

	set_add(&all, 1, UINT32_MAX);
	r = mailbox_open(st, SPAN("INBOX"), RIGHT_READ | RIGHT_WRITE, &from);
	if (r == STORE_OK)
		r = mailbox_open(st, to, RIGHT_READ | RIGHT_WRITE, &dst);
	if (r == STORE_OK)
		r = view_open(from, &v);
	if (r == STORE_OK)
		r = view_copy(v, &all, dst, true, &done);
	if (r == STORE_OK)
		(void)view_tidy(v, NULL, NULL);
	free(done.from);
	free(done.to);
	if (v != NULL)
		view_close(v);
	mailbox_close(dst);
	mailbox_close(from);
	set_free(&all);
	return r;
}

/* RFC 3501 6.3.5: INBOX stays, empty; its messages are in the new one. */
static enum store_result
rename_inbox(struct store *st, struct span to)
{
	struct buf disk = { 0 };
	bool left = false;
	enum store_result r = is_free(st, to);

	if (r == STORE_OK)
		r = name_disk(to, &disk);
	if (r == STORE_OK)
		r = tree_plan_inbox(st, buf_cstr(&disk));
	if (r != STORE_OK) {
		buf_free(&disk);
		return r;
	}
	r = make_with_parents(st, to);
	if (r == STORE_OK) {
		r = move_messages(st, to);
		/* It may have failed when the messages were there already. */
		left = r != STORE_OK && !tree_undo_inbox(st, buf_cstr(&disk));
	}
	/* One that stays finds nothing to do. */
	if (!left)
		(void)tree_forget(st);
	buf_free(&disk);
	return r;
}

/* The moves that a rename of that name and all below it takes, and the names
 * of before.  Directories get the canonical form. */
static enum store_result
collect(struct store *st, struct span from, struct span to,
    struct arena *mem, struct tree_move **moves, struct span **names,
    size_t *n)
{
	const struct folders *f = folders_of(st);
	struct buf name = { 0 }, disk = { 0 };
	enum store_result r = STORE_OK;
	size_t cap = 0, names_cap = 0;

	for (size_t i = folders_from(f, from); i < f->n; i++) {
		const struct folder *me = &f->f[i];
		bool same = span_eq(me->name, from);

		if (!same && !name_below(me->name, from))
			break;
		if (me->err != 0) {
			r = folders_fail(st, me->disk, me->err);
			break;
		}
		if (!me->exists)
			continue;
		buf_clear(&name);
		buf_clear(&disk);
		buf_add(&name, to);
		buf_add(&name, span_skip(me->name, from.n));
		r = folders_reserved(me->disk) ? STORE_CANNOT :
		    is_free(st, buf_span(&name));
		/* What has no canonical form keeps its octets. */
		if (r == STORE_CANNOT && !same && name_escaped(me->name) &&
		    !name_escaped(to) && name_raw(buf_span(&name), &disk))
			r = STORE_OK;
		else if (r == STORE_OK)
			r = name_disk(buf_span(&name), &disk);
		if (r != STORE_OK)
			break;
		*moves = arena_grow(mem, *moves, &cap, *n + 1,
		    sizeof(**moves));
		*names = arena_grow(mem, *names, &names_cap, *n + 1,
		    sizeof(**names));
		(*names)[*n] = arena_dup(mem, me->name);
		(*moves)[(*n)++] = (struct tree_move){
			arena_dup(mem, me->disk),
			arena_dup(mem, buf_span(&disk))
		};
	}
	buf_free(&name);
	buf_free(&disk);
	return r == STORE_OK && *n == 0 ? STORE_NONEXISTENT : r;
}

/* Numbers that came from another server do not go along to another name. */
static enum store_result
renumber(struct store *st, const struct span *name, size_t n)
{
	enum store_result r = STORE_OK;

	for (size_t i = 0; i < n && r == STORE_OK; i++) {
		struct mailbox *mb;

		r = mailbox_open(st, name[i], RIGHT_READ | RIGHT_WRITE, &mb);
		if (r != STORE_OK)
			break;
		r = list_renumber(mb);
		mailbox_close(mb);
	}
	return r;
}

static enum store_result
rename_tree(struct store *st, struct span from, struct span to)
{
	struct tree_move *moves = NULL;
	struct span *names = NULL;
	struct span above = name_parent(to);
	struct arena mem = { 0 };
	enum store_result r;
	size_t n = 0;

	if (name_below(to, from))
		r = STORE_CANNOT;
	else
		r = is_free(st, to);
	if (r == STORE_EXISTS || r == STORE_CANNOT) {
		bool none = folders_find(st, from) == NULL &&
		    !has_below(st, from);

		return none ? STORE_NONEXISTENT : r;
	}
	if (r == STORE_OK)
		r = collect(st, from, to, &mem, &moves, &names, &n);
	if (r == STORE_OK)
		r = renumber(st, names, n);
	if (r == STORE_OK && above.n > 0)
		r = make_with_parents(st, above);
	if (r == STORE_OK)
		r = tree_move(st, moves, n);
	arena_free(&mem);
	return r;
}

enum store_result
store_rename(struct store *st, struct span from, struct span to)
{
	enum store_result r = tree_lock(st);

	if (r != STORE_OK)
		return r;
	r = folders_read(st);
	if (r == STORE_OK)
		r = name_inbox(from) ? rename_inbox(st, to) :
		    rename_tree(st, from, to);
	tree_unlock(st);
	if (r == STORE_OK)
		bell_ring(st);
	return r;
}
