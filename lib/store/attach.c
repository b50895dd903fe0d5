/* SPDX-License-Identifier: ISC */
#include "store/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/file.h"
#include "base/log.h"
#include "store/bell.h"
#include "store/intent.h"
#include "store/keyword.h"
#include "store/list.h"
#include "store/letters.h"
#include "store/scan.h"
#include "store/validity.h"

static struct key
key_disk(const char *disk)
{
	struct key k = key_start('D');

	key_u64(&k, letters_hash(span_str(disk)));
	return k;
}

static struct key
key_inode(uint64_t dev, uint64_t ino)
{
	struct key k = key_start('I');

	key_u64(&k, dev);
	key_u64(&k, ino);
	return k;
}

/* The mailbox that was last known by that directory name, or 0. */
static uint32_t
by_disk(struct txn *t, const char *disk)
{
	struct key k = key_disk(disk);
	struct span v;
	uint32_t id;

	if (!txn_get(t, &k, &v) || v.n < sizeof id ||
	    !span_eq(span_skip(v, sizeof id), span_str(disk)))
		return 0;
	memcpy(&id, v.p, sizeof id);
	return id;
}

static void
put_disk(struct txn *t, const char *disk, uint32_t id)
{
	struct key k = key_disk(disk);
	struct buf v = { 0 };

	buf_add(&v, (struct span){ (char *)&id, sizeof id });
	buf_adds(&v, disk);
	txn_put(t, &k, buf_span(&v));
	buf_free(&v);
}

static bool
same_dir(const struct mailbox *mb, const struct meta *m)
{
	return m->dev == mb->dev && m->ino == mb->ino;
}

/* Find the mailbox in the index: by its name, else by device and inode, when
 * the folder was renamed behind us. */
static bool
find(struct mailbox *mb, struct txn *t, uint32_t *id, struct meta *m)
{
	struct key k = key_inode(mb->dev, mb->ino);

	*id = by_disk(t, mb->disk);
	if (*id != 0 && meta_get(t, *id, m) && same_dir(mb, m))
		return true;
	return txn_get_fixed(t, &k, id, sizeof *id) &&
	    meta_get(t, *id, m) && same_dir(mb, m);
}

/* Whether a list is of this mailbox; named where it cannot be read. */
static bool
head_agrees(int fd, const struct meta *m, bool named)
{
	struct uidlist l;
	char head[256];
	bool yes = named;
	ssize_t n = file_pread(fd, head, sizeof head, 0);

	if (n > 0 && uidlist_parse((struct span){ head, (size_t)n }, &l)) {
		yes = memcmp(l.guid, m->guid, sizeof m->guid) == 0 &&
		    l.uidvalidity == m->uidvalidity;
		uidlist_free(&l);
	}
	return yes;
}

/* Whether the folder's own list, if it can be read, is of this mailbox:
 * inode numbers are used again, so without one only the name will do. */
static bool
list_agrees(struct mailbox *mb, const struct meta *m, bool named)
{
	int fd = list_open(mb);

	if (fd == -1)
		return named;	/* lost: it will be written anew */
	bool yes = head_agrees(fd, m, named);
	close(fd);
	return yes;
}

/* A mailbox that is no more, or that another has taken the place of: it can
 * be found no longer, and store_purge removes its records. */
static void
bury(struct txn *t, uint32_t id)
{
	struct key z = key_mailbox('Z', id), mk = key_mailbox('M', id);
	struct meta m;
	uint32_t found;

	if (!meta_get(t, id, &m))
		return;
	struct key i = key_inode(m.dev, m.ino);
	if (txn_get_fixed(t, &i, &found, sizeof found) && found == id)
		txn_del(t, &i);
	txn_del(t, &mk);
	txn_put(t, &z, SPAN(""));
}

/* Whether the list is of this mailbox, and ends where this index committed
 * it.  If not, someone is writing, died writing, or put an old index in the
 * place of a newer; or the power went and took the octets of the last
 * lines. */
static bool
list_exact(struct mailbox *mb, const struct meta *m)
{
	struct stat s;
	int fd = list_open(mb);

	if (fd == -1)
		return false;
	bool yes = fstat(fd, &s) == 0 && s.st_ino == m->list_ino &&
	    (uint64_t)s.st_size == m->list_size &&
	    list_is_whole(fd, m->list_size) && head_agrees(fd, m, true);
	close(fd);
	return yes;
}

/* The mailbox has that number.  Keywords are numbered with it. */
static void
be(struct mailbox *mb, uint32_t id)
{
	if (mb->id != id)
		names_free(mb);
	mb->id = id;
}

/* --- a folder that the index does not know --- */

static void
number_mailbox(struct change *c)
{
	struct txn *t = c->t;
	struct mailbox *mb = c->mb;
	struct key k = key_inode(mb->dev, mb->ino);
	uint32_t old = by_disk(t, mb->disk), same;

	/* One whose folder was renamed behind us comes anew from its list:
	 * its records must not be found while they are being removed. */
	be(mb, t->root.next_mailbox++);
	if (old != 0)
		bury(t, old);
	if (txn_get_fixed(t, &k, &same, sizeof same) && same != old)
		bury(t, same);
	else
		same = old;
	/* Its batches are still coming, and are not to be taken in before. */
	if (same != 0)
		intent_renumbered(t, same, mb->id);
	t->touched = true;
	put_disk(t, mb->disk, mb->id);
	txn_put(t, &k, (struct span){ (char *)&mb->id, sizeof mb->id });
	c->m = (struct meta){ .dev = mb->dev, .ino = mb->ino, .building = 1 };
}

static void
put_keywords(struct change *c, const struct uidlist *l)
{
	for (size_t i = 0; i < l->keywords; i++) {
		struct key k = key_uid('w', c->mb->id, (uint32_t)i);

		txn_put(c->t, &k, l->keyword[i]);
	}
	c->m.keywords = (uint32_t)l->keywords;
}

static void
take_list(struct change *c, const struct uidlist *l, uint64_t inode)
{
	c->m.uidvalidity = l->uidvalidity;
	c->m.uidnext = c->m.uid_limit = l->uidnext;
	/* All below may have been seen by a client. */
	c->m.modseq = c->m.modseq_limit = c->m.floor = l->modseq;
	memcpy(c->m.guid, l->guid, sizeof c->m.guid);
	c->m.list_size = l->good;
	c->m.list_ino = inode;
	put_keywords(c, l);
}

/* The list that another server's files make. */
static void
import_text(const struct import *im, struct buf *text)
{
	struct names { struct span *name; struct set *has; size_t n, cap; };
	struct names k = { 0 };
	struct buf tail = { 0 };

	for (size_t i = 0; i < im->n; i++) {
		const struct import_msg *m = &im->msg[i];

		if (m->uid == 0)
			continue;
		uidlist_message(text, m->uid, m->base);
		for (size_t j = 0; j < m->keywords; j++) {
			size_t x = 0;

			while (x < k.n &&
			    !span_ieq(k.name[x], m->keyword[j]))
				x++;
			if (x == k.n && k.n < UIDLIST_KEYWORDS_MAX) {
				k.n++;
				k.name = xrealloc(k.name,
				    k.n * sizeof *k.name);
				k.has = xrealloc(k.has, k.n * sizeof *k.has);
				k.name[x] = m->keyword[j];
				k.has[x] = (struct set){ 0 };
			}
			if (x < k.n)
				set_add(&k.has[x], m->uid, m->uid);
		}
	}
	for (size_t x = 0; x < k.n; x++) {
		uidlist_keyword(&tail, (uint32_t)x, k.name[x]);
		uidlist_flag(&tail, true, (uint32_t)x, &k.has[x]);
		set_free(&k.has[x]);
	}
	buf_add(text, buf_span(&tail));
	buf_free(&tail);
	free(k.name);
	free(k.has);
}

/* Clients will fetch everything again: somebody should know why. */
static void
warn_unread(const struct mailbox *mb, bool over)
{
	const char *file = over ? NULL : import_unread(mb->dir);

	if (file != NULL)
		log_warn("%s: the header of %s cannot be read: UIDs begin "
		    "anew", mb->disk, file);
}

/* No list of ours: begin one, from another server's files if there are. */
static enum store_result
begin_list(struct change *c)
{
	struct import im = { 0 };
	struct buf text = { 0 };
	struct uidlist l;
	uint32_t v = 0, next = 1;
	enum store_result r;
	uint8_t guid[16];

	/* UIDs that were given since then nobody knows any more. */
	bool over = import_over(c->mb->dir);
	bool found = !over && import_folder(c->mb->dir, &im);
	if (im.err != 0) {
		arena_free(&im.mem);
		return store_fail(c->mb->st, "another server's list", im.err);
	}
	random_fill(guid, sizeof guid);
	if (found && im.has_guid)
		memcpy(guid, im.guid, sizeof guid);
	if (found && im.uidvalidity != 0) {
		v = im.uidvalidity;
		next = im.uidnext;
		r = validity_seen(c->mb->st, v);
	} else {
		warn_unread(c->mb, over);
		r = validity_new(c->mb->st, &v);
	}
	if (r != STORE_OK) {
		arena_free(&im.mem);
		return r;
	}
	uidlist_header(&text, v, next, guid);
	uidlist_modseq(&text, 1);
	if (found)
		import_text(&im, &text);
	c->m.building = found ? 2 : 1;
	r = list_replace(c->mb, buf_span(&text), &c->m);
	if (r == STORE_OK && uidlist_parse(buf_span(&text), &l)) {
		take_list(c, &l, c->m.list_ino);
		uidlist_free(&l);
	}
	arena_free(&im.mem);
	buf_free(&text);
	return r;
}

/* Whether a batch that may have to be undone is of it. */
static bool
in_doubt(struct change *c)
{
	struct key k = key_inode(c->mb->dev, c->mb->ino);
	uint32_t same;

	return intent_touches(c->t, by_disk(c->t, c->mb->disk)) ||
	    (txn_get_fixed(c->t, &k, &same, sizeof same) &&
	    intent_touches(c->t, same));
}

static enum store_result
attach_new(struct change *c)
{
	struct buf text = { 0 };
	struct uidlist l;
	uint64_t inode = 0;
	enum store_result r = list_read(c->mb, &text, &inode);

	number_mailbox(c);
	if (r == STORE_OK && uidlist_parse(buf_span(&text), &l)) {
		take_list(c, &l, inode);
		/* Who began it from another server's files died, and the
		 * keywords in their names are still to be read. */
		if (import_there(c->mb->dir) && !import_over(c->mb->dir))
			c->m.building = 2;
		uidlist_free(&l);
		/* No folder made later is to have the same. */
		r = validity_seen(c->mb->st, c->m.uidvalidity);
	} else if (r == STORE_OK || r == STORE_NONEXISTENT)
		r = begin_list(c);
	buf_free(&text);
	return r;
}

enum store_result
attach_path(struct mailbox *mb)
{
	struct stat s;

	if (fstatat(mb->st->dir, mb->disk, &s, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? STORE_CHANGED :
		    store_fail(mb->st, mb->disk, errno);
	return s.st_dev == mb->dev && s.st_ino == mb->ino ? STORE_OK :
	    STORE_CHANGED;
}

static bool
is_attached(struct mailbox *mb, struct txn *t, struct meta *m)
{
	/* The folder too: another index may have been written over ours. */
	return mb->generation == index_generation(mb->st) &&
	    meta_get(t, mb->id, m) && same_dir(mb, m);
}

enum store_result
attach_join(struct change *c)
{
	struct mailbox *mb = c->mb;
	uint32_t id;

	if (!is_attached(mb, c->t, &c->m)) {
		if (attach_path(mb) != STORE_OK ||
		    !find(mb, c->t, &id, &c->m) ||
		    !list_agrees(mb, &c->m, id == by_disk(c->t, mb->disk)))
			return STORE_CHANGED;
		be(mb, id);
		mb->generation = index_generation(mb->st);
	}
	if (c->m.building)
		return STORE_CHANGED;
	/* What a dead writer did there is not to be cut: who attaches it
	 * takes it in. */
	if (list_is_newer(mb, &c->m) != 0) {
		mb->generation = 0;
		return STORE_CHANGED;
	}
	return STORE_OK;
}

/* The mailbox is not known to us, or its list says more than the index.
 * settled: no batch waits to be undone. */
static enum store_result
attach_again(struct change *c, bool stale, bool settled)
{
	struct mailbox *mb = c->mb;
	uint32_t id, named = by_disk(c->t, mb->disk);
	int newer = 1;

	if (!stale && find(mb, c->t, &id, &c->m) &&
	    list_agrees(mb, &c->m, id == named))
		newer = list_is_newer(mb, &c->m);
	if (newer == -1)
		return mailbox_fail(mb, "read " UIDLIST_FILE, errno);
	if (newer == 0) {
		be(mb, id);
		/* What is kept of another index means nothing. */
		mb->generation = index_generation(mb->st);
		if (id != named)
			put_disk(c->t, mb->disk, id);
		enum store_result r = list_cut(c);
		return r == STORE_FULL ? STORE_OK : r;
	}
	if (!settled && in_doubt(c)) {
		store_fail(mb->st, "a batch cannot be undone now", 0);
		return STORE_INUSE;
	}
	return attach_new(c);
}

enum store_result
attach_begin(struct change *c, struct mailbox *mb, size_t need, bool reserve)
{
	*c = (struct change){ .mb = mb,
		.no = { UINT32_MAX, UINT32_MAX, UINT32_MAX,
		    UINT32_MAX } };
	enum store_result r = txn_write(mb->st, &c->own, need, reserve);

	if (r != STORE_OK)
		return r;
	c->t = &c->own;
	c->began = clock_ms();
	bool settled = intent_undo_dead(c->t);
	int newer = 0;
	if (is_attached(mb, c->t, &c->m) &&
	    (newer = list_is_newer(mb, &c->m)) == 0)
		return STORE_OK;
	r = newer == -1 ? mailbox_fail(mb, "read " UIDLIST_FILE, errno) :
	    attach_path(mb);
	if (r == STORE_OK)
		r = attach_again(c, newer > 0, settled);
	if (r != STORE_OK) {
		change_abort(c);
		return r;
	}
	mb->generation = index_generation(mb->st);
	return STORE_OK;
}

/* Reading alone finds most mailboxes. */
static bool
attach_quietly(struct mailbox *mb, struct txn *t, struct meta *m)
{
	uint32_t id = by_disk(t, mb->disk);

	if (id == 0 || !meta_get(t, id, m) || !same_dir(mb, m) ||
	    m->building || !list_exact(mb, m))
		return false;
	be(mb, id);
	mb->generation = index_generation(mb->st);
	return true;
}

bool
attach_known(struct mailbox *mb, struct txn *t, struct meta *m)
{
	uint32_t id;

	if (!find(mb, t, &id, m))
		return false;
	be(mb, id);
	mb->generation = index_generation(mb->st);
	return true;
}

void
attach_forget(struct mailbox *mb, struct txn *t)
{
	struct meta m;

	if (attach_known(mb, t, &m))
		bury(t, mb->id);
	mb->generation = 0;
}

enum store_result
mailbox_read(struct mailbox *mb, struct txn *t, struct meta *m)
{
	for (int try = 0; try < 4; try++) {
		struct change c;
		enum store_result r = txn_read(mb->st, t);

		if (r != STORE_OK)
			return r;
		if ((is_attached(mb, t, m) && !m->building) ||
		    attach_quietly(mb, t, m))
			return STORE_OK;
		txn_abort(t);
		if ((r = change_begin(&c, mb, 0, true)) != STORE_OK)
			return r;
		r = change_commit(&c);
		/* Damage was found perhaps, and the index is made anew. */
		if (r != STORE_OK && (r != STORE_ERROR || try > 1))
			return r;
	}
	store_fail(mb->st, "the mailbox does not become ready", 0);
	return STORE_INUSE;
}

enum store_result
mailbox_meta(struct mailbox *mb, struct meta *m)
{
	struct txn t;
	enum store_result r = mailbox_read(mb, &t, m);

	if (r == STORE_OK)
		txn_abort(&t);
	return r;
}

/* --- what folders.c tells --- */

static enum store_result
told(struct store *st, const char *from, const char *to)
{
	struct txn t;
	enum store_result r = txn_write(st, &t, 0, true);

	if (r != STORE_OK)
		return r;
	uint32_t id = by_disk(&t, from);
	if (id != 0) {
		struct key k = key_disk(from);
		uint32_t old = to == NULL ? id : by_disk(&t, to);

		txn_del(&t, &k);
		if (old != 0 && (to == NULL || old != id))
			bury(&t, old);
		if (to != NULL) {
			put_disk(&t, to, id);
			intent_moved(&t, id, to);
		}
	}
	r = txn_commit(&t);
	bell_ring(st);
	return r;
}

enum store_result
folder_moved(struct store *st, const char *from, const char *to)
{
	return told(st, from, to);
}

enum store_result
folder_gone(struct store *st, const char *disk)
{
	return told(st, disk, NULL);
}
