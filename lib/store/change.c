/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "store/attach.h"
#include "store/bell.h"
#include "store/build.h"
#include "store/keyword.h"
#include "store/list.h"
#include "store/witness.h"

/* Numbers are reserved in the uidlist in steps of these. */
enum { UID_STEP = 1000, MODSEQ_STEP = 1000000 };

enum { HOLD_MS = 4 };		/* of the 10 that the lock may be held */

enum store_result
change_begin(struct change *c, struct mailbox *mb, size_t need, bool reserve)
{
	for (int try = 0; try < 3; try++) {
		enum store_result r = attach_begin(c, mb, need, reserve);

		c->uid_limit = c->m.uid_limit;
		c->modseq_limit = c->m.modseq_limit;
		if (r != STORE_OK || !c->m.building)
			return r;
		/* What it begins with stays, so that others can help. */
		if ((r = change_commit(c)) != STORE_OK ||
		    (r = mailbox_build(mb)) != STORE_OK)
			return r;
	}
	store_fail(mb->st, "the mailbox does not become ready", 0);
	return STORE_INUSE;
}

enum store_result
change_join(struct change *c, struct change *first, struct mailbox *mb)
{
	*c = (struct change){ .mb = mb, .t = first->t,
		.no = { UINT32_MAX, UINT32_MAX, UINT32_MAX,
		    UINT32_MAX } };
	enum store_result r = attach_join(c);

	c->uid_limit = c->m.uid_limit;
	c->modseq_limit = c->m.modseq_limit;
	return r;
}

/* The lines of one mailbox, and its records. */
static enum store_result
put_all(struct change *c)
{
	enum store_result r = c->lines.n > 0 ? list_append(c) : STORE_OK;

	if (r == STORE_FULL && c->spare_list) {
		/* What could not be reserved durably the next one has to. */
		c->m.uid_limit = c->uid_limit;
		c->m.modseq_limit = c->modseq_limit;
		r = STORE_OK;
	}
	if (r == STORE_OK)
		r = change_flush(c);
	return r;
}

/* What never was: names, and perhaps the number of the mailbox. */
static void
forget(struct mailbox *mb)
{
	names_free(mb);
	mb->generation = 0;
}

bool
change_is_long(const struct change *c, size_t done)
{
	return done > 0 && clock_ms() - c->began >= HOLD_MS;
}

/* A list that was written anew with what never was is written once more. */
static void
list_again(struct mailbox *mb)
{
	struct change c;

	if (attach_begin(&c, mb, 0, true) != STORE_OK)
		return;
	c.list_anew = false;
	change_commit(&c);
}

/* Lines that were written for a commit that failed go before the lock does:
 * the next writer would cut them, but if the index is made anew before, they
 * would count, and a MOVE that was refused would lose its messages. */
static enum store_result
give_up(struct change *c, struct change *second, enum store_result r)
{
	list_take_back(c);
	if (second != NULL) {
		list_take_back(second);
		change_abort(second);
		forget(second->mb);
	}
	change_abort(c);
	forget(c->mb);
	if (c->list_anew)
		list_again(c->mb);
	if (second != NULL && second->list_anew)
		list_again(second->mb);
	return r;
}

/* Make the lines durable; all that a commit leaves to do. */
static enum store_result
finish(struct change *c)
{
	enum store_result r = c->sync_list && c->lines.n > 0 ?
	    list_sync(c->mb) : STORE_OK;

	c->committed = true;
	c->t = NULL;
	buf_free(&c->lines);
	return r;
}

enum store_result
change_commit2(struct change *c, struct change *second)
{
	enum store_result r = put_all(c), too = STORE_OK;

	if (r == STORE_OK && second != NULL)
		r = put_all(second);
	if (r == STORE_OK)
		r = txn_commit_held(c->t);
	if (r != STORE_OK)
		return give_up(c, second, r);
	r = finish(c);
	if (second != NULL)
		too = finish(second);
	if (r == STORE_OK)
		r = too;
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
		uint32_t step = c->coming < UID_STEP ? UID_STEP :
		    c->coming < UINT32_MAX ? (uint32_t)c->coming :
		    UINT32_MAX;

		c->m.uid_limit = c->m.uidnext > UINT32_MAX - step ?
		    UINT32_MAX : c->m.uidnext + step;
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
	const struct dirstate *d = &c->m.dir[dir];
	struct stat s;
	int fd = mailbox_sub(c->mb, dir);

	/* New/ has few, and is read anyway. */
	bool want = dir == CUR && !d->dirty && c->m.messages >= DIR_MANY;
	c->entries[dir] = 0;
	c->witnessed[dir] = fd != -1 && want && witness_begin(c->mb, dir);
	c->was_known[dir] = fd != -1 && fstat(fd, &s) == 0 && dir_is(d, &s);
}

void
change_dir_after(struct change *c, int dir)
{
	struct dirstate *d = &c->m.dir[dir];
	struct stat s;
	bool alone = c->witnessed[dir] &&
	    witness_end(c->mb, dir, c->entries[dir], &s);

	c->witnessed[dir] = false;
	if (!c->was_known[dir] || (!alone &&
	    (fstat(mailbox_sub(c->mb, dir), &s) == -1 || dir_is(d, &s))))
		return;
	d->sec = s.st_mtim.tv_sec;
	d->nsec = (uint32_t)s.st_mtim.tv_nsec;
	d->dirty = !alone;
}

void
change_moved(struct change *c, uint32_t uid, int from, struct span name)
{
	change_name(c, uid, CUR, name);
	c->entries[from]++;
	c->entries[CUR]++;
}
