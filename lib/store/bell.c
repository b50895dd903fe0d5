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

/* Without inotify (its instances are few) only the poll of others' doings is
 * slower. */
static int
watch_dirs(struct mailbox *mb)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct buf path = { 0 };

	if (fd == -1)
		return -1;
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
	return fd;
}

enum store_result
bell_open(struct store *st, struct mailbox *watch, struct bell **out)
{
	struct bell *b = xcalloc(1, sizeof *b);
	struct buf name = { 0 };
	uint64_t r;

	*b = (struct bell){ .st = st, .fd = { -1, -1 }, .keep = -1 };
	*out = b;
	random_fill(&r, sizeof r);
	buf_addf(&name, "%ld.%016llx", (long)getpid(), (unsigned long long)r);
	for (size_t i = 0; i < name.n && i < sizeof b->name - 1; i++)
		b->name[i] = name.p[i];
	buf_free(&name);
	int dir = bell_dir(st);
	/* The index may have been deleted, and its directory with it. */
	if (dir == -1 && index_check(st, false) == STORE_OK)
		dir = bell_dir(st);
	if (dir != -1 && mkfifoat(dir, b->name, 0600) == 0) {
		b->fd[0] = openat(dir, b->name,
		    O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		b->keep = openat(dir, b->name,
		    O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	}
	if (dir != -1)
		close(dir);
	if (watch != NULL)
		b->fd[1] = watch_dirs(watch);
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
	for (int i = 0; i < 2; i++)
		if (b->fd[i] != -1)
			close(b->fd[i]);
	if (b->keep != -1)
		close(b->keep);
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
	int fd = openat(st->index_dir, "bell", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (d == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		int w = openat(fd, e->d_name,
		    O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (w == -1) {
			/* Nobody hears it: its process has died, or is just
			 * about to open it and will look afterwards. */
			if (errno == ENXIO && !waiter_lives(e->d_name))
				unlinkat(fd, e->d_name, 0);
			continue;
		}
		if (write(w, "!", 1) == -1 && errno != EAGAIN)
			unlinkat(fd, e->d_name, 0);
		close(w);
	}
	closedir(d);
}
