/* SPDX-License-Identifier: ISC */
#include "store/validity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { DIGITS = 10, WAIT_MS = 10000 };

static const char file[] = "lemon-uidvalidity";

/* Dovecot keeps its highest in eight hexadecimal digits. */
static uint64_t
dovecot_highest(struct store *st)
{
	struct buf b = { 0 };
	uint64_t v = 0;

	if (file_read(st->dir, "dovecot-uidvalidity", 64, &b) == 0) {
		for (size_t i = 0; i < b.n && i < 8; i++) {
			char c = ascii_lower(b.p[i]);

			if (ascii_digit(c))
				v = v << 4 | (uint64_t)(c - '0');
			else if (c >= 'a' && c <= 'f')
				v = v << 4 | (uint64_t)(c - 'a' + 10);
			else
				break;
		}
	}
	buf_free(&b);
	return v;
}

/* Open and lock it.  *created: it is new and its directory not yet synced. */
static int
open_locked(struct store *st, bool *created)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd = openat(st->dir, file, flags);

	*created = false;
	if (fd < 0 && errno == ENOENT) {
		fd = openat(st->dir, file, flags | O_CREAT, 0600);
		*created = true;
	}
	if (fd >= 0 && file_lock(fd, true, WAIT_MS) != 0) {
		close_quietly(fd);
		fd = -1;
	}
	return fd;
}

/* The highest so far, 0 if the file is new or damaged: then the time of day
 * is what keeps values apart. */
static uint64_t
highest(struct store *st, int fd)
{
	char text[DIGITS];
	uint64_t v = 0;
	ssize_t n = file_pread(fd, text, sizeof(text), 0);

	if (n != DIGITS || !span_u64((struct span){ text, DIGITS },
	    UINT32_MAX, &v))
		v = dovecot_highest(st);
	return v;
}

/* One write of ten octets at the start of a block: old or new, not torn. */
static int
record(struct store *st, int fd, bool created, uint32_t v)
{
	char text[DIGITS + 2];
	int n = snprintf(text, sizeof(text), "%010u\n", (unsigned)v);

	if (pwrite(fd, text, (size_t)n, 0) != n) {
		if (errno == 0)
			errno = ENOSPC;
		return -1;
	}
	if (fsync(fd) != 0)
		return -1;
	return created ? fsync(st->dir) : 0;
}

enum store_result
validity_new(struct store *st, uint32_t *v)
{
	bool created;
	int fd = open_locked(st, &created);
	int64_t now = clock_now();
	uint64_t next;
	int r;

	if (fd < 0)
		return store_fail(st, file, errno);
	next = highest(st, fd) + 1;
	if (now > 0 && (uint64_t)now > next && now <= (int64_t)UINT32_MAX)
		next = (uint64_t)now;
	if (next > UINT32_MAX) {
		close(fd);
		(void)store_fail(st, "no UIDVALIDITY is left", 0);
		return STORE_LIMIT;
	}
	errno = 0;
	r = record(st, fd, created, (uint32_t)next);
	if (r != 0)
		r = errno;
	close(fd);
	if (r != 0)
		return store_fail(st, file, r);
	*v = (uint32_t)next;
	return STORE_OK;
}

enum store_result
validity_seen(struct store *st, uint32_t v)
{
	bool created;
	int fd = open_locked(st, &created);
	int r = 0;

	if (fd < 0)
		return store_fail(st, file, errno);
	errno = 0;
	if (highest(st, fd) < v && record(st, fd, created, v) != 0)
		r = errno;
	close(fd);
	return r == 0 ? STORE_OK : store_fail(st, file, r);
}
