/* SPDX-License-Identifier: ISC */
/*
 * A world that goes wrong, for programs under test (LD_PRELOAD): memory is
 * refused, writes are short, and the clock jumps.  $FAULT is a file of
 * 64-bit numbers, mapped when the program starts, so that what it says can
 * change at any time, whatever the program may still open:
 *
 *	0	seconds that the time of day is off
 *	1	which allocation fails, 0: none
 *	2	which write is short, 0: none
 *	3	1: all that come after it as well
 *	4, 5	how many allocations and writes there were
 *
 * The monotonic clock does not jump, and the times of files are the kernel's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { OFF, NO_MEMORY, SHORT_WRITE, FROM_ON, ALLOCATIONS, WRITES, NUMBERS };

static volatile int64_t nothing[NUMBERS], *fault = nothing;

/* The function of that name which is behind ours. */
#define NEXT(name) \
	static __typeof__(name) *next; \
	if (next == NULL) \
		*(void **)&next = dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("FAULT");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);

	if (fd == -1)
		return;
	void *p = mmap(NULL, sizeof nothing, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		fault = p;
}

/* Only programs of ours have such troubles, and not what starts them. */
static int
is_due(int which, int counter)
{
	if (strncmp(program_invocation_short_name, "lemon-", 6) != 0)
		return 0;
	int64_t n = ++fault[counter], due = fault[which];

	return due != 0 && (n == due || (n > due && fault[FROM_ON]));
}

/* --- memory --- */

static int
refuse(void)
{
	if (!is_due(NO_MEMORY, ALLOCATIONS))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t n)
{
	NEXT(malloc);
	return refuse() ? NULL : next(n);
}

void *
calloc(size_t count, size_t n)
{
	NEXT(calloc);
	return refuse() ? NULL : next(count, n);
}

void *
realloc(void *p, size_t n)
{
	NEXT(realloc);
	return refuse() ? NULL : next(p, n);
}

/* --- writes: half of it, as a full disk or a signal may have it --- */

static size_t
some(size_t n)
{
	return n > 1 && is_due(SHORT_WRITE, WRITES) ? n / 2 : n;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	NEXT(write);
	return next(fd, p, some(n));
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	NEXT(pwrite);
	return next(fd, p, some(n), at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t at)
{
	NEXT(pwrite64);
	return next(fd, p, some(n), at);
}

enum { PIECES = 64 };

/* The pieces that are written of *v; cut has room for them. */
static int
some_of(const struct iovec **v, int n, struct iovec cut[PIECES])
{
	size_t all = 0, left;
	int k;

	for (k = 0; k < n; k++)
		all += (*v)[k].iov_len;
	left = n > PIECES ? all : some(all);
	if (left == all)
		return n;
	for (k = 0; left > 0; k++) {
		cut[k] = (*v)[k];
		if (cut[k].iov_len > left)
			cut[k].iov_len = left;
		left -= cut[k].iov_len;
	}
	*v = cut;
	return k;
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	struct iovec cut[PIECES];

	NEXT(writev);
	n = some_of(&v, n, cut);
	return next(fd, v, n);
}

ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	struct iovec cut[PIECES];

	NEXT(pwritev);
	n = some_of(&v, n, cut);
	return next(fd, v, n, at);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	NEXT(send);
	return next(fd, p, some(n), flags);
}

/* --- the time of day --- */

int
clock_gettime(clockid_t id, struct timespec *t)
{
	NEXT(clock_gettime);
	int r = next(id, t);

	if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += fault[OFF];
	return r;
}

int
gettimeofday(struct timeval *t, void *zone)
{
	NEXT(gettimeofday);
	int r = next(t, zone);

	if (r == 0)
		t->tv_sec += fault[OFF];
	return r;
}

time_t
time(time_t *to)
{
	NEXT(time);
	time_t t = next(NULL) + fault[OFF];

	if (to != NULL)
		*to = t;
	return t;
}
