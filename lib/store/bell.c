/* SPDX-License-Identifier: ISC */
#include "store/bell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "store/index.h"

struct bell {
	struct store *st;
	int fd[2];		/* the FIFO, inotify */
	int keep;		/* the FIFO for writing: else poll would see
				   an end of file when ringers come and go */
	char name[40];
	ino_t inode;		/* of the FIFO */
	int lost[3];		/* watches that tell when it hangs nowhere */
};

static int
bell_dir(struct store *st)
{
	int fd = openat(st->index_dir, "bell", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1 && errno == ENOENT &&
	    (mkdirat(st->index_dir, "bell", 0700) == 0 || errno == EEXIST))
		fd = openat(st->index_dir, "bell", O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

static void
watch_dirs(struct mailbox *mb, int fd)
{
	struct buf path = { 0 };

	for (int i = CUR; i <= NEW; i++) {
		buf_clear(&path);
		buf_adds(&path, mb->st->path);
		buf_addc(&path, '/');
		buf_adds(&path, mb->disk);
		buf_adds(&path, i == CUR ? "/cur" : "/new");
		inotify_add_watch(fd, buf_cstr(&path), IN_MOVE | IN_CREATE |
		    IN_DELETE | IN_ONLYDIR);
	}
	buf_free(&path);
}

/* Whoever deletes the index, or moves it away, takes the bell along. */
static void
watch_bell(struct bell *b)
{
	static const uint32_t mask[] = { IN_MOVE_SELF | IN_DELETE_SELF,
		IN_MOVE_SELF | IN_DELETE_SELF, IN_ATTRIB };
	struct buf path = { 0 };

	buf_adds(&path, b->st->index_path);
	for (size_t i = 0; i < COUNT(mask); i++) {
		if (b->lost[i] != -1)
			inotify_rm_watch(b->fd[1], b->lost[i]);
		if (i > 0)
			buf_adds(&path, i == 1 ? "/bell/" : b->name);
		b->lost[i] = inotify_add_watch(b->fd[1], buf_cstr(&path),
		    mask[i]);
	}
	buf_free(&path);
}

/* Make the FIFO, where the index is now. */
static void
hang(struct bell *b)
{
	struct store *st = b->st;
	struct stat s;
	int dir = index_check(st, false) == STORE_OK ? bell_dir(st) : -1;

	if (dir == -1)
		return;
	if (mkfifoat(dir, b->name, 0600) == 0) {
		b->fd[0] = openat(dir, b->name,
		    O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		b->keep = openat(dir, b->name,
		    O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (b->fd[0] != -1 && fstat(b->fd[0], &s) == 0)
			b->inode = s.st_ino;
	}
	close(dir);
	if (b->fd[1] != -1)
		watch_bell(b);
}

static bool
hangs(const struct bell *b)
{
	struct buf path = { 0 };
	struct stat s;

	buf_adds(&path, b->st->index_path);
	buf_adds(&path, "/bell/");
	buf_adds(&path, b->name);
	bool yes = lstat(buf_cstr(&path), &s) == 0 && s.st_ino == b->inode;
	buf_free(&path);
	return yes;
}

static void
take_down(struct bell *b)
{
	if (b->fd[0] != -1)
		close(b->fd[0]);
	if (b->keep != -1)
		close(b->keep);
	b->fd[0] = b->keep = -1;
}

enum store_result
bell_open(struct store *st, struct mailbox *watch, struct bell **out)
{
	struct bell *b = xcalloc(1, sizeof *b);
	struct buf name = { 0 };
	uint64_t r;

	*b = (struct bell){ .st = st, .fd = { -1, -1 }, .keep = -1,
		.lost = { -1, -1, -1 } };
	*out = b;
	random_fill(&r, sizeof r);
	buf_addf(&name, "%ld.%016llx", (long)getpid(), (unsigned long long)r);
	for (size_t i = 0; i < name.n && i < sizeof b->name - 1; i++)
		b->name[i] = name.p[i];
	buf_free(&name);
	/* Without inotify (its instances are few) only the poll of others'
	 * doings is slower. */
	b->fd[1] = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (b->fd[1] != -1 && watch != NULL)
		watch_dirs(watch, b->fd[1]);
	hang(b);
	if (b->fd[0] == -1) {
		enum store_result e = store_fail(st, "hang up a bell", errno);

		bell_close(b);
		*out = NULL;
		return e;
	}
	return STORE_OK;
}

void
bell_close(struct bell *b)
{
	if (b == NULL)
		return;
	int dir = b->name[0] == '\0' ? -1 : bell_dir(b->st);
	if (dir != -1) {
		unlinkat(dir, b->name, 0);
		close(dir);
	}
	take_down(b);
	if (b->fd[1] != -1)
		close(b->fd[1]);
	free(b);
}

const int *
bell_fds(const struct bell *b)
{
	return b->fd;
}

void
bell_heard(struct bell *b)
{
	char drop[4096];

	for (int i = 0; i < 2; i++)
		while (b->fd[i] != -1 &&
		    read(b->fd[i], drop, sizeof drop) > 0)
			;
	if (!hangs(b)) {
		take_down(b);
		hang(b);
	}
}

/* Who waits; NULL if nobody ever did. */
static DIR *
waiters(struct store *st)
{
	return file_dir(openat(st->index_dir, "bell", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC));
}

bool
bell_is_awaited(struct store *st)
{
	DIR *d = waiters(st);
	struct dirent *e = NULL;

	if (d == NULL)
		return false;
	do
		e = readdir(d);
	while (e != NULL && e->d_name[0] == '.');
	closedir(d);
	return e != NULL;
}

/* The name begins with the waiter's number. */
static bool
waiter_lives(const char *name)
{
	uint64_t pid;
	struct span s = span_str(name);

	return span_u64(span_head(s, span_chr(s, '.')), INT32_MAX, &pid) &&
	    pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

void
bell_ring(struct store *st)
{
	DIR *d = waiters(st);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		int w = openat(dirfd(d), e->d_name,
		    O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (w == -1) {
			/* Nobody hears it: its process has died, or is just
			 * about to open it and will look afterwards. */
			if (errno == ENXIO && !waiter_lives(e->d_name))
				unlinkat(dirfd(d), e->d_name, 0);
			continue;
		}
		if (write(w, "!", 1) == -1 && errno != EAGAIN)
			unlinkat(dirfd(d), e->d_name, 0);
		close(w);
	}
	closedir(d);
}
