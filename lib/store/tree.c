/* SPDX-License-Identifier: ISC */
#include "store/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/filename.h"
#include "store/journal.h"

enum { WAIT_MS = 10000, DEPTH_MAX = 16 };

/* Names without a leading dot, so that no Maildir program takes them for
 * folders. */
static const char trash[] = "lemon-trash.", fresh[] = "lemon-new.";

bool
tree_debris(struct span entry)
{
	return span_starts(entry, span_str(trash)) ||
	    span_starts(entry, span_str(fresh));
}

int
tree_rename(struct store *st, const char *from, const char *to)
{
	struct stat s;

	if (renameat2(st->dir, from, st->dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system without that flag.  We hold the lock, and a rename
	 * over a folder fails since it is not empty. */
	if (fstatat(st->dir, to, &s, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(st->dir, from, st->dir, to);
}

enum store_result
tree_lock(struct store *st)
{
	struct folders *f = folders_of(st);
	enum store_result r;

	if (f->locked > 0) {
		f->locked++;
		return STORE_OK;
	}
	f->lock_fd = openat(st->dir, "lemon-lock", O_RDWR | O_CREAT |
	    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (f->lock_fd < 0)
		return store_fail(st, "lemon-lock", errno);
	if (file_lock(f->lock_fd, true, WAIT_MS) != 0) {
		r = store_fail(st, "lemon-lock", errno);
		if (errno == ETIMEDOUT)
			r = STORE_INUSE;
		close(f->lock_fd);
		f->lock_fd = -1;
		return r;
	}
	f->locked = 1;
	r = journal_recover(st);
	if (r != STORE_OK)
		tree_unlock(st);
	return r;
}

void
tree_unlock(struct store *st)
{
	struct folders *f = folders_of(st);

	if (--f->locked > 0)
		return;
	close(f->lock_fd);
	f->lock_fd = -1;
}

void
tree_settle(struct store *st)
{
	struct folders *f = folders_of(st);

	if (st->look || f->locked > 0 || !journal_there(st))
		return;
	if (tree_lock(st) == STORE_OK)
		tree_unlock(st);
}

/* Make cur, new, tmp and maildirfolder in a directory.  cur is last: it
 * makes the directory a mailbox. */
static int
furnish(int dir)
{
	static const char *const sub[] = { "tmp", "new", "cur" };
	int fd = openat(dir, "maildirfolder", O_WRONLY | O_CREAT |
	    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	close(fd);
	for (size_t i = 0; i < COUNT(sub); i++) {
		if (mkdirat(dir, sub[i], 0700) != 0 && errno != EEXIST)
			return -1;
	}
	return fsync(dir);
}

/* Furnish the directory of that name. */
static int
furnish_at(struct store *st, const char *name)
{
	int dir = openat(st->dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? -1 : furnish(dir);

	if (dir >= 0)
		close_quietly(dir);
	return r;
}

static void
unique(struct store *st, const char *prefix, struct buf *name)
{
	buf_adds(name, prefix);
	filename_new(++st->made, name);
	(void)buf_cstr(name);
}

/* Remove what is below an open directory, which is closed. */
static void
empty(int dir, int depth)
{
	DIR *d = file_dir(dir);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		struct span name = span_str(e->d_name);
		int sub;

		if (span_eq(name, SPAN(".")) || span_eq(name, SPAN("..")))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0 ||
		    depth == DEPTH_MAX)
			continue;
		sub = openat(dirfd(d), e->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			empty(sub, depth + 1);
		(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

/* Best effort: what stays is swept another time. */
static void
remove_all(struct store *st, const char *name)
{
	int dir = openat(st->dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir >= 0)
		empty(dir, 0);
	(void)unlinkat(st->dir, name, AT_REMOVEDIR);
}

enum store_result
tree_make(struct store *st, const char *disk)
{
	struct buf tmp = { 0 };
	struct stat s;
	int err = 0;

	if (fstatat(st->dir, disk, &s, AT_SYMLINK_NOFOLLOW) == 0) {
		/* A directory without cur/, as other programs leave them. */
		if (!S_ISDIR(s.st_mode))
			return STORE_CANNOT;
		if (furnish_at(st, disk) != 0)
			return store_fail(st, "make a folder", errno);
		return STORE_OK;
	}
	unique(st, fresh, &tmp);
	if (mkdirat(st->dir, tmp.p, 0700) != 0)
		err = errno;
	else if (furnish_at(st, tmp.p) != 0 ||
	    tree_rename(st, tmp.p, disk) != 0) {
		err = errno;
		remove_all(st, tmp.p);
	}
	buf_free(&tmp);
	return err == 0 ? STORE_OK : store_fail(st, "make a folder", err);
}

int
tree_empty(struct store *st, const char *disk)
{
	static const char *const sub[] = { "/cur", "/new" };
	int none = 1;

	for (size_t i = 0; i < COUNT(sub) && none == 1; i++) {
		struct buf path = { 0 };
		struct dirent *e;
		DIR *d;

		buf_adds(&path, disk);
		buf_adds(&path, sub[i]);
		d = file_dir(openat(st->dir, buf_cstr(&path),
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
		buf_free(&path);
		if (d == NULL)
			return errno == ENOENT || errno == ENOTDIR ||
			    errno == ELOOP ? 0 : -1;
		while ((errno = 0, e = readdir(d)) != NULL)
			if (e->d_name[0] != '.')
				none = 0;
		if (none == 1 && errno != 0)
			none = -1;
		closedir(d);
	}
	return none;
}

void
tree_unmake(struct store *st, const char *disk)
{
	struct buf tmp = { 0 };

	unique(st, fresh, &tmp);
	if (tree_empty(st, disk) == 1 &&
	    tree_rename(st, disk, tmp.p) == 0)
		remove_all(st, tmp.p);
	buf_free(&tmp);
}

void
tree_trash(struct store *st, struct buf *name)
{
	unique(st, trash, name);
}

enum store_result
tree_discard(struct store *st, const char *disk)
{
	struct buf name = { 0 };
	struct tree_move m;
	enum store_result r;

	tree_trash(st, &name);
	m.from = span_str(disk);
	m.to = buf_span(&name);
	r = tree_move(st, &m, 1);
	buf_free(&name);
	return r;
}

/* What file_replace leaves when it dies; an hour is more than it takes. */
static bool
is_stale(int dir, const char *name)
{
	struct stat s;

	return span_starts(span_str(name), SPAN(".tmp.")) &&
	    fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(s.st_mode) && s.st_mtim.tv_sec < clock_now() - 3600;
}

void
tree_sweep(struct store *st)
{
	bool locked = folders_of(st)->locked > 0;
	DIR *d = file_dir(openat(st->dir, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		struct span name = span_str(e->d_name);

		if (tree_debris(name) &&
		    (locked || span_starts(name, span_str(trash))))
			remove_all(st, e->d_name);
		else if (is_stale(st->dir, e->d_name))
			(void)unlinkat(st->dir, e->d_name, 0);
	}
	closedir(d);
}
