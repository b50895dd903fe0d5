/* SPDX-License-Identifier: ISC */
#include "store/rename.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "store/attach.h"
#include "store/bits.h"
#include "store/filename.h"
#include "store/letters.h"
#include "store/place.h"
#include "store/scan.h"
#include "store/uidlist.h"

enum {
	AT_ONCE = 512,		/* files, if the lock is not held too long */
	NEED = 2048
};

/* A file that has the right name, as of that MODSEQ. */
struct told {
	uint32_t uid;
	uint64_t modseq;
};

struct renaming {
	struct mailbox *mb;
	struct bits late;	/* when it began */
	uint32_t next;		/* from here on; 0: no more */
	struct told *done;	/* durably, and the uidlist is to hear it */
	struct told *now;	/* in this portion */
	size_t dones, nows;
	bool in_new;		/* something left new/ */
	bool lost;		/* something is not where it should be */
};

/* Whether its name is right now. */
static bool
rename_one(struct renaming *s, struct change *c, uint32_t uid,
    const struct rec *r)
{
	struct mailbox *mb = s->mb;
	struct buf old = { 0 }, to = { 0 };
	struct span name;
	int dir;
	bool good = false;

	if (rec_name(c->t, mb->id, uid, &dir, &name)) {
		buf_add(&old, name);
		letters_name(&to, filename_base(buf_span(&old)),
		    filename_flags(buf_span(&old)), r->flags);
		good = dir == CUR && span_eq(buf_span(&old), buf_span(&to));
		if (!good && file_move(mailbox_sub(mb, dir), buf_cstr(&old),
		    mailbox_sub(mb, CUR), buf_cstr(&to)) == 0) {
			change_moved(c, uid, dir, buf_span(&to));
			s->in_new = s->in_new || dir == NEW;
			good = true;
		}
	}
	s->lost = s->lost || !good;
	buf_free(&old);
	buf_free(&to);
	return good;
}

/* The names that are durable by now need the uidlist no more, unless the
 * flags changed since. */
static void
settle(struct renaming *s, struct change *c)
{
	struct set uids = { 0 };
	size_t before = c->lines.n;

	for (size_t i = 0; i < s->dones; i++) {
		uint32_t uid = s->done[i].uid;
		struct rec r;

		if (!rec_alive(c->t, s->mb->id, uid, &r) ||
		    rec_late(&r) == 0 || r.modseq != s->done[i].modseq)
			continue;
		change_late(c, uid, &r, 0);
		change_rec(c, uid, &r);
		set_add(&uids, uid, uid);
	}
	uidlist_settled(&c->lines, &uids);
	c->m.list_dead += c->lines.n - before;
	set_free(&uids);
	s->dones = 0;
}

/* Settle the last portion and rename the next. */
static enum store_result
rename_some(struct renaming *s)
{
	struct mailbox *mb = s->mb;
	struct change c;
	enum store_result r = change_begin(&c, mb, 2 * AT_ONCE * NEED, true);

	if (r != STORE_OK)
		return r;
	settle(s, &c);
	s->nows = 0;
	change_dir_before(&c, CUR);
	change_dir_before(&c, NEW);
	for (; s->next != 0 && s->nows < AT_ONCE &&
	    !change_is_long(&c, s->nows);
	    s->next = bits_next(&s->late, s->next + 1)) {
		struct rec rec;

		if (rec_alive(c.t, mb->id, s->next, &rec) &&
		    rec_late(&rec) != 0 && rename_one(s, &c, s->next, &rec))
			s->now[s->nows++] = (struct told){ s->next,
				rec.modseq };
	}
	change_dir_after(&c, CUR);
	change_dir_after(&c, NEW);
	if ((r = change_commit(&c)) != STORE_OK)
		return r;
	if (s->nows > 0 && (fsync(mailbox_sub(mb, CUR)) == -1 ||
	    (s->in_new && fsync(mailbox_sub(mb, NEW)) == -1)))
		return store_fail(mb->st, "sync the folder", errno);
	struct told *swap = s->done;
	s->done = s->now;
	s->dones = s->nows;
	s->now = swap;
	return STORE_OK;
}

/* Those that are late, if there are any. */
static enum store_result
find_late(struct renaming *s)
{
	struct txn t;
	struct meta m;
	enum store_result r = mailbox_read(s->mb, &t, &m);

	if (r != STORE_OK)
		return r;
	if (m.late > 0)
		bits_load(&s->late, &t, s->mb->id, LATE);
	txn_abort(&t);
	s->next = bits_next(&s->late, 1);
	return STORE_OK;
}

enum store_result
mailbox_rename(struct mailbox *mb, store_go *go, void *arg)
{
	struct renaming s = { .mb = mb };
	enum store_result r = find_late(&s);

	s.done = xcalloc(AT_ONCE, sizeof *s.done);
	s.now = xcalloc(AT_ONCE, sizeof *s.now);
	while (r == STORE_OK) {
		if (go != NULL && s.next != 0 && !go(arg))
			s.next = 0;
		if (s.next == 0 && s.dones == 0)
			break;
		r = rename_some(&s);
	}
	/* Renamed behind us: the look finds them for the next time. */
	if (r == STORE_OK && s.lost) {
		bool found;

		r = mailbox_look(mb, LOOK_MISSED, &found);
	}
	bits_free(&s.late);
	free(s.done);
	free(s.now);
	return r;
}
