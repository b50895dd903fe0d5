/* SPDX-License-Identifier: ISC */
#include "store/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* Not in <linux/magic.h> of all systems. */
enum { MAGIC_ZFS = 0x2fc12fc1, MAGIC_XFS = 0x58465342 };

/* Others' machines change a network file system and inotify is silent. */
static bool
is_local(int fd)
{
	struct statfs f;

	return fstatfs(fd, &f) == 0 && (f.f_type == EXT4_SUPER_MAGIC ||
	    f.f_type == MAGIC_XFS || f.f_type == BTRFS_SUPER_MAGIC ||
	    f.f_type == F2FS_SUPER_MAGIC || f.f_type == TMPFS_MAGIC ||
	    f.f_type == MAGIC_ZFS);
}

bool
witness_begin(struct mailbox *mb, int dir)
{
	struct store *st = mb->st;
	struct buf path = { 0 };

	if (!is_local(mailbox_sub(mb, dir)))
		return false;
	if (st->witness == -1)
		st->witness = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (st->witness == -1)
		return false;
	if (st->watch != -1)	/* of a change that failed */
		inotify_rm_watch(st->witness, st->watch);
	buf_adds(&path, st->path);
	buf_addc(&path, '/');
	buf_adds(&path, mb->disk);
	buf_adds(&path, dir == CUR ? "/cur" : "/new");
	st->watch = inotify_add_watch(st->witness, buf_cstr(&path),
	    IN_MOVE | IN_CREATE | IN_DELETE | IN_ONLYDIR);
	buf_free(&path);
	return st->watch != -1;
}

/* The events that are there of what is watched now. */
static unsigned
count(const struct store *st)
{
	_Alignas(struct inotify_event) char b[4096];
	unsigned all = 0;
	ssize_t n;

	while ((n = read(st->witness, b, sizeof b)) > 0)
		for (char *p = b; p < b + n; ) {
			const struct inotify_event *e = (void *)p;

			/* Of a watch before, that it ended; -1: there were
			 * too many. */
			all += e->wd == st->watch || e->wd == -1;
			p += sizeof *e + e->len;
		}
	return all;
}

/* Give it an mtime of our own: the kernel's are those of its ticks, or, where
 * they are finer, of another nanosecond. */
static bool
stamp(int fd, struct stat *s)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT } };

	return clock_gettime(CLOCK_REALTIME, &t[1]) == 0 &&
	    futimens(fd, t) == 0 && fstat(fd, s) == 0 &&
	    s->st_mtim.tv_sec == t[1].tv_sec &&
	    s->st_mtim.tv_nsec == t[1].tv_nsec;
}

/* Who changes a directory holds its lock from before the mtime changes until
 * after the event.  So does this, which changes nothing: then the event of
 * any change that our mtime hid is there. */
static bool
pass_lock(int fd)
{
	return unlinkat(fd, ".lemon-none", AT_REMOVEDIR) == -1 &&
	    errno == ENOENT;
}

bool
witness_end(struct mailbox *mb, int dir, unsigned entries, struct stat *s)
{
	struct store *st = mb->st;
	int fd = mailbox_sub(mb, dir);
	bool alone = entries > 0 && stamp(fd, s) && pass_lock(fd) &&
	    count(st) == entries;

	inotify_rm_watch(st->witness, st->watch);
	st->watch = -1;
	return alone;
}

void
witness_free(struct store *st)
{
	if (st->witness != -1)
		close(st->witness);
}
