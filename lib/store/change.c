/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "store/attach.h"
#include "store/bell.h"
#include "store/keyword.h"
#include "store/list.h"
#include "store/scan.h"

/* Numbers are reserved in the uidlist in steps of these. */
enum { UID_STEP = 1000, MODSEQ_STEP = 1000000 };

enum store_result
change_begin(struct change *c, struct mailbox *mb, size_t need, bool reserve)
{
	for (int try = 0; try < 3; try++) {
		enum store_result r = attach_begin(c, mb, need, reserve);

		if (r != STORE_OK || !c->m.building)
			return r;
		/* What it begins with stays, so that others can help. */
		if ((r = change_commit(c)) != STORE_OK ||
		    (r = scan_build(mb)) != STORE_OK)
			return r;
	}
	store_fail(mb->st, "the mailbox does not become ready", 0);
	return STORE_INUSE;
}

enum store_result
change_join(struct change *c, struct change *first, struct mailbox *mb)
{
	*c = (struct change){ .mb = mb, .t = first->t,
		.no = { UINT32_MAX, UINT32_MAX, UINT32_MAX } };
	if (mb->generation != index_generation(mb->st) ||
	    !meta_get(c->t, mb->id, &c->m) || c->m.building)
		return STORE_CHANGED;
	return STORE_OK;
}

/* The lines of one mailbox, and its records. */
static enum store_result
put_all(struct change *c)
{
	enum store_result r = c->lines.n > 0 ? list_append(c) : STORE_OK;

	if (r == STORE_FULL && c->spare_list)
		r = STORE_OK;
	if (r == STORE_OK)
		r = change_flush(c);
	return r;
}

enum store_result
change_commit2(struct change *c, struct change *second)
{
	enum store_result r = put_all(c);

	if (r == STORE_OK && second != NULL)
		r = put_all(second);
	if (r != STORE_OK) {
		if (second != NULL)
			change_abort(second);
		change_abort(c);
		return r;
	}
	r = txn_commit(c->t);
	c->t = NULL;
	if (r != STORE_OK)
		names_free(c->mb);
	if (r == STORE_OK && c->sync_list && c->lines.n > 0)
		r = list_sync(c->mb);
	buf_free(&c->lines);
	if (second != NULL) {
		if (r != STORE_OK)
			names_free(second->mb);
		else if (second->sync_list && second->lines.n > 0)
			r = list_sync(second->mb);
		buf_free(&second->lines);
		second->t = NULL;
	}
	if (c->modseq != 0 || (second != NULL && second->modseq != 0))
		bell_ring(c->mb->st);
	return r;
}

enum store_result
change_commit(struct change *c)
{
	return change_commit2(c, NULL);
}

void
change_abort(struct change *c)
{
	buf_free(&c->lines);
	if (c->t == NULL)
		return;
	/* Perhaps names, or a number of the mailbox, that now never were. */
	names_free(c->mb);
	c->mb->generation = 0;
	if (c->t == &c->own)
		txn_abort(c->t);
	c->t = NULL;
}

uint64_t
change_modseq(struct change *c)
{
	if (c->modseq != 0)
		return c->modseq;
	c->modseq = ++c->m.modseq;
	if (c->m.modseq >= c->m.modseq_limit) {
		c->m.modseq_limit = c->m.modseq + MODSEQ_STEP;
		uidlist_modseq(&c->lines, c->m.modseq_limit);
		c->reserved = true;
	}
	return c->modseq;
}

uint32_t
change_uid(struct change *c, uint32_t want)
{
	uint32_t uid = want != 0 ? want : c->m.uidnext;

	if (uid >= UINT32_MAX - 1)
		return 0;
	if (uid >= c->m.uidnext)
		c->m.uidnext = uid + 1;
	if (c->m.uidnext > c->m.uid_limit) {
		c->m.uid_limit = c->m.uidnext > UINT32_MAX - UID_STEP ?
		    UINT32_MAX : c->m.uidnext + UID_STEP;
		uidlist_uidnext(&c->lines, c->m.uid_limit);
		c->reserved = true;
	}
	return uid;
}

bool
dir_is(const struct dirstate *d, const struct stat *s)
{
	return d->sec == s->st_mtim.tv_sec &&
	    d->nsec == (uint32_t)s->st_mtim.tv_nsec;
}

void
change_dir_before(struct change *c, int dir)
{
	struct stat s;
	int fd = mailbox_sub(c->mb, dir);

	c->was_known[dir] = fd != -1 && fstat(fd, &s) == 0 &&
	    dir_is(&c->m.dir[dir], &s);
}

void
change_dir_after(struct change *c, int dir)
{
	struct dirstate *d = &c->m.dir[dir];
	struct stat s;

	if (c->was_known[dir] && fstat(mailbox_sub(c->mb, dir), &s) == 0) {
		d->sec = s.st_mtim.tv_sec;
		d->nsec = (uint32_t)s.st_mtim.tv_nsec;
		d->dirty = 1;
	}
}
