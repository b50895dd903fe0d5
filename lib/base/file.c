/* SPDX-License-Identifier: ISC */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/die.h"

enum { PIECE = 16 * 1024 };

void
close_quietly(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

DIR *
file_dir(int fd)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL && fd >= 0)
		close_quietly(fd);
	return d;
}

static int
open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dirfd, path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int
file_read_fd(int fd, size_t max, struct buf *b)
{
	size_t have = 0;

	for (;;) {
		size_t want = max - have < PIECE ? max - have + 1 : PIECE;
		ssize_t n = read(fd, buf_room(b, want), want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		have += (size_t)n;
		if (have > max) {
			errno = EFBIG;
			return -1;
		}
		b->n += (size_t)n;
	}
}

int
file_read(int dirfd, const char *path, size_t max, struct buf *b)
{
	/* Not blocking: a FIFO put in the place of a file must not hang us. */
	int fd = open_at(dirfd, path, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;
	int r = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		else if ((uint64_t)st.st_size > max)
			errno = EFBIG;
		else
			r = file_read_fd(fd, max, b);
	}
	close_quietly(fd);
	return r;
}

int
file_write(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return -1;
		s = span_skip(s, (size_t)n);
	}
	return 0;
}

ssize_t
file_pread(int fd, void *p, size_t n, int64_t off)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = pread(fd, (char *)p + have, n - have,
		    off + (int64_t)have);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		have += (size_t)r;
	}
	return (ssize_t)have;
}

/* Write, sync and put in place; the temporary file is gone or in place
 * afterwards.  A failed fsync is final: it is never tried again. */
static int
put(int dirfd, const char *tmp, const char *name, struct span s, mode_t mode)
{
	int fd = open_at(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return -1;
	bool good = file_write(fd, s) == 0 && fchmod(fd, mode) == 0 &&
	    fsync(fd) == 0;

	if (close(fd) < 0 && errno != EINTR)
		good = false;
	if (good && renameat(dirfd, tmp, dirfd, name) == 0)
		return fsync(dirfd);
	int saved = errno;

	unlinkat(dirfd, tmp, 0);
	errno = saved;
	return -1;
}

int
file_replace(int dirfd, const char *path, struct span s, mode_t mode)
{
	struct span whole = span_str(path);
	size_t slash = span_rchr(whole, '/');
	struct buf dir = { 0 }, tmp = { 0 };
	const char *name = path;
	uint64_t random;

	if (slash < whole.n) {
		buf_add(&dir, span_head(whole, slash == 0 ? 1 : slash));
		name = path + slash + 1;
	} else {
		buf_addc(&dir, '.');
	}
	random_fill(&random, sizeof random);
	buf_adds(&tmp, ".tmp.");
	buf_addu(&tmp, (uint64_t)getpid());
	buf_addc(&tmp, '.');
	buf_addhex(&tmp, &random, sizeof random);

	/* The directory may well be reached by a symbolic link. */
	int fd = openat(dirfd, buf_cstr(&dir),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -1 : put(fd, buf_cstr(&tmp), name, s, mode);

	if (fd >= 0)
		close_quietly(fd);
	buf_free(&dir);
	buf_free(&tmp);
	return r;
}

/* There is no waiting lock with a time limit that needs no signal, so it is
 * tried again and again, less and less often: nobody holds one for long. */
int
file_lock(int fd, bool exclusive, int64_t ms)
{
	struct flock fl = { .l_type = exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET };
	int64_t limit = clock_ms() + ms;
	int64_t nap = 1;

	for (;;) {
		if (fcntl(fd, F_OFD_SETLK, &fl) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EACCES)
			return -1;
		int64_t left = limit - clock_ms();

		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (nap > left)
			nap = left;
		struct timespec t = { .tv_nsec = (long)nap * 1000000 };

		nanosleep(&t, NULL);
		if (nap < 16)
			nap *= 2;
	}
}

void
random_fill(void *p, size_t n)
{
	char *to = p;

	while (n > 0) {
		ssize_t r = getrandom(to, n, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			die_temp("no random octets: %s", strerror(errno));
		to += r;
		n -= (size_t)r;
	}
}
