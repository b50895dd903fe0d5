/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "store/attach.h"
#include "store/filename.h"
#include "store/keyword.h"
#include "store/letters.h"
#include "store/list.h"
#include "store/place.h"
#include "store/scan.h"
#include "store/view_internal.h"

enum {
	AT_ONCE = 5000,		/* messages, if the lock is not held too long */
	FEW = 32,		/* their files are renamed at once */
	NEED = 2048
};

/*
 * System flags live in file names, keywords in the uidlist: both are durable
 * before the answer, the index only repeats them.  Of more than a few
 * messages the uidlist has the flags too, until the files are renamed after
 * the answer (rename.h).
 */
struct renamed {
	int dir;		/* where old was */
	char *old, *to;
};

struct storing {
	struct view *v;
	const struct flag_change *ask;
	struct set *done, *modified;
	struct set lost;	/* their files are elsewhere: look and try
				   again */
	uint64_t modseq;
	bool names, lines;	/* what is to be synced at the end */
	size_t most;		/* messages of a portion */
	bool later;		/* the files are renamed after the answer */
	struct set late[2][UIDLIST_LETTERS];	/* lost, got, for the lines */
	uint32_t *keyword;	/* the numbers of ask->keyword, here and now */
	struct set *add, *drop;	/* by keyword, for the lines */
	size_t keywords;
	struct renamed *undo;	/* of this portion, if it fails */
	size_t undos;
};

static bool
resolve(struct storing *s, struct change *c)
{
	const struct flag_change *a = s->ask;

	for (size_t i = 0; i < a->keywords; i++) {
		int32_t k;

		names_load(c->mb, c->t, &c->m);
		if (a->op == FLAGS_REMOVE)
			k = keyword_find(c->mb, a->keyword[i]);
		else if ((k = keyword_make(c, a->keyword[i])) < 0)
			return false;
		s->keyword[i] = k < 0 ? UINT32_MAX : (uint32_t)k;
	}
	names_load(c->mb, c->t, &c->m);
	s->keywords = c->m.keywords;
	s->add = xcalloc(s->keywords + 1, sizeof *s->add);
	s->drop = xcalloc(s->keywords + 1, sizeof *s->drop);
	return true;
}

static void
write_lines(struct storing *s, struct change *c)
{
	for (size_t k = 0; k < s->keywords; k++) {
		uidlist_flag(&c->lines, true, (uint32_t)k, &s->add[k]);
		uidlist_flag(&c->lines, false, (uint32_t)k, &s->drop[k]);
		set_free(&s->add[k]);
		set_free(&s->drop[k]);
	}
	for (uint32_t i = 0; i < 2 * UIDLIST_LETTERS; i++) {
		struct set *late = &s->late[i % 2][i / 2];

		uidlist_late(&c->lines, i % 2, 1u << i / 2, late);
		set_free(late);
	}
	free(s->add);
	free(s->drop);
	s->add = s->drop = NULL;
	s->keywords = 0;
}

/* Move the file to the name that has those letters.  In new/ a name has no
 * letters, so it goes to cur/. */
static int
rename_file(struct storing *s, struct change *c, uint32_t uid,
    uint32_t flags)
{
	struct mailbox *mb = c->mb;
	struct buf old = { 0 }, to = { 0 };
	struct span name;
	int dir, r = -1;

	errno = ENOENT;
	if (rec_name(c->t, mb->id, uid, &dir, &name)) {
		buf_add(&old, name);
		letters_name(&to, filename_base(buf_span(&old)),
		    filename_flags(buf_span(&old)), flags);
		bool right = dir == CUR &&
		    span_eq(buf_span(&old), buf_span(&to));
		r = right ? 0 : file_move(mailbox_sub(mb, dir),
		    buf_cstr(&old), mailbox_sub(mb, CUR), buf_cstr(&to));
		if (r == 0 && !right) {
			change_moved(c, uid, dir, buf_span(&to));
			s->undo[s->undos++] = (struct renamed){ dir,
			    xstrdup(buf_cstr(&old)), xstrdup(buf_cstr(&to)) };
			s->names = true;
		}
	}
	int e = errno;
	buf_free(&old);
	buf_free(&to);
	errno = e;
	return r;
}

/* The names of a portion that was not committed are taken back, or the next
 * look would find flags that were refused. */
static void
end_undo(struct storing *s, struct mailbox *mb, bool back)
{
	while (s->undos-- > 0) {
		struct renamed *u = &s->undo[s->undos];

		if (back)
			file_move(mailbox_sub(mb, CUR), u->to,
			    mailbox_sub(mb, u->dir), u->old);
		free(u->old);
		free(u->to);
	}
	free(s->undo);
	s->undo = NULL;
	s->undos = 0;
}

/* The keywords that a message is to have. */
static uint32_t
new_set(struct storing *s, struct change *c, uint32_t set)
{
	const struct flag_change *a = s->ask;
	uint32_t known[64], *k = known;
	size_t n = 0;

	if (a->op != FLAGS_SET && a->keywords == 0)
		return set;
	if (a->keywords > COUNT(known))
		k = xcalloc(a->keywords, sizeof *k);
	for (size_t i = 0; i < a->keywords; i++)
		if (s->keyword[i] != UINT32_MAX)
			k[n++] = s->keyword[i];
	uint32_t made = set_with(c, a->op == FLAGS_SET ? 0 : set, k, n,
	    a->op != FLAGS_REMOVE);
	if (k != known)
		free(k);
	return made;
}

/* What the uidlist has to say of one message's keywords. */
static void
note_lines(struct storing *s, struct change *c, uint32_t uid, uint32_t old,
    uint32_t set)
{
	size_t n, m, i = 0, j = 0;
	const uint32_t *a = set_keywords(c->mb, c->t, old, &n);
	const uint32_t *b = set_keywords(c->mb, c->t, set, &m);

	while (i < n || j < m) {
		if (j == m || (i < n && a[i] < b[j])) {
			if (a[i] < s->keywords)
				set_add(&s->drop[a[i]], uid, uid);
			i++;
		} else if (i == n || b[j] < a[i]) {
			if (b[j] < s->keywords)
				set_add(&s->add[b[j]], uid, uid);
			j++;
		} else {
			i++;
			j++;
		}
	}
	s->lines = true;
}

/* What is late already stays it: the uidlist's word would count more than
 * the name. */
static void
note_late(struct storing *s, struct change *c, uint32_t uid, struct rec *r,
    uint32_t flags)
{
	uint32_t other = (r->flags ^ flags) & REC_FLAGS;

	for (uint32_t i = 0; i < UIDLIST_LETTERS; i++)
		if (other >> i & 1)
			set_add(&s->late[flags >> i & 1][i], uid, uid);
	change_late(c, uid, r, rec_late(r) | other);
	s->lines = s->v->behind = true;
}

/* 0, or -1 with errno if the whole cannot go on. */
static int
store_one(struct storing *s, struct change *c, uint32_t uid)
{
	const struct flag_change *a = s->ask;
	struct rec r;

	if (!rec_alive(c->t, c->mb->id, uid, &r))
		return 0;
	/* RFC 7162 3.1.3 */
	if (r.modseq > a->unchangedsince) {
		set_add(s->modified, uid, uid);
		return 0;
	}
	uint32_t had = r.flags & REC_FLAGS;
	uint32_t flags = a->op == FLAGS_SET ? a->flags :
	    a->op == FLAGS_ADD ? had | a->flags : had & ~a->flags;
	uint32_t set = new_set(s, c, r.set);
	bool late = s->later || rec_late(&r) != 0;
	if (flags != had && !late && rename_file(s, c, uid, flags) == -1) {
		if (errno != ENOENT && errno != EEXIST)
			return -1;
		set_add(&s->lost, uid, uid);
		return 0;
	}
	set_add(s->done, uid, uid);
	if (flags == had && set == r.set)
		return 0;
	/* What others changed before us the client has not seen yet. */
	if (r.modseq > s->v->modseq && !view_is_own(s->v, r.modseq))
		set_add(&s->v->tell, uid, uid);
	if (set != r.set)
		note_lines(s, c, uid, r.set, set);
	if (flags != had && late)
		note_late(s, c, uid, &r, flags);
	change_flags(c, uid, &r, flags, set);
	return 0;
}

/* One portion from *uid on; *uid is then where the next begins, or 0. */
static enum store_result
store_some(struct storing *s, const struct set *uids, uint32_t *uid)
{
	const struct flag_change *a = s->ask;
	struct change c;
	/* What is to be expunged makes room. */
	bool reserve = a->op != FLAGS_REMOVE && (a->flags & MSG_DELETED);
	enum store_result r = change_begin(&c, s->v->mb,
	    ((size_t)s->most + a->keywords) * NEED, reserve);
	int e = 0;

	if (r != STORE_OK)
		return r;
	if (!resolve(s, &c)) {
		write_lines(s, &c);
		change_abort(&c);
		return STORE_LIMIT;
	}
	s->undo = xcalloc(FEW, sizeof *s->undo);
	change_dir_before(&c, CUR);
	change_dir_before(&c, NEW);
	for (size_t n = 0; n < s->most && *uid != 0 && e == 0 &&
	    !change_is_long(&c, n); n++) {
		if (store_one(s, &c, *uid) == -1)
			e = errno;
		*uid = view_next(s->v, uids, *uid + 1);
	}
	change_dir_after(&c, CUR);
	change_dir_after(&c, NEW);
	write_lines(s, &c);
	s->lines = s->lines || c.sync_list;
	c.sync_list = false;	/* once, at the end */
	c.m.list_dead += c.lines.n;
	if (e == 0)
		r = change_commit(&c);
	else {
		r = store_fail(c.mb->st, "rename a message", e);
		change_abort(&c);
	}
	end_undo(s, s->v->mb, !c.committed);
	if (c.committed && c.modseq != 0) {
		s->modseq = c.modseq;
		view_own(s->v, c.modseq);
	}
	return r;
}

static enum store_result
store_set(struct storing *s, const struct set *uids)
{
	uint32_t uid = view_next(s->v, uids, 1);
	enum store_result r = STORE_OK;

	while (uid != 0 && r == STORE_OK) {
		uint32_t from = uid;

		r = store_some(s, uids, &uid);
		/* A full disk has no room for lines, but for names. */
		if (r == STORE_FULL && s->later) {
			s->later = false;
			s->most = FEW;
			uid = from;
			r = STORE_OK;
		}
	}
	return r;
}

static void
plan(struct storing *s, const struct set *uids)
{
	for (uint32_t uid = view_next(s->v, uids, 1); uid != 0 &&
	    s->most < AT_ONCE; uid = view_next(s->v, uids, uid + 1))
		s->most++;
	s->later = s->most > FEW;
}

enum store_result
view_store(struct view *v, const struct set *uids,
    const struct flag_change *ask, struct set *done, struct set *modified,
    uint64_t *modseq)
{
	struct storing s = { .v = v, .ask = ask, .done = done,
		.modified = modified };
	struct mailbox *mb = v->mb;
	size_t owns = v->owns;
	enum store_result r;

	set_clear(done);
	set_clear(modified);
	*modseq = v->modseq;
	if (!(mb->rights & RIGHT_WRITE))
		return STORE_DENIED;
	s.keyword = xcalloc(ask->keywords + 1, sizeof *s.keyword);
	plan(&s, uids);
	r = store_set(&s, uids);
	/* The index was damaged, and nothing is done yet. */
	if (index_again(mb->st, r) && s.modseq == 0) {
		set_clear(done);
		set_clear(modified);
		set_clear(&s.lost);
		r = store_set(&s, uids);
	}
	/* Renamed behind us: where they are now the next look tells. */
	for (int try = 0; try < 3 && r == STORE_OK && s.lost.n > 0; try++) {
		struct set again = s.lost;
		bool found;

		s.lost = (struct set){ 0 };
		if ((r = mailbox_look(mb, LOOK_MISSED, &found)) == STORE_OK)
			r = store_set(&s, &again);
		set_free(&again);
	}
	if (s.names && (fsync(mailbox_sub(mb, CUR)) == -1 ||
	    (mb->sub[NEW] != -1 && fsync(mb->sub[NEW]) == -1)))
		r = store_fail(mb->st, "sync the folder", errno);
	if (s.lines && r == STORE_OK)
		r = list_sync(mb);
	/* What was done although it is refused the client has to hear. */
	if (r != STORE_OK)
		v->owns = owns;
	if (s.modseq != 0)
		*modseq = s.modseq;
	set_free(&s.lost);
	free(s.keyword);
	return r;
}
