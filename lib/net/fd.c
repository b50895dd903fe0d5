/* SPDX-License-Identifier: ISC */
#include "net/fd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

bool
fd_is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int
fd_wait(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline == 0 ? -1 :
		    deadline == STREAM_NOW ? 0 : deadline - clock_ms();

		/* A peer that always has one more octet must not get past
		 * the deadline. */
		if (left <= 0 && deadline > 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		int r = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);

		if (r > 0)
			return 0;
		if (r == 0 && deadline == STREAM_NOW) {
			errno = EAGAIN;
			return -1;
		}
		if (r < 0 && errno != EINTR)
			return -1;
	}
}

static bool
again(void)
{
	return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

ssize_t
fd_read(void *ctx, char *p, size_t n, int64_t deadline)
{
	int fd = (int)(intptr_t)ctx;

	for (;;) {
		if (fd_wait(fd, POLLIN, deadline) < 0)
			return -1;
		ssize_t r = read(fd, p, n);

		if (r >= 0 || !again())
			return r;
	}
}

ssize_t
fd_write(void *ctx, char *p, size_t n, int64_t deadline)
{
	int fd = (int)(intptr_t)ctx;

	/* That much a pipe takes without blocking once it is writable. */
	if (n > PIPE_BUF)
		n = PIPE_BUF;
	for (;;) {
		if (fd_wait(fd, POLLOUT, deadline) < 0)
			return -1;
		ssize_t r = write(fd, p, n);

		if (r >= 0 || !again())
			return r;
	}
}

ssize_t
socket_read(void *ctx, char *p, size_t n, int64_t deadline)
{
	int fd = (int)(intptr_t)ctx;

	for (;;) {
		if (fd_wait(fd, POLLIN, deadline) < 0)
			return -1;
		ssize_t r = recv(fd, p, n, MSG_DONTWAIT);

		if (r >= 0 || !again())
			return r;
	}
}

ssize_t
socket_write(void *ctx, char *p, size_t n, int64_t deadline)
{
	int fd = (int)(intptr_t)ctx;

	for (;;) {
		/* A peer that always takes one more octet must not get past
		 * the deadline. */
		if (deadline > 0 && clock_ms() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		/* There is room nearly always, so look only when there was
		 * not. */
		ssize_t r = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r >= 0 || !again())
			return r;
		if (errno != EINTR && fd_wait(fd, POLLOUT, deadline) < 0)
			return -1;
	}
}
