/* SPDX-License-Identifier: ISC */
#include "store/reap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/attach.h"
#include "store/dirs.h"
#include "store/filename.h"
#include "store/letters.h"
#include "store/list.h"
#include "store/place.h"
#include "store/scan.h"

enum {
	AT_ONCE = 256,
	NEED = 2048,
	TOMBSTONES = 10000,	/* kept at least, beside one a message */
	TMP_AGE = 36 * 3600,
	PURGE = 2000		/* keys */
};

struct corpse {
	uint32_t uid;
	int dir;
	uint64_t inode;
	char name[256];
	bool lost;		/* not there under that name */
};

/* Some of what is to be unlinked, after UID *from. */
static size_t
collect(struct mailbox *mb, struct txn *t, uint32_t *from,
    struct corpse corpse[AT_ONCE])
{
	struct key k = key_uid('p', mb->id, *from);
	struct span name;
	struct walk w;
	struct rec r;
	size_t n = 0;

	walk_start(&w, t, &k, 5);
	while (n < AT_ONCE && walk_next(&w)) {
		struct corpse *c = &corpse[n++];

		*c = (struct corpse){ .uid = key_get_u32(&w.key, 5) };
		*from = c->uid + 1;
		if (!name_must(t, mb->id, c->uid, &c->dir, &name) ||
		    !rec_get(t, mb->id, c->uid, &r) ||
		    name.n >= sizeof c->name)
			continue;
		memcpy(c->name, name.p, name.n);
		c->inode = r.inode;
	}
	walk_end(&w);
	return n;
}

/* Only the file that was expunged: another of its name is a new message. */
static void
unlink_one(struct mailbox *mb, struct corpse *c)
{
	int fd = mailbox_sub(mb, c->dir);
	struct stat s;

	if (c->name[0] == '\0')
		return;
	int r = fd == -1 ? -1 :
	    fstatat(fd, c->name, &s, AT_SYMLINK_NOFOLLOW);
	if (r == 0 && s.st_ino == c->inode)
		r = unlinkat(fd, c->name, 0);
	if (r == 0)
		return;
	/* What cannot be unlinked now stays known as dead, or the next look
	 * would take it for a new message. */
	if (fd != -1 && errno == ENOENT)
		c->lost = true;
	else
		c->uid = 0;
}

/* What another program renamed the look finds under its new name.  It is then
 * left for the next time, and so is what may only have been missed: it would
 * come back as a new message. */
static void
find_lost(struct mailbox *mb, struct corpse *c, size_t n)
{
	struct set lost = { 0 };
	bool found, sure = false;
	struct txn t;
	struct meta m;

	for (size_t i = 0; i < n; i++)
		if (c[i].lost)
			set_add(&lost, c[i].uid, c[i].uid);
	if (lost.n == 0)
		return;
	if (mailbox_look(mb, LOOK_MISSED, &found) == STORE_OK &&
	    mailbox_read(mb, &t, &m) == STORE_OK) {
		sure = scan_proves_gone(mb, &t, &lost);
		txn_abort(&t);
	}
	for (size_t i = 0; i < n; i++)
		if (c[i].lost && (!sure || !set_has(&lost, c[i].uid)))
			c[i].uid = 0;
	set_free(&lost);
}

static void
forget_old(struct change *c)
{
	struct key k = key_mailbox('t', c->mb->id);
	uint32_t uid[AT_ONCE];
	size_t n = 0;
	struct walk w;
	struct span v;

	walk_start(&w, c->t, &k, k.n);
	while (n < COUNT(uid) && c->m.tombstones > TOMBSTONES +
	    c->m.messages && walk_next(&w)) {
		uint32_t u = key_get_u32(&w.key, 13);
		struct key p = key_uid('p', c->mb->id, u);

		if (txn_get(c->t, &p, &v))
			break;
		uid[n++] = u;
		c->m.floor = key_get_u64(&w.key, 5);
		walk_delete(&w);
		c->m.tombstones--;
	}
	walk_end(&w);
	while (n-- > 0) {
		struct key m = key_uid('m', c->mb->id, uid[n]);

		txn_del(c->t, &m);
	}
}

static enum store_result
reap_some(struct mailbox *mb, struct corpse *corpse, size_t n)
{
	struct moved moved[2] = { 0 };
	struct change c;
	bool in[2] = { false, false };

	for (int d = CUR; d <= NEW; d++)
		moved_before(&moved[d], mailbox_sub(mb, d));
	for (size_t i = 0; i < n; i++) {
		unlink_one(mb, &corpse[i]);
		in[corpse[i].dir] = true;
	}
	for (int d = CUR; d <= NEW; d++)
		moved_after(&moved[d], mailbox_sub(mb, d));
	for (int d = CUR; d <= NEW; d++)
		if (in[d] && fsync(mailbox_sub(mb, d)) == -1)
			return store_fail(mb->st, "sync the folder", errno);
	find_lost(mb, corpse, n);
	enum store_result r = change_begin(&c, mb, n * NEED, true);
	if (r != STORE_OK)
		return r;
	for (size_t i = 0; i < n; i++)
		if (corpse[i].uid != 0)
			change_reaped(&c, corpse[i].uid);
	for (int d = CUR; d <= NEW; d++)
		moved_note(&moved[d], &c, d);
	forget_old(&c);
	return change_commit(&c);
}

enum store_result
mailbox_reap(struct mailbox *mb, store_go *go, void *arg)
{
	enum store_result r;
	uint32_t from = 0;
	size_t n;

	do {
		struct corpse corpse[AT_ONCE];
		struct txn t;
		struct meta m;

		if ((r = mailbox_read(mb, &t, &m)) != STORE_OK)
			return r;
		bool first = from == 0;

		n = m.pending == 0 ? 0 : collect(mb, &t, &from, corpse);
		if (first && n == 0 && m.pending > 0)
			txn_damaged(&t);
		r = txn_result(&t);
		txn_abort(&t);
		if (r == STORE_OK && n > 0 && go != NULL && !go(arg))
			return STORE_OK;
		if (n > 0 && r == STORE_OK)
			r = reap_some(mb, corpse, n);
	} while (r == STORE_OK && n == AT_ONCE);
	return r == STORE_OK ? list_compact(mb) : r;
}

/* --- new/ to cur/ --- */

struct arrival {
	uint32_t uid;
	char name[256];
};

static size_t
collect_new(struct change *c, struct arrival *a, size_t max)
{
	struct key k = key_mailbox('u', c->mb->id);
	struct span name;
	struct walk w;
	size_t n = 0;
	int dir;

	walk_start(&w, c->t, &k, k.n);
	while (n < max && walk_next(&w)) {
		a[n] = (struct arrival){ .uid = key_get_u32(&w.key, k.n) };
		if (rec_name(c->t, c->mb->id, a[n].uid, &dir, &name) &&
		    dir == NEW && name.n < sizeof a[n].name) {
			memcpy(a[n].name, name.p, name.n);
			n++;
		}
	}
	walk_end(&w);
	return n;
}

static size_t
take_some(struct change *c)
{
	struct mailbox *mb = c->mb;
	struct arrival a[AT_ONCE];
	size_t n = collect_new(c, a, COUNT(a)), moved = 0;
	struct buf to = { 0 };

	change_dir_before(c, CUR);
	change_dir_before(c, NEW);
	for (size_t i = 0; i < n; i++) {
		struct span name = span_str(a[i].name);
		struct rec r;

		if (!rec_get(c->t, mb->id, a[i].uid, &r))
			continue;
		buf_clear(&to);
		letters_name(&to, filename_base(name), filename_flags(name),
		    r.flags);
		if (file_move(mailbox_sub(mb, NEW), a[i].name,
		    mailbox_sub(mb, CUR), buf_cstr(&to)) == -1)
			continue;
		change_moved(c, a[i].uid, NEW, buf_span(&to));
		moved++;
	}
	change_dir_after(c, CUR);
	change_dir_after(c, NEW);
	buf_free(&to);
	return moved;
}

enum store_result
mailbox_take_new(struct mailbox *mb, uint32_t uidnext)
{
	size_t n;

	do {
		struct key k;
		struct walk w;
		struct change c;
		struct txn t;
		struct meta m;
		enum store_result r = mailbox_read(mb, &t, &m);

		if (r != STORE_OK)
			return r;
		k = key_mailbox('u', mb->id);
		walk_start(&w, &t, &k, k.n);
		bool any = walk_next(&w);
		walk_end(&w);
		txn_abort(&t);
		if (!any && m.first_recent >= uidnext)
			return STORE_OK;
		r = change_begin(&c, mb, AT_ONCE * NEED, true);
		if (r != STORE_OK)
			return r;
		n = take_some(&c);
		if (c.m.first_recent < uidnext)
			c.m.first_recent = uidnext;
		if ((r = change_commit(&c)) != STORE_OK)
			return r;
	} while (n == AT_ONCE);
	return STORE_OK;
}

void
mailbox_sweep(struct mailbox *mb)
{
	DIR *d = dirs_open(mb, TMP);
	int64_t now = clock_now();
	struct dirent *e;
	struct stat s;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &s,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode) &&
		    now - s.st_mtim.tv_sec > TMP_AGE &&
		    now - s.st_ctim.tv_sec > TMP_AGE)
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

/* --- mailboxes that are no more --- */

/* Whether all records of that kind are gone now. */
static bool
purge_kind(struct txn *t, char kind, uint32_t mailbox, int *left)
{
	struct key k = key_mailbox(kind, mailbox);
	uint64_t object[PURGE];
	int n = 0;
	struct walk w;
	bool more = false;

	walk_start(&w, t, &k, k.n);
	while (walk_next(&w)) {
		struct rec r;

		if (*left == 0) {
			more = true;
			break;
		}
		if (kind == 'm' && w.val.mv_size == sizeof r) {
			struct key p = key_uid('p', mailbox,
			    key_get_u32(&w.key, 5));
			struct span v;

			memcpy(&r, w.val.mv_data, sizeof r);
			if (!(r.flags & REC_GONE) || txn_get(t, &p, &v))
				object[n++] = r.object;
		}
		walk_delete(&w);
		--*left;
	}
	walk_end(&w);
	while (n-- > 0)
		object_drop(t, object[n]);
	return !more;
}

void
store_purge(struct store *st)
{
	static const char kinds[] = "mfnubjtpwkqM";
	struct key k = key_start('Z');
	struct walk w;
	struct txn t;
	uint32_t id = 0;
	int left = PURGE;

	if (txn_read(st, &t) != STORE_OK)
		return;
	walk_start(&w, &t, &k, 1);
	bool any = walk_next(&w);
	if (any)
		id = key_get_u32(&w.key, 1);
	walk_end(&w);
	txn_abort(&t);
	if (!any || txn_write(st, &t, PURGE * 256, true) != STORE_OK)
		return;
	bool all = true;
	for (const char *p = kinds; all && *p != '\0'; p++)
		all = purge_kind(&t, *p, id, &left);
	if (all) {
		struct key z = key_mailbox('Z', id);

		txn_del(&t, &z);
	}
	txn_commit(&t);
}
