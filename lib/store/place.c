/* SPDX-License-Identifier: ISC */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "store/attach.h"
#include "store/filename.h"
#include "store/intent.h"
#include "store/keyword.h"
#include "store/letters.h"
#include "store/uidlist.h"

enum { NEED = 8192 };	/* octets of the index for one message, at most */

/* Deliveries that have no UID yet. */
struct owed_msg {
	struct buf name, digest;
	uint64_t inode, wire;
	int64_t internaldate;
};

struct owed {
	struct owed_msg *msg;
	size_t n;
	struct moved moved;
};

int
file_move(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(from_dir, from, to_dir, to, 0) == -1)
		return -1;
	return unlinkat(from_dir, from, 0);
}

void
moved_before(struct moved *m, int fd)
{
	struct stat s = { 0 };

	if (fstat(fd, &s) == 0)
		m->before = s.st_mtim;
}

void
moved_after(struct moved *m, int fd)
{
	struct stat s = { 0 };

	if (fstat(fd, &s) == 0)
		m->after = s.st_mtim;
}

void
moved_note(const struct moved *m, struct change *c, int dir)
{
	struct dirstate *d = &c->m.dir[dir];
	struct stat s;

	if (d->sec == m->before.tv_sec &&
	    d->nsec == (uint32_t)m->before.tv_nsec &&
	    fstat(mailbox_sub(c->mb, dir), &s) == 0 &&
	    s.st_mtim.tv_sec == m->after.tv_sec &&
	    s.st_mtim.tv_nsec == m->after.tv_nsec) {
		d->sec = m->after.tv_sec;
		d->nsec = (uint32_t)m->after.tv_nsec;
		d->dirty = 1;
	}
}

bool
place_keywords(struct change *c, uint32_t uid, const struct span *keyword,
    size_t n, uint32_t *set)
{
	struct set one = { 0 };

	set_add(&one, uid, uid);
	for (size_t i = 0; i < n; i++) {
		int32_t k = keyword_make(c, keyword[i]);

		if (k < 0) {
			set_free(&one);
			return false;
		}
		uint32_t number = (uint32_t)k;
		*set = set_with(c, *set, &number, 1, true);
		uidlist_flag(&c->lines, true, number, &one);
		c->sync_list = true;
	}
	set_free(&one);
	return true;
}

/* --- deliveries: into new/ without the lock --- */

/* Room for n more: who dies for want of memory does so before a message is in
 * place. */
static void
owe_room(struct mailbox *mb, size_t n)
{
	if (mb->owed == NULL)
		mb->owed = xcalloc(1, sizeof *mb->owed);
	mb->owed->msg = xrealloc(mb->owed->msg,
	    (mb->owed->n + n) * sizeof *mb->owed->msg);
}

static void
owe(struct mailbox *mb, struct draft *d, struct buf *name)
{
	struct owed *o = mb->owed;

	o->msg[o->n++] = (struct owed_msg){ .name = *name,
		.digest = d->digest, .inode = d->inode, .wire = d->wire,
		.internaldate = d->info.internaldate };
	*name = (struct buf){ 0 };
	d->digest = (struct buf){ 0 };
}

static void
owed_free(struct mailbox *mb)
{
	struct owed *o = mb->owed;

	for (size_t i = 0; o != NULL && i < o->n; i++) {
		buf_free(&o->msg[i].name);
		buf_free(&o->msg[i].digest);
	}
	if (o != NULL)
		free(o->msg);
	free(o);
	mb->owed = NULL;
}

static enum store_result
deliver(struct mailbox *mb, struct draft **d, size_t n)
{
	int tmp = mailbox_sub(mb, TMP), new = mailbox_sub(mb, NEW), e = 0;
	struct moved moved = { 0 };
	struct batch b;
	struct buf *name = xcalloc(n + 1, sizeof *name);
	enum store_result r = STORE_OK;
	size_t i;

	if (tmp == -1 || new == -1)
		e = errno;
	owe_room(mb, n);
	batch_start(&b);
	for (i = 0; i < n; i++) {
		batch_name(&b, d[i]->size, d[i]->wire, &name[i]);
		buf_cstr(&name[i]);
	}
	moved_before(&moved, new);
	for (i = 0; i < n && e == 0; i++)
		if (file_move(tmp, d[i]->tmp, new, name[i].p) == -1)
			e = errno;
	moved_after(&moved, new);
	if (e != 0)
		i -= i > 0;
	else if (fsync(new) == -1)
		e = errno;
	/* A folder that was deleted meanwhile takes its files along. */
	else if ((r = attach_path(mb)) != STORE_OK)
		e = ENOENT;
	/* All or nothing: take back what came before the one that failed. */
	for (size_t k = 0; e != 0 && k < i; k++)
		unlinkat(new, buf_cstr(&name[k]), 0);
	for (i = 0; i < n && e == 0; i++) {
		bool first = mb->owed->n == 0;

		d[i]->tmp[0] = '\0';
		owe(mb, d[i], &name[i]);
		if (first)
			mb->owed->moved = moved;
		else if (moved.before.tv_sec ==
		    mb->owed->moved.after.tv_sec && moved.before.tv_nsec ==
		    mb->owed->moved.after.tv_nsec)
			mb->owed->moved.after = moved.after;
	}
	for (i = 0; i < n; i++)
		buf_free(&name[i]);
	free(name);
	if (r != STORE_OK)
		return r;
	return e == 0 ? STORE_OK : store_fail(mb->st, "place a message", e);
}

uint32_t
place_known(struct change *c, struct span name)
{
	struct key from = key_name(c->mb->id,
	    letters_hash(filename_base(name)), 0);
	struct walk w;
	uint32_t uid = 0;

	walk_start(&w, c->t, &from, from.n - 4);
	if (walk_next(&w))
		uid = key_get_u32(&w.key, from.n - 4);
	walk_end(&w);
	return uid;
}

static void
give_digest(struct change *c, uint32_t uid, struct span digest, uint64_t wire)
{
	struct span v;
	struct rec r;

	if (!rec_alive(c->t, c->mb->id, uid, &r))
		return;
	struct key k = key_object('d', r.object);
	if (digest.n > 0 && !txn_get(c->t, &k, &v))
		txn_put(c->t, &k, digest);
	change_wire(c, uid, &r, wire);
}

/* False if it is not to be found: the next look then reads the directory. */
static bool
settle_one(struct change *c, struct owed_msg *o)
{
	struct span name = buf_span(&o->name);
	struct stat s;
	uint32_t uid = place_known(c, name);

	if (uid != 0) {
		give_digest(c, uid, buf_span(&o->digest), o->wire);
		return true;
	}
	/* Moved on already, perhaps. */
	if (fstatat(mailbox_sub(c->mb, NEW), buf_cstr(&o->name), &s,
	    AT_SYMLINK_NOFOLLOW) == -1 || (uid = change_uid(c, 0)) == 0)
		return false;
	struct rec r = { .inode = o->inode, .wire = o->wire,
		.internaldate = o->internaldate,
		.savedate = (int64_t)batch_seconds(name),
		.object = object_new(c->t, buf_span(&o->digest)) };
	uidlist_message(&c->lines, uid, name);
	change_add(c, uid, &r, NEW, name);
	return true;
}

enum store_result
mailbox_settle(struct mailbox *mb)
{
	struct owed *o = mb->owed;
	struct change c;
	size_t need = 0;

	if (o == NULL || o->n == 0) {
		owed_free(mb);
		return STORE_OK;
	}
	for (size_t i = 0; i < o->n; i++)
		need += NEED + 2 * o->msg[i].digest.n;
	enum store_result r = change_begin(&c, mb, need, false);
	if (r == STORE_OK) {
		bool all = true;

		for (size_t i = 0; i < o->n; i++)
			all = settle_one(&c, &o->msg[i]) && all;
		if (all)
			moved_note(&o->moved, &c, NEW);
		r = change_commit(&c);
	}
	owed_free(mb);
	return r;
}

/* --- APPEND: into cur/, with UIDs --- */

static void
cur_name(struct batch *b, const struct draft *d, struct buf *name)
{
	struct buf base = { 0 };

	batch_name(b, d->size, d->wire, &base);
	letters_name(name, buf_span(&base), SPAN(""), d->info.flags);
	buf_free(&base);
}

/* What somebody took in as a message without its keywords. */
static bool
add_known(struct change *c, struct draft *d, uint32_t uid)
{
	struct rec r;

	give_digest(c, uid, buf_span(&d->digest), d->wire);
	if (d->info.keywords == 0 || !rec_alive(c->t, c->mb->id, uid, &r))
		return true;
	uint32_t set = r.set;
	if (!place_keywords(c, uid, d->info.keyword, d->info.keywords, &set))
		return false;
	if (set != r.set)
		change_flags(c, uid, &r, r.flags, set);
	return true;
}

static bool
is_placed(struct change *c, struct span name)
{
	struct buf path = { 0 };

	buf_add(&path, name);
	bool yes = faccessat(mailbox_sub(c->mb, CUR), buf_cstr(&path), F_OK,
	    AT_SYMLINK_NOFOLLOW) == 0;
	buf_free(&path);
	return yes;
}

static bool
add_one(struct change *c, struct draft *d, struct span name, uint32_t *uid,
    bool lost)
{
	struct rec r = { .wire = d->wire, .flags = d->info.flags,
		.inode = d->inode, .internaldate = d->info.internaldate,
		.savedate = (int64_t)batch_seconds(name) };

	/* Or somebody took us for dead, and removed the file. */
	if (lost && (*uid = place_known(c, name)) != 0)
		return add_known(c, d, *uid);
	if (lost && !is_placed(c, name))
		return false;
	if ((*uid = change_uid(c, 0)) == 0)
		return false;
	if (!place_keywords(c, *uid, d->info.keyword, d->info.keywords,
	    &r.set))
		return false;
	/* Behind its keywords: where all lines of messages are, all is. */
	uidlist_message(&c->lines, *uid, filename_base(name));
	r.object = object_new(c->t, buf_span(&d->digest));
	change_add(c, *uid, &r, CUR, name);
	return true;
}

struct append {
	struct mailbox *mb;
	struct draft **d;
	size_t n, placed;
	struct buf *name;
	uint32_t *uid;
	struct intent intent;
	struct moved moved;
	bool committed;
};

static int
move_all(struct append *a)
{
	int tmp = mailbox_sub(a->mb, TMP), cur = mailbox_sub(a->mb, CUR);

	moved_before(&a->moved, cur);
	for (; a->placed < a->n; a->placed++)
		if (file_move(tmp, a->d[a->placed]->tmp, cur,
		    buf_cstr(&a->name[a->placed])) == -1)
			return -1;
	moved_after(&a->moved, cur);
	return 0;
}

static void
take_back(struct append *a)
{
	for (size_t i = 0; i < a->placed; i++) {
		unlinkat(mailbox_sub(a->mb, CUR), buf_cstr(&a->name[i]), 0);
		a->d[i]->tmp[0] = '\0';
	}
}

/* One message is placed with the lock held: no other file can hide behind
 * it.  More come before, guarded by an intent, so that the lock is not held
 * for long, and are durable before the index says that they are whole. */
static enum store_result
append_all(struct append *a, uint32_t *uidvalidity)
{
	struct change c;
	size_t need = 0;
	enum store_result r;
	bool good = true;

	for (size_t i = 0; i < a->n; i++)
		need += NEED + 2 * a->d[i]->digest.n +
		    a->d[i]->info.keywords * 1024;
	if (a->n > 1) {
		if (move_all(a) == -1 || fsync(mailbox_sub(a->mb, CUR)) == -1)
			return store_fail(a->mb->st, "place messages", errno);
	}
	if ((r = change_begin(&c, a->mb, need, false)) != STORE_OK)
		return r;
	if (a->n == 1) {
		change_dir_before(&c, CUR);
		if (move_all(a) == -1) {
			r = store_fail(a->mb->st, "place a message", errno);
			change_abort(&c);
			return r;
		}
		c.entries[CUR] = 1;
		change_dir_after(&c, CUR);
	} else
		moved_note(&a->moved, &c, CUR);
	bool lost = intent_lost(&a->intent, c.t);
	for (size_t i = 0; i < a->n && good; i++)
		good = add_one(&c, a->d[i], buf_span(&a->name[i]),
		    &a->uid[i], lost);
	if (!good) {
		change_abort(&c);
		return lost ? STORE_INUSE : STORE_LIMIT;
	}
	if (uidvalidity != NULL)
		*uidvalidity = c.m.uidvalidity;
	intent_done(&a->intent, c.t);
	r = change_commit(&c);
	a->committed = c.committed;
	return r;
}

void
place_withdraw(struct mailbox *mb, const uint32_t *uid, size_t n)
{
	struct change c;

	if (change_begin(&c, mb, n * NEED, true) != STORE_OK)
		return;
	for (size_t i = 0; i < n; i++)
		change_forget(&c, uid[i], true);
	c.spare_list = true;
	change_commit(&c);
}

static enum store_result
append(struct mailbox *mb, struct draft **d, size_t n, uint32_t *uids,
    uint32_t *uidvalidity)
{
	struct append a = { .mb = mb, .d = d, .n = n, .intent = { .fd = -1 } };
	enum store_result r = STORE_OK;
	struct batch b;

	if (mailbox_sub(mb, TMP) == -1 || mailbox_sub(mb, CUR) == -1)
		return mailbox_fail(mb, "open the folder", errno);
	a.name = xcalloc(n, sizeof *a.name);
	a.uid = xcalloc(n, sizeof *a.uid);
	batch_start(&b);
	for (size_t i = 0; i < n; i++)
		cur_name(&b, d[i], &a.name[i]);
	/* A file that is found without its batch has no keywords. */
	if (n > 1 || d[0]->info.keywords > 0)
		r = intent_begin(&a.intent, mb, NULL, &b);
	if (r == STORE_OK)
		r = append_all(&a, uidvalidity);
	if (r == STORE_OK && n == 1 && fsync(mailbox_sub(mb, CUR)) == -1)
		r = store_fail(mb->st, "sync the folder", errno);
	if (r != STORE_OK && a.committed)
		place_withdraw(mb, a.uid, n);
	else if (r != STORE_OK)
		take_back(&a);
	for (size_t i = 0; i < n; i++) {
		if (a.committed)
			d[i]->tmp[0] = '\0';
		if (uids != NULL)
			uids[i] = a.uid[i];
		buf_free(&a.name[i]);
	}
	free(a.uid);
	free(a.name);
	intent_end(&a.intent);
	return r;
}

enum store_result
mailbox_place(struct mailbox *mb, struct draft **d, size_t n, bool delivery,
    uint32_t *uids, uint32_t *uidvalidity)
{
	bool plain = true;

	for (size_t i = 0; i < n; i++) {
		if (d[i]->failed != STORE_OK)
			return d[i]->failed;
		if (!d[i]->finished || d[i]->tmp[0] == '\0')
			return STORE_ERROR;
		plain = plain && d[i]->info.flags == 0 &&
		    d[i]->info.keywords == 0;
	}
	if (n == 0)
		return STORE_OK;
	if (!(mb->rights & RIGHT_WRITE))
		return STORE_DENIED;
	/* A file in new/ has no flags. */
	if (delivery && plain && uids == NULL)
		return deliver(mb, d, n);
	return append(mb, d, n, uids, uidvalidity);
}
