/* SPDX-License-Identifier: ISC */
#include "store/view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "store/attach.h"
#include "store/keyword.h"
#include "store/scan.h"
#include "store/view_internal.h"

static void
add_recent(struct view *v, struct txn *t, const struct meta *m)
{
	struct key from = key_mailbox('u', v->mb->id);
	struct walk w;

	/* What nobody has seen, and what is still in new/. */
	for (uint32_t uid = bits_next(&v->present, m->first_recent); uid != 0;
	    uid = bits_next(&v->present, uid + 1))
		set_add(&v->recent, uid, uid);
	walk_start(&w, t, &from, from.n);
	while (walk_next(&w)) {
		uint32_t uid = key_get_u32(&w.key, from.n);

		if (bits_has(&v->present, uid))
			set_add(&v->recent, uid, uid);
	}
	walk_end(&w);
}

/* The messages that are there now.  They are counted, too: a client must not
 * be told that messages are gone because a page is damaged. */
static enum store_result
load_present(struct mailbox *mb, struct txn *t, const struct meta *m,
    struct bits *present)
{
	bits_room(present, m->messages / CHUNK + 2);
	bits_load(present, t, mb->id, PRESENT);
	if (present->total != m->messages)
		txn_damaged(t);
	return txn_result(t);
}

void
view_close(struct view *v)
{
	if (v == NULL)
		return;
	bits_free(&v->present);
	set_free(&v->recent);
	set_free(&v->tell);
	told_free(&v->told);
	free(v->own);
	free(v);
}

/* The first UID of the view without \Seen, or 0. */
static uint32_t
first_unseen(const struct view *v, struct txn *t, const struct meta *m)
{
	struct chunk seen;

	if (m->unseen == 0)
		return 0;
	for (size_t i = 0; i < v->present.n; i++) {
		const struct bits_chunk *c = &v->present.c[i];

		chunk_get(t, v->mb->id, SEEN, c->no, &seen);
		for (uint32_t j = 0; j < WORDS; j++) {
			uint64_t w = bits_word(c, j) & ~seen.w[j];

			if (w != 0)
				return c->no * CHUNK + j * 64 +
				    (uint32_t)__builtin_ctzll(w);
		}
	}
	return 0;
}

static enum store_result
view_begin(struct mailbox *mb, struct view **out)
{
	struct txn t;
	struct meta m;
	enum store_result r = mailbox_see(mb, &t, &m);

	if (r != STORE_OK)
		return r;
	struct view *v = xcalloc(1, sizeof *v);

	v->mb = mb;
	v->uidnext = m.uidnext;
	v->uidvalidity = m.uidvalidity;
	v->modseq = m.modseq;
	v->generation = mb->generation;
	v->id = mb->id;
	v->keywords = m.keywords;
	r = load_present(mb, &t, &m, &v->present);
	add_recent(v, &t, &m);
	v->unseen = first_unseen(v, &t, &m);
	names_load(mb, &t, &m);
	if (r == STORE_OK)
		r = txn_result(&t);
	txn_abort(&t);
	if (r != STORE_OK) {
		view_close(v);
		return r;
	}
	*out = v;
	return STORE_OK;
}

enum store_result
view_open(struct mailbox *mb, struct view **out)
{
	*out = NULL;
	enum store_result r = view_begin(mb, out);

	/* Once more if damage is found: then the index is made anew. */
	return r == STORE_ERROR ? view_begin(mb, out) : r;
}

uint32_t
view_exists(const struct view *v)
{
	return v->present.total;
}

uint32_t
view_uidnext(const struct view *v)
{
	return v->uidnext;
}

uint32_t
view_uidvalidity(const struct view *v)
{
	return v->uidvalidity;
}

uint64_t
view_modseq(const struct view *v)
{
	return v->modseq;
}

uint32_t
view_uid(const struct view *v, uint32_t seq)
{
	return bits_select(&v->present, seq);
}

uint32_t
view_seq(const struct view *v, uint32_t uid)
{
	return bits_has(&v->present, uid) ? bits_rank(&v->present, uid) : 0;
}

const struct set *
view_recent(const struct view *v)
{
	return &v->recent;
}

uint32_t
view_first_unseen(const struct view *v)
{
	return v->unseen == 0 ? 0 : view_seq(v, v->unseen);
}

enum store_result
view_keywords(struct view *v, const struct span **names, size_t *n)
{
	struct mailbox *mb = v->mb;

	if (mb->names == NULL || mb->names->generation != mb->generation)
		return mailbox_keywords(mb, names, n);
	*names = mb->names->name;
	*n = mb->names->n;
	return STORE_OK;
}

uint32_t
view_next(const struct view *v, const struct set *uids, uint32_t uid)
{
	while (uid != 0) {
		uint32_t asked = uids == NULL ? uid : set_next(uids, uid);

		if (asked == 0)
			return 0;
		uid = bits_next(&v->present, asked);
		if (uid == 0 || uids == NULL || uid == asked ||
		    set_has(uids, uid))
			return uid;
	}
	return 0;
}

void
view_own(struct view *v, uint64_t modseq)
{
	if (modseq == 0 || view_is_own(v, modseq))
		return;
	v->own = xrealloc(v->own, (v->owns + 1) * sizeof *v->own);
	v->own[v->owns++] = modseq;
}

bool
view_is_own(const struct view *v, uint64_t modseq)
{
	for (size_t i = v->owns; i-- > 0; )
		if (v->own[i] == modseq)
			return true;
	return false;
}

void
view_changes_free(struct view_changes *ch)
{
	set_free(&ch->vanished);
	set_free(&ch->changed);
	*ch = (struct view_changes){ 0 };
}

/* --- synchronising --- */

void
view_told(struct view *v, const struct msg *m)
{
	told_put(&v->told, m->uid, told_sum(m->flags, m->keyword,
	    m->keywords));
}

/* Whether the client knows other flags than the message has. */
static bool
knows_others(struct view *v, struct txn *t, uint32_t uid)
{
	uint16_t sum = told_get(&v->told, uid);
	struct rec r;
	size_t n;

	if (sum == 0 || !rec_alive(t, v->mb->id, uid, &r))
		return false;
	const uint32_t *k = set_keywords(v->mb, t, r.set, &n);
	return told_sum(r.flags & REC_FLAGS, k, n) != sum;
}

static void
find_changed(struct view *v, struct txn *t, struct view_changes *ch)
{
	struct key from = key_modseq('j', v->mb->id, v->modseq + 1, 0);
	bool anew = v->generation != v->mb->generation || v->id != v->mb->id;
	struct walk w;

	/* Its numbers say nothing of ours. */
	if (anew)
		from = key_modseq('j', v->mb->id, 0, 0);
	walk_start(&w, t, &from, 5);
	while (walk_next(&w)) {
		uint64_t modseq = key_get_u64(&w.key, 5);
		uint32_t uid = key_get_u32(&w.key, 13);

		if (!bits_has(&v->present, uid))
			continue;
		if (anew ? knows_others(v, t, uid) : (!view_is_own(v, modseq) || set_has(&v->tell, uid)))
			set_add(&ch->changed, uid, uid);
	}
	walk_end(&w);
}

/* UIDs of the view that are not in now. */
static void
find_vanished(const struct view *v, const struct bits *now,
    struct set *vanished)
{
	size_t k = 0;

	for (size_t i = 0; i < v->present.n; i++) {
		const struct bits_chunk *c = &v->present.c[i], *d = NULL;

		while (k < now->n && now->c[k].no < c->no)
			k++;
		if (k < now->n && now->c[k].no == c->no)
			d = &now->c[k];
		if (d != NULL && d->w == NULL)
			continue;
		for (uint32_t j = 0; j < WORDS; j++) {
			uint64_t w = bits_word(c, j) &
			    ~(d == NULL ? 0 : d->w[j]);

			for (; w != 0; w &= w - 1) {
				uint32_t uid = c->no * CHUNK + j * 64 +
				    (uint32_t)__builtin_ctzll(w);

				set_add(vanished, uid, uid);
			}
		}
	}
}

static void
tell_expunged(const struct view *v, const struct set *gone,
    view_expunged *fn, void *arg)
{
	for (size_t i = gone->n; i-- > 0; )
		for (uint32_t uid = gone->r[i].hi; ; uid--) {
			fn(arg, view_seq(v, uid), uid);
			if (uid == gone->r[i].lo)
				break;
		}
}

/* Whether now has a UID that the view has not: then messages came. */
static bool
has_more(const struct view *v, const struct bits *now, size_t vanished)
{
	return now->total > v->present.total - vanished;
}

static void
take_bits(struct view *v, struct bits *now, const struct set *keep)
{
	struct bits old = v->present;

	for (size_t i = 0; i < keep->n; i++)
		for (uint32_t uid = keep->r[i].lo; ; uid++) {
			bits_set(now, uid, true);
			if (uid == keep->r[i].hi)
				break;
		}
	if (keep->n > 0)
		bits_count(now);
	v->present = *now;
	bits_free(&old);
}

static void
forget_recent(struct view *v, const struct set *gone)
{
	for (size_t i = 0; i < gone->n; i++)
		set_remove(&v->recent, gone->r[i].lo, gone->r[i].hi);
}

/* A snapshot.  If it is older than what the view has seen, an old index was
 * put in the place of ours: who takes the lock sees that, too. */
static enum store_result
begin_sync(struct view *v, struct txn *t, struct meta *m)
{
	enum store_result r = mailbox_read(v->mb, t, m);
	struct change c;

	if (r != STORE_OK || m->modseq >= v->modseq ||
	    m->uidvalidity != v->uidvalidity)
		return r;
	txn_abort(t);
	r = change_begin(&c, v->mb, 0, true);
	if (r == STORE_OK)
		r = change_commit(&c);
	return r == STORE_OK ? mailbox_read(v->mb, t, m) : r;
}

static enum store_result
synchronise(struct view *v, bool expunge, struct view_changes *ch,
    bool *held, view_expunged *fn, void *arg)
{
	struct txn t;
	struct meta m;
	struct bits now = { 0 };
	struct set gone = { 0 };
	enum store_result r = begin_sync(v, &t, &m);

	set_clear(&ch->vanished);
	set_clear(&ch->changed);
	ch->exists = ch->keywords = false;
	*held = v->held;
	if (r != STORE_OK)
		return r;
	if (m.uidvalidity != v->uidvalidity) {
		txn_abort(&t);
		return STORE_CHANGED;
	}
	ch->keywords = m.keywords != v->keywords;
	names_load(v->mb, &t, &m);
	if (m.modseq == v->modseq && m.uidnext == v->uidnext &&
	    v->generation == v->mb->generation && v->id == v->mb->id &&
	    !(v->held && expunge)) {
		v->keywords = m.keywords;
		txn_abort(&t);
		return STORE_OK;
	}
	find_changed(v, &t, ch);
	if ((r = load_present(v->mb, &t, &m, &now)) != STORE_OK) {
		set_clear(&ch->changed);
		txn_abort(&t);
		bits_free(&now);
		return r;
	}
	v->keywords = m.keywords;
	find_vanished(v, &now, &gone);
	ch->exists = has_more(v, &now, (size_t)set_count(&gone));
	if (expunge && fn != NULL)
		tell_expunged(v, &gone, fn, arg);
	*held = v->held = !expunge && gone.n > 0;
	take_bits(v, &now, expunge ? &(struct set){ 0 } : &gone);
	if (ch->exists)
		add_recent(v, &t, &m);
	txn_abort(&t);
	if (expunge) {
		forget_recent(v, &gone);
		set_add_set(&ch->vanished, &gone);
	}
	set_free(&gone);
	v->modseq = m.modseq;
	v->generation = v->mb->generation;
	v->id = v->mb->id;
	v->uidnext = m.uidnext;
	v->owns = 0;
	set_clear(&v->tell);
	return STORE_OK;
}

enum store_result
view_sync(struct view *v, bool expunge, struct view_changes *ch,
    bool *held, view_expunged *fn, void *arg)
{
	enum store_result r = synchronise(v, expunge, ch, held, fn, arg);

	return index_again(v->mb->st, r) ?
	    synchronise(v, expunge, ch, held, fn, arg) : r;
}

/* --- the file of a message --- */

static enum store_result
locate(struct view *v, uint32_t uid, int *dir, struct buf *name,
    uint64_t *object)
{
	struct txn t;
	struct meta m;
	struct rec rec;
	struct span s;
	enum store_result r = mailbox_read(v->mb, &t, &m);

	if (r != STORE_OK)
		return r;
	r = STORE_EXPUNGED;
	buf_clear(name);
	if (rec_alive(&t, v->mb->id, uid, &rec) &&
	    name_must(&t, v->mb->id, uid, dir, &s)) {
		buf_add(name, s);
		*object = rec.object;
		r = STORE_OK;
	} else if (txn_result(&t) != STORE_OK)
		r = STORE_ERROR;
	txn_abort(&t);
	return r;
}

int
message_openat(int dir, const char *name)
{
	return openat(dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

enum store_result
view_file(struct view *v, uint32_t uid, int *fd, uint64_t *object,
    struct buf *file)
{
	struct buf name = { 0 };
	enum store_result r = STORE_EXPUNGED;
	bool found;
	int dir;

	*fd = -1;
	/* Renamed behind us, and perhaps again while we look. */
	for (int try = 0; try < 4 && bits_has(&v->present, uid); try++) {
		r = locate(v, uid, &dir, &name, object);
		if (index_again(v->mb->st, r))
			continue;
		if (r != STORE_OK)
			break;
		int sub = mailbox_sub(v->mb, dir);
		*fd = sub == -1 ? -1 : message_openat(sub, buf_cstr(&name));
		if (*fd != -1)
			break;
		if (errno != ENOENT) {
			r = mailbox_fail(v->mb, "open a message", errno);
			break;
		}
		r = STORE_EXPUNGED;
		if (mailbox_look(v->mb, LOOK_MISSED, &found) != STORE_OK)
			break;
	}
	if (*fd != -1)
		buf_add(file, buf_span(&name));
	buf_free(&name);
	return *fd != -1 ? STORE_OK : r == STORE_OK ? STORE_EXPUNGED : r;
}

int
view_shown(struct view *v, const struct msg *m, struct stat *s)
{
	int sub = m->file == NULL ? -1 : mailbox_sub(v->mb, m->dir);
	int fd = sub == -1 ? -1 : message_openat(sub, m->file);

	if (fd != -1 && (fstat(fd, s) != 0 || s->st_ino != m->inode)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

struct mailbox *
view_mailbox(struct view *v)
{
	return v->mb;
}
