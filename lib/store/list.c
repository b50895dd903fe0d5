/* SPDX-License-Identifier: ISC */
#include "store/list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "store/keyword.h"
#include "store/filename.h"
#include "store/letters.h"
#include "store/line.h"
#include "store/validity.h"

enum {
	LIST_SPARE = 16 << 10,	/* set aside for EXPUNGE on a full disk */
	DEAD_MIN = 64 << 10	/* smaller waste is not worth a rewriting */
};

int
list_open(struct mailbox *mb)
{
	return openat(mb->dir, UIDLIST_FILE, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);
}

enum store_result
list_read(struct mailbox *mb, struct buf *text, uint64_t *inode)
{
	struct stat s;

	if (fstatat(mb->dir, UIDLIST_FILE, &s, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? STORE_NONEXISTENT :
		    mailbox_fail(mb, "look at " UIDLIST_FILE, errno);
	if (file_read(mb->dir, UIDLIST_FILE, LIST_MAX, text) == -1)
		return mailbox_fail(mb, "read " UIDLIST_FILE, errno);
	*inode = s.st_ino;
	return STORE_OK;
}

/* A temporary file beside it with that text, synced. */
static int
make_new(struct mailbox *mb, const char *name, struct span text)
{
	unlinkat(mb->dir, name, 0);	/* of who died here */
	int fd = openat(mb->dir, name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	if (file_write(fd, text) == -1 || fsync(fd) == -1) {
		int e = errno;

		close(fd);
		unlinkat(mb->dir, name, 0);
		errno = e;
		return -1;
	}
	fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)text.n, LIST_SPARE);
	return fd;
}

/* Put it in the place of the old one.  It takes fd. */
static int
take_new(struct mailbox *mb, int fd, const char *name, uint64_t size,
    struct meta *m)
{
	struct stat s;

	if (fstat(fd, &s) == -1 ||
	    renameat(mb->dir, name, mb->dir, UIDLIST_FILE) == -1 ||
	    fsync(mb->dir) == -1) {
		int e = errno;

		unlinkat(mb->dir, name, 0);
		close(fd);
		errno = e;
		return -1;
	}
	if (mb->list != -1)
		close(mb->list);
	mb->list = fd;
	m->list_ino = s.st_ino;
	m->list_size = size;
	m->list_dead = 0;
	return 0;
}

enum store_result
list_replace(struct mailbox *mb, struct span text, struct meta *m)
{
	static const char name[] = UIDLIST_FILE ".new";
	int fd = make_new(mb, name, text);

	if (fd == -1 || take_new(mb, fd, name, text.n, m) == -1)
		return mailbox_fail(mb, "write " UIDLIST_FILE, errno);
	return STORE_OK;
}

/* What the index knows, as the text of a new list. */
static enum store_result
from_index(struct mailbox *mb, struct txn *t, const struct meta *m,
    struct buf *text)
{
	struct key from = key_uid('f', mb->id, 0);
	struct set *has, late[2][UIDLIST_LETTERS] = { 0 };
	struct walk w;
	uint64_t names = 0;

	names_load(mb, t, m);
	has = xcalloc(mb->names->n + 1, sizeof *has);
	uidlist_header(text, m->uidvalidity, m->uidnext, m->guid);
	uidlist_uidnext(text, m->uid_limit > m->uidnext ? m->uid_limit :
	    m->uidnext);
	uidlist_modseq(text, m->modseq_limit);
	for (size_t i = 0; i < mb->names->n; i++)
		uidlist_keyword(text, (uint32_t)i, mb->names->name[i]);
	struct buf gone = { 0 };
	walk_start(&w, t, &from, 5);
	while (walk_next(&w)) {
		uint32_t uid = key_get_u32(&w.key, 5);
		struct span name = { w.val.mv_data, w.val.mv_size };
		struct rec r;
		size_t n;

		uidlist_message(text, uid, filename_base(span_skip(name, 1)));
		names++;
		if (!rec_get(t, mb->id, uid, &r)) {
			txn_damaged(t);
			continue;
		}
		if (r.flags & REC_GONE)
			uidlist_forget(&gone, &(struct uidlist_gone){ uid,
			    r.inode }, 1);
		for (uint32_t i = 0; i < UIDLIST_LETTERS; i++)
			if (rec_late(&r) >> i & 1)
				set_add(&late[r.flags >> i & 1][i], uid, uid);
		const uint32_t *k = set_keywords(mb, t, r.set, &n);
		for (size_t i = 0; i < n && k[i] < mb->names->n; i++)
			set_add(&has[k[i]], uid, uid);
	}
	walk_end(&w);
	for (size_t i = 0; i < mb->names->n; i++) {
		uidlist_flag(text, true, (uint32_t)i, &has[i]);
		set_free(&has[i]);
	}
	for (uint32_t i = 0; i < 2 * UIDLIST_LETTERS; i++) {
		struct set *s = &late[i % 2][i / 2];

		uidlist_late(text, i % 2, 1u << i / 2, s);
		set_free(s);
	}
	buf_add(text, buf_span(&gone));
	buf_free(&gone);
	free(has);
	/* A list that lacks messages would cost them their UIDs. */
	if (names != (uint64_t)m->messages + m->pending)
		txn_damaged(t);
	return txn_result(t);
}

bool
list_is_cut(struct mailbox *mb, const struct meta *m)
{
	struct stat s;

	return fstatat(mb->dir, UIDLIST_FILE, &s, AT_SYMLINK_NOFOLLOW) == -1 ||
	    s.st_ino != m->list_ino || (uint64_t)s.st_size <= m->list_size;
}

/* Whether a whole line was added to what was committed; -1 with errno. */
static int
has_more(struct mailbox *mb, uint64_t size)
{
	char line[UIDLIST_LINE_MAX + 1];
	struct span got = { line, 0 }, whole;
	int fd = list_open(mb);
	ssize_t n = fd == -1 ? -1 :
	    file_pread(fd, line, sizeof line, (int64_t)size);

	if (fd != -1)
		close_quietly(fd);
	if (n == -1)
		return fd == -1 && errno == ENOENT ? 0 : -1;
	got.n = (size_t)n;
	size_t end = span_chr(got, '\n');
	return end < got.n && line_check(span_head(got, end), &whole);
}

/* Whether another file than was committed has all the UIDs of the index; -1
 * with errno. */
static int
has_all(struct mailbox *mb, const struct meta *m)
{
	struct buf text = { 0 };
	struct uidlist l;
	int yes = file_read(mb->dir, UIDLIST_FILE, LIST_MAX, &text);

	if (yes == -1 && (errno == ENOENT || errno == EFBIG))
		yes = 0;	/* none of ours */
	else if (yes == 0 && uidlist_parse(buf_span(&text), &l)) {
		yes = l.uidvalidity == m->uidvalidity &&
		    memcmp(l.guid, m->guid, sizeof l.guid) == 0 &&
		    l.n > 0 && l.msg[l.n - 1].uid + 1 >= m->uidnext;
		uidlist_free(&l);
	}
	buf_free(&text);
	return yes;
}

/* Whether the file in place has the end of what was committed; -1: nobody can
 * tell now. */
static int
is_whole(struct mailbox *mb, uint64_t size)
{
	int fd = list_open(mb);

	if (fd == -1)
		return -1;
	bool yes = list_is_whole(fd, size);
	close(fd);
	return yes;
}

int
list_is_newer(struct mailbox *mb, const struct meta *m)
{
	struct stat s;
	bool there = fstatat(mb->dir, UIDLIST_FILE, &s,
	    AT_SYMLINK_NOFOLLOW) == 0;

	if (!there && errno != ENOENT)
		return -1;
	there = there && S_ISREG(s.st_mode);
	if (m->building) {
		int whole = there && s.st_ino == m->list_ino &&
		    (uint64_t)s.st_size >= m->list_size ?
		    is_whole(mb, m->list_size) : 0;

		return whole < 0 ? -1 : !whole;
	}
	if (!there)
		return false;
	if (s.st_ino != m->list_ino)
		return has_all(mb, m);
	return (uint64_t)s.st_size > m->list_size ?
	    has_more(mb, m->list_size) : 0;
}

/* What is about to be thrown away: lines of a writer that died, or of an
 * index newer than this one, which was put back from a backup.  Their numbers
 * are not used again. */
static void
heed(struct change *c, uint64_t from, uint64_t end)
{
	enum { TAIL = 64 << 20 };
	struct mailbox *mb = c->mb;
	struct buf b = { 0 };
	size_t n = end - from < TAIL ? (size_t)(end - from) : TAIL;
	uint32_t uidnext = c->m.uidnext;
	uint64_t modseq = c->m.modseq;
	ssize_t got = file_pread(mb->list, buf_room(&b, n), n,
	    (int64_t)(end - n));

	if (got > 0) {
		b.n = (size_t)got;
		uidlist_heed(buf_span(&b), &uidnext, &modseq);
	}
	buf_free(&b);
	if (uidnext > c->m.uid_limit)
		c->m.uidnext = uidnext;
	if (modseq > c->m.modseq_limit && c->modseq == 0)
		c->m.modseq = modseq;
}

bool
list_is_whole(int fd, uint64_t size)
{
	enum { TAIL = UIDLIST_LINE_MAX + 1 };
	size_t n = size < TAIL ? (size_t)size : TAIL;
	char *tail = xmalloc(n + 1);
	bool whole = false;
	struct span text;

	if (n > 0 && file_pread(fd, tail, n, (int64_t)(size - n)) ==
	    (ssize_t)n && tail[n - 1] == '\n') {
		struct span line = { tail, n - 1 };
		size_t lf = span_rchr(line, '\n');

		whole = line_check(lf == line.n ? line :
		    span_skip(line, lf + 1), &text);
	}
	free(tail);
	return whole;
}

/* Whether what is open is what was committed, and in its place: others write
 * the list anew, too. */
static bool
is_open(struct mailbox *mb, const struct meta *m)
{
	struct stat s, there;

	return mb->list != -1 && fstat(mb->list, &s) == 0 &&
	    fstatat(mb->dir, UIDLIST_FILE, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    s.st_ino == m->list_ino && there.st_ino == m->list_ino;
}

/* Open the file; if it is not what was committed, write it anew. */
enum store_result
list_cut(struct change *c)
{
	struct mailbox *mb = c->mb;
	struct buf text = { 0 };
	struct stat s;
	bool whole = true;

	if (mb->list != -1 && !is_open(mb, &c->m)) {
		close(mb->list);
		mb->list = -1;
	}
	if (mb->list == -1) {
		mb->list = openat(mb->dir, UIDLIST_FILE,
		    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (mb->list == -1 && errno != ENOENT && errno != ELOOP)
			return mailbox_fail(mb, "open " UIDLIST_FILE, errno);
		whole = mb->list != -1 &&
		    list_is_whole(mb->list, c->m.list_size);
	}
	if (mb->list != -1 && fstat(mb->list, &s) == -1)
		return mailbox_fail(mb, "look at " UIDLIST_FILE, errno);
	if (whole && s.st_ino == c->m.list_ino &&
	    (uint64_t)s.st_size >= c->m.list_size) {
		if ((uint64_t)s.st_size > c->m.list_size)
			heed(c, c->m.list_size, (uint64_t)s.st_size);
		if ((uint64_t)s.st_size > c->m.list_size &&
		    ftruncate(mb->list, (off_t)c->m.list_size) == -1)
			return mailbox_fail(mb, "cut " UIDLIST_FILE, errno);
		return STORE_OK;
	}
	if (c->m.building) {
		/* The index does not know yet what is to be in it. */
		store_fail(mb->st, UIDLIST_FILE " was changed while it was "
		    "read", 0);
		return STORE_INUSE;
	}
	if (mb->list != -1 && S_ISREG(s.st_mode))
		heed(c, 0, (uint64_t)s.st_size);
	enum store_result r = from_index(mb, c->t, &c->m, &text);
	if (r == STORE_OK)
		r = list_replace(mb, buf_span(&text), &c->m);
	c->list_anew = r == STORE_OK;
	buf_free(&text);
	return r;
}

enum store_result
list_append(struct change *c)
{
	struct mailbox *mb = c->mb;
	struct span s = buf_span(&c->lines);

	c->list_anew = false;
	enum store_result r = list_cut(c);
	if (r != STORE_OK)
		return r;
	/* What is written anew has all that the lines say. */
	if (s.n == 0 || c->list_anew)
		return STORE_OK;
	c->list_from = c->m.list_size;
	if (lseek(mb->list, (off_t)c->m.list_size, SEEK_SET) == -1 ||
	    file_write(mb->list, s) == -1) {
		r = mailbox_fail(mb, "write " UIDLIST_FILE, errno);
		if (ftruncate(mb->list, (off_t)c->m.list_size) == -1)
			r = mailbox_fail(mb, "cut " UIDLIST_FILE, errno);
		return r;
	}
	c->m.list_size += s.n;
	if (c->reserved && fdatasync(mb->list) == -1)
		return mailbox_fail(mb, "sync " UIDLIST_FILE, errno);
	return STORE_OK;
}

void
list_take_back(struct change *c)
{
	if (c->list_from == 0 || c->mb->list == -1)
		return;
	if (ftruncate(c->mb->list, (off_t)c->list_from) == 0)
		(void)fdatasync(c->mb->list);
	c->list_from = 0;
}

enum store_result
list_sync(struct mailbox *mb)
{
	if (mb->list != -1 && fdatasync(mb->list) == -1)
		return mailbox_fail(mb, "sync " UIDLIST_FILE, errno);
	return STORE_OK;
}

/* The UIDVALIDITY of another server's files, or 0. */
static enum store_result
foreign_validity(struct mailbox *mb, uint32_t *v)
{
	struct import im = { 0 };

	*v = 0;
	if (!import_there(mb->dir))
		return STORE_OK;
	bool found = import_folder(mb->dir, &im);
	if (found)
		*v = im.uidvalidity;
	arena_free(&im.mem);
	return im.err == 0 ? STORE_OK :
	    mailbox_fail(mb, "another server's list", im.err);
}

enum store_result
list_renumber(struct mailbox *mb)
{
	struct buf text = { 0 };
	struct change c;
	uint32_t v;
	enum store_result r = foreign_validity(mb, &v);

	/* Who never opened it would take it over by its new name. */
	if (r != STORE_OK || v == 0 ||
	    (r = change_begin(&c, mb, 0, true)) != STORE_OK)
		return r;
	if (c.m.uidvalidity == v) {
		r = validity_new(mb->st, &c.m.uidvalidity);
		if (r == STORE_OK)
			r = from_index(mb, c.t, &c.m, &text);
		if (r == STORE_OK)
			r = list_replace(mb, buf_span(&text), &c.m);
		buf_free(&text);
	}
	if (r == STORE_OK)
		return change_commit(&c);
	change_abort(&c);
	return r;
}

/* Copy what was added to the old list while the new one was written. */
static int
copy_tail(int old, int to, uint64_t from, uint64_t end)
{
	struct buf b = { 0 };
	size_t n = (size_t)(end - from);
	int r = -1;

	if (file_pread(old, buf_room(&b, n), n, (int64_t)from) ==
	    (ssize_t)n) {
		b.n = n;
		r = file_write(to, buf_span(&b));
		if (r == 0)
			r = fsync(to);
	}
	buf_free(&b);
	return r;
}

/* Put a new list in the place of the old one, which the index had at m. */
static enum store_result
put_compact(struct mailbox *mb, int old, const struct meta *m,
    struct span text)
{
	struct buf name = { 0 };
	struct change c;
	struct stat s;

	buf_addf(&name, UIDLIST_FILE ".%ld", (long)getpid());
	int fd = make_new(mb, buf_cstr(&name), text);
	enum store_result r = fd == -1 ? STORE_FULL :
	    change_begin(&c, mb, 0, false);

	if (r == STORE_OK) {
		/* Someone else may have done it; then this is not needed. */
		if (fstat(old, &s) == 0 && s.st_ino == c.m.list_ino &&
		    m->list_ino == c.m.list_ino &&
		    c.m.list_size >= m->list_size && copy_tail(old, fd,
		    m->list_size, c.m.list_size) == 0) {
			if (take_new(mb, fd, buf_cstr(&name), text.n +
			    c.m.list_size - m->list_size, &c.m) == 0)
				r = change_commit(&c);
			fd = -1;
		}
		change_abort(&c);
	}
	if (fd != -1) {
		close(fd);
		unlinkat(mb->dir, buf_cstr(&name), 0);
	}
	buf_free(&name);
	return r;
}

enum store_result
list_compact(struct mailbox *mb)
{
	struct buf text = { 0 };
	struct meta m;
	struct txn t;
	/* While it is open no other file has its number. */
	int old = list_open(mb);
	enum store_result r = old == -1 ? STORE_OK : txn_read(mb->st, &t);

	if (old == -1 || r != STORE_OK) {
		if (old != -1)
			close(old);
		return r;
	}
	bool want = mb->generation == index_generation(mb->st) &&
	    meta_get(&t, mb->id, &m) && !m.building &&
	    m.list_dead >= DEAD_MIN && m.list_dead >= m.list_size / 2;
	if (want)
		r = from_index(mb, &t, &m, &text);
	txn_abort(&t);
	if (want && r == STORE_OK)
		r = put_compact(mb, old, &m, buf_span(&text));
	buf_free(&text);
	close(old);
	return r;
}
