/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "store/attach.h"
#include "store/list.h"
#include "store/reap.h"
#include "store/rename.h"
#include "store/scan.h"
#include "store/uidlist.h"
#include "store/view_internal.h"

enum { AT_ONCE = 4000, NEED = 1024 };

/* The UIDs of the view that have \Deleted now. */
static enum store_result
find_deleted(struct view *v, const struct set *uids, struct set *found)
{
	struct bits deleted = { 0 };
	struct txn t;
	struct meta m;
	enum store_result r = mailbox_read(v->mb, &t, &m);

	if (r != STORE_OK)
		return r;
	bits_load(&deleted, &t, v->mb->id, DELETED);
	if (deleted.total != m.deleted)
		txn_damaged(&t);
	r = txn_result(&t);
	txn_abort(&t);
	if (r != STORE_OK) {
		bits_free(&deleted);
		return r;
	}
	for (uint32_t uid = bits_next(&deleted, 1); uid != 0;
	    uid = bits_next(&deleted, uid + 1))
		if (bits_has(&v->present, uid) &&
		    (uids == NULL || set_has(uids, uid)))
			set_add(found, uid, uid);
	bits_free(&deleted);
	return STORE_OK;
}

/* The file that is there now is the one to unlink: it may have been put back
 * from a backup, under its name but with another inode. */
static void
know_inode(struct change *c, uint32_t uid, struct rec *r)
{
	struct span name;
	struct stat s;
	char path[256];
	int dir;

	if (!name_must(c->t, c->mb->id, uid, &dir, &name) ||
	    name.n >= sizeof path)
		return;
	memcpy(path, name.p, name.n);
	path[name.n] = '\0';
	if (fstatat(mailbox_sub(c->mb, dir), path, &s,
	    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode))
		r->inode = s.st_ino;
}

static enum store_result
expunge_some(struct view *v, const struct set *uids, uint32_t *uid,
    uint64_t *modseq)
{
	struct uidlist_gone *gone;
	struct change c;
	size_t n = 0;
	enum store_result r = change_begin(&c, v->mb, AT_ONCE * NEED, true);

	if (r != STORE_OK)
		return r;
	gone = xcalloc(AT_ONCE, sizeof *gone);
	for (; *uid != 0 && n < AT_ONCE && !change_is_long(&c, n);
	    *uid = set_next(uids, *uid + 1)) {
		struct rec rec;

		if (!rec_alive(c.t, v->mb->id, *uid, &rec) ||
		    !(rec.flags & MSG_DELETED))
			continue;
		know_inode(&c, *uid, &rec);
		gone[n++] = (struct uidlist_gone){ *uid, rec.inode };
		change_gone(&c, *uid, &rec, true);
	}
	/* Without the index a file that is still there is known by this to
	 * be dead.  On a full disk the index alone must do. */
	uidlist_forget(&c.lines, gone, n);
	c.spare_list = true;
	c.m.list_dead += 2 * c.lines.n + n * 80;
	free(gone);
	if (c.modseq != 0)
		*modseq = c.modseq;
	return change_commit(&c);
}

enum store_result
view_expunge(struct view *v, const struct set *uids, uint64_t *modseq)
{
	struct set found = { 0 };
	enum store_result r;

	*modseq = v->modseq;
	if (!(v->mb->rights & RIGHT_WRITE))
		return STORE_DENIED;
	r = find_deleted(v, uids, &found);
	if (index_again(v->mb->st, r))
		r = find_deleted(v, uids, &found);
	for (uint32_t uid = set_next(&found, 1); uid != 0 && r == STORE_OK; ) {
		uint32_t from = uid;

		v->behind = true;
		r = expunge_some(v, &found, &uid, modseq);
		if (index_again(v->mb->st, r)) {
			uid = from;
			r = expunge_some(v, &found, &uid, modseq);
		}
	}
	if (r == STORE_OK && set_count(&found) > 0) {
		r = list_sync(v->mb);
		if (r == STORE_FULL)
			r = STORE_OK;
	}
	set_free(&found);
	return r;
}

/* Others may have left files behind that are to be unlinked or renamed. */
static enum store_result
find_behind(struct view *v)
{
	struct meta m;
	enum store_result r = mailbox_meta(v->mb, &m);

	if (r == STORE_OK)
		v->behind = m.pending > 0 || m.late > 0;
	return r;
}

bool
view_is_behind(const struct view *v)
{
	return v->behind;
}

/* Whether there is time for more is asked once and for all. */
struct ask {
	store_go *go;
	void *arg;
	bool stopped;
};

static bool
may_go(void *arg)
{
	struct ask *a = arg;

	if (a->go != NULL && !a->stopped)
		a->stopped = !a->go(a->arg);
	return !a->stopped;
}

enum store_result
view_tidy(struct view *v, store_go *go, void *arg)
{
	struct ask a = { .go = go, .arg = arg };
	enum store_result r = mailbox_rename(v->mb, may_go, &a);

	enum store_result too = mailbox_reap(v->mb, may_go, &a);
	v->behind = a.stopped;
	return r != STORE_OK ? r : too;
}

enum store_result
view_settle(struct view *v)
{
	struct mailbox *mb = v->mb;
	enum store_result r = STORE_OK;
	bool found;

	if (mb->rights & RIGHT_WRITE) {
		r = mailbox_take_new(mb, v->uidnext);
		mailbox_sweep(mb);
	}
	if (r == STORE_OK)
		r = mailbox_look(mb, LOOK_FULL, &found);
	if (r == STORE_OK && (mb->rights & RIGHT_WRITE))
		r = find_behind(v);
	store_purge(mb->st);
	return r;
}

enum store_result
view_rescan(struct view *v)
{
	struct mailbox *mb = v->mb;
	bool found;
	enum store_result r = mailbox_look(mb, LOOK_FULL, &found);

	if (r == STORE_OK && (mb->rights & RIGHT_WRITE))
		r = find_behind(v);
	return r;
}
