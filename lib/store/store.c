/* SPDX-License-Identifier: ISC */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/die.h"
#include "store/attach.h"
#include "store/folders.h"
#include "store/keyword.h"
#include "store/scan.h"
#include "store/urlkey.h"
#include "store/witness.h"

enum {
	RESCAN = 30,
	TIGHT = 64 << 20	/* octets */
};

enum store_result
store_fail(struct store *st, const char *what, int err)
{
	buf_clear(&st->why);
	buf_adds(&st->why, what);
	if (err != 0) {
		buf_adds(&st->why, ": ");
		buf_adds(&st->why, strerror(err));
	}
	buf_cstr(&st->why);
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return STORE_FULL;
	case ENOENT:
		return STORE_NONEXISTENT;
	case EEXIST:
		return STORE_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return STORE_DENIED;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EFBIG:
		return STORE_LIMIT;
	default:
		return STORE_ERROR;
	}
}

bool
store_is_current(const struct store *st)
{
	struct stat a, b;

	return stat(st->path, &a) == 0 && fstat(st->dir, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool
store_is_tight(const struct store *st)
{
	struct statvfs s;

	return fstatvfs(st->dir, &s) == 0 &&
	    s.f_bavail < TIGHT / (s.f_frsize > 0 ? s.f_frsize : 1);
}

const char *
store_why(const struct store *st)
{
	return st == NULL || st->why.n == 0 ? "" : st->why.p;
}

const char *
store_text(enum store_result r)
{
	static const char *const text[] = {
		[STORE_OK] = "Done.",
		[STORE_NONEXISTENT] = "No such mailbox.",
		[STORE_EXISTS] = "There is one already.",
		[STORE_CANNOT] = "That cannot be.",
		[STORE_INUSE] = "Too busy; try again.",
		[STORE_HASCHILDREN] = "Only its children are mailboxes.",
		[STORE_FULL] = "No space left.",
		[STORE_LIMIT] = "A limit of the server is reached.",
		[STORE_EXPUNGED] = "The message is gone.",
		[STORE_CHANGED] = "The mailbox was deleted or made anew.",
		[STORE_DENIED] = "The file system does not allow it.",
		[STORE_ERROR] = "The mail store cannot do it now."
	};

	return (size_t)r < COUNT(text) ? text[r] : text[STORE_ERROR];
}

/* --- opening --- */

static int
make_dir(int at, const char *path)
{
	return mkdirat(at, path, 0700) == -1 && errno != EEXIST ? -1 : 0;
}

static int
open_dir(int at, const char *path)
{
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The entry of a directory, durably. */
static int
sync_above(const char *path)
{
	struct span all = span_str(path);
	struct buf above = { 0 };

	while (all.n > 1 && all.p[all.n - 1] == '/')
		all.n--;
	size_t slash = span_rchr(all, '/');
	if (slash == all.n)
		buf_addc(&above, '.');
	else
		buf_add(&above, span_head(all, slash + 1));
	int fd = open_dir(AT_FDCWD, buf_cstr(&above));
	buf_free(&above);
	if (fd == -1)
		return -1;
	int r = fsync(fd);
	close(fd);
	return r;
}

/* The three directories that make a Maildir, durably. */
static int
make_maildir(int dir)
{
	if (make_dir(dir, "tmp") == -1 || make_dir(dir, "new") == -1 ||
	    make_dir(dir, "cur") == -1)
		return -1;
	return fsync(dir);
}

static enum store_result
open_maildir(struct store *st, const struct store_config *cfg)
{
	struct stat s;

	if (cfg->create && make_dir(AT_FDCWD, st->path) == -1)
		return store_fail(st, st->path, errno);
	if ((st->dir = open_dir(AT_FDCWD, st->path)) == -1)
		return store_fail(st, st->path, errno);
	if (fstatat(st->dir, "cur", &s, 0) == -1) {
		if (!cfg->create && errno == ENOENT) {
			(void)folders_fail(st, SPAN("cur"), 0);
			buf_adds(&st->why, " is not there: it is no Maildir");
			(void)buf_cstr(&st->why);
			return STORE_NONEXISTENT;
		}
		if (!cfg->create || make_maildir(st->dir) == -1 ||
		    sync_above(st->path) == -1)
			return store_fail(st, st->path, errno);
	}
	return STORE_OK;
}

/* Where index/ and bell/ are to be. */
static char *
index_path(const struct store *st, const struct store_config *cfg)
{
	struct buf path = { 0 };

	if (cfg->index != NULL)
		buf_adds(&path, cfg->index);
	else {
		buf_adds(&path, st->path);
		buf_adds(&path, "/.lemon");
	}
	char *p = xstrdup(buf_cstr(&path));
	buf_free(&path);
	return p;
}

enum store_result
store_open(struct store **out, const struct store_config *cfg,
    const char **why)
{
	static _Thread_local char reason[512];	/* *why, until the next call */
	struct store *st = xcalloc(1, sizeof *st);

	st->dir = st->index_dir = st->witness = st->watch = -1;
	st->rescan = cfg->rescan > 0 ? cfg->rescan : RESCAN;
	st->look = cfg->look;
	st->path = xstrdup(cfg->maildir);
	enum store_result r = open_maildir(st, cfg);
	st->index_path = index_path(st, cfg);
	if (r == STORE_OK)
		r = index_open(st);
	if (r != STORE_OK) {
		size_t n = strlen(store_why(st));

		if (n >= sizeof reason)
			n = sizeof reason - 1;
		memcpy(reason, store_why(st), n);
		reason[n] = '\0';
		*why = reason;
		store_close(st);
		st = NULL;
	}
	*out = st;
	return r;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	index_close(st);
	folders_free(st->folders);
	urlkeys_free(st->urlkeys);
	witness_free(st);
	if (st->index_dir != -1)
		close(st->index_dir);
	if (st->dir != -1)
		close(st->dir);
	buf_free(&st->why);
	free(st->index_path);
	free(st->path);
	free(st);
}

/* --- one mailbox --- */

enum store_result
mailbox_fail(struct mailbox *mb, const char *what, int err)
{
	struct buf b = { 0 };
	enum store_result r;

	folders_path(mb->st, span_str(mb->disk), &b);
	buf_adds(&b, ": ");
	buf_adds(&b, what);
	r = store_fail(mb->st, buf_cstr(&b), err);
	buf_free(&b);
	return r;
}

int
mailbox_sub(struct mailbox *mb, int which)
{
	static const char *const name[] = { "cur", "new", "tmp" };

	if (mb->sub[which] == -1) {
		int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
		int fd = openat(mb->dir, name[which], flags);

		/* What comes into it is to last. */
		if (fd == -1 && errno == ENOENT && !mb->st->look &&
		    make_dir(mb->dir, name[which]) == 0 &&
		    fsync(mb->dir) == 0)
			fd = openat(mb->dir, name[which], flags);
		mb->sub[which] = fd;
	}
	return mb->sub[which];
}

enum store_result
mailbox_open(struct store *st, struct span name, unsigned rights,
    struct mailbox **out)
{
	struct buf disk = { 0 };
	struct stat s;
	enum store_result r = folder_disk(st, name, &disk);

	*out = NULL;
	if (r != STORE_OK) {
		buf_free(&disk);
		return STORE_NONEXISTENT;
	}
	struct mailbox *mb = xcalloc(1, sizeof *mb);
	mb->st = st;
	mb->rights = rights;
	mb->disk = xstrdup(buf_cstr(&disk));
	mb->list = mb->sub[CUR] = mb->sub[NEW] = mb->sub[TMP] = -1;
	buf_free(&disk);
	mb->dir = openat(st->dir, mb->disk,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (mb->dir == -1 ||
	    fstatat(mb->dir, "cur", &s, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISDIR(s.st_mode) || fstat(mb->dir, &s) == -1) {
		r = errno == ENOENT || errno == ENOTDIR || errno == ELOOP ?
		    STORE_NONEXISTENT :
		    folders_fail(st, span_str(mb->disk), errno);
		mailbox_close(mb);
		return r;
	}
	mb->dev = s.st_dev;
	mb->ino = s.st_ino;
	*out = mb;
	return STORE_OK;
}

void
mailbox_close(struct mailbox *mb)
{
	if (mb == NULL)
		return;
	if (mb->owed != NULL)
		mailbox_settle(mb);
	for (int i = CUR; i <= TMP; i++)
		if (mb->sub[i] != -1)
			close(mb->sub[i]);
	if (mb->list != -1)
		close(mb->list);
	if (mb->dir != -1)
		close(mb->dir);
	names_free(mb);
	free(mb->disk);
	free(mb);
}

static uint32_t
count_recent(struct mailbox *mb, struct txn *t, const struct meta *m)
{
	struct key from = key_mailbox('u', mb->id);
	struct key next = key_chunk(mb->id, PRESENT, m->first_recent / CHUNK);
	uint32_t n = 0, first = m->first_recent;
	struct walk w;

	walk_start(&w, t, &from, from.n);
	while (walk_next(&w))
		n += key_get_u32(&w.key, from.n) < first;
	walk_seek(&w, &next, next.n - sizeof first);
	while (walk_next(&w)) {
		struct span kept = { w.val.mv_data, w.val.mv_size };
		struct chunk c;

		if (!chunk_take(kept, &c)) {
			txn_damaged(t);
			continue;
		}
		n += c.count;
		if (key_get_u32(&w.key, next.n - sizeof first) ==
		    first / CHUNK)
			for (uint32_t i = 0; i < first % CHUNK; i++)
				n -= (uint32_t)(c.w[i / 64] >> i % 64 & 1);
	}
	walk_end(&w);
	return n;
}

static enum store_result
status_now(struct mailbox *mb, struct mailbox_status *s)
{
	struct txn t;
	struct meta m;
	enum store_result r = mailbox_see(mb, &t, &m);

	if (r != STORE_OK)
		return r;
	*s = (struct mailbox_status){ .messages = m.messages,
		.unseen = m.unseen, .deleted = m.deleted,
		.uidnext = m.uidnext, .uidvalidity = m.uidvalidity,
		.highestmodseq = m.modseq, .bytes = m.bytes };
	s->recent = count_recent(mb, &t, &m);
	memcpy(s->guid, m.guid, sizeof s->guid);
	r = txn_result(&t);
	txn_abort(&t);
	return r;
}

enum store_result
mailbox_status(struct mailbox *mb, struct mailbox_status *s)
{
	enum store_result r = status_now(mb, s);

	return index_again(mb->st, r) ? status_now(mb, s) : r;
}

static enum store_result
keywords_now(struct mailbox *mb)
{
	struct txn t;
	struct meta m;
	enum store_result r = mailbox_read(mb, &t, &m);

	if (r != STORE_OK)
		return r;
	names_load(mb, &t, &m);
	r = txn_result(&t);
	txn_abort(&t);
	return r;
}

enum store_result
mailbox_keywords(struct mailbox *mb, const struct span **names, size_t *n)
{
	enum store_result r = keywords_now(mb);

	if (index_again(mb->st, r))
		r = keywords_now(mb);
	*names = r == STORE_OK ? mb->names->name : NULL;
	*n = r == STORE_OK ? mb->names->n : 0;
	return r;
}
