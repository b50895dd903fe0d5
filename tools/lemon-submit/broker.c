/* SPDX-License-Identifier: ISC */
#include "broker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/connect.h"

/* Between us and our own child; both are of one build. */
struct request {
	int64_t deadline;
	size_t place;
};

struct answer {
	int error;
	char why[sizeof ((struct broker *)NULL)->why];
};

union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static int
give(int s, struct answer *a, int fd)
{
	union control c = { { 0 } };
	struct iovec v = { a, sizeof *a };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = c.room;
		m.msg_controllen = sizeof c.room;
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);

		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(h), &fd, sizeof fd);
	}
	return sendmsg(s, &m, MSG_NOSIGNAL) == sizeof *a ? 0 : -1;
}

/* The child: until our end is closed. */
static void
serve(int s, const struct broker_place *place, size_t n)
{
	struct request q;

	while (recv(s, &q, sizeof q, 0) == sizeof q && q.place < n) {
		struct answer a = { 0 };
		const char *why = "unknown";
		int fd = connect_to(place[q.place].where,
		    place[q.place].port, q.deadline, &why), e;

		a.error = fd < 0 ? errno : 0;
		memcpy(a.why, why, strnlen(why, sizeof a.why - 1));
		e = give(s, &a, fd);
		if (fd >= 0)
			close(fd);
		if (e != 0)
			break;
	}
	_exit(0);
}

int
broker_start(struct broker *b, const struct broker_place *place, size_t n)
{
	int s[2], saved, status;
	pid_t pid;

	b->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) != 0)
		return -1;
	/* A grandchild, which init waits for: we cannot once we are shut in. */
	pid = fork();
	if (pid == 0) {
		close(s[0]);
		close(0);
		close(1);
		pid = fork();
		if (pid == 0)
			serve(s[1], place, n);
		_exit(pid < 0);
	}
	saved = errno;
	close(s[1]);
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		close(s[0]);
		errno = pid < 0 ? saved : EAGAIN;
		return -1;
	}
	b->fd = s[0];
	return 0;
}

int
broker_connect(void *ctx, int64_t deadline, const char **why)
{
	const struct broker_door *door = ctx;
	struct broker *b = door->broker;
	struct request q = { .deadline = deadline, .place = door->place };
	struct answer a;
	union control c = { { 0 } };
	struct iovec v = { &a, sizeof a };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
		.msg_control = c.room, .msg_controllen = sizeof c.room };
	struct cmsghdr *h;
	int fd;

	*why = "the broker is gone";
	if (send(b->fd, &q, sizeof q, MSG_NOSIGNAL) < 0 ||
	    recvmsg(b->fd, &m, MSG_CMSG_CLOEXEC) != sizeof a)
		return -1;
	memcpy(b->why, a.why, sizeof b->why);
	*why = b->why;
	errno = a.error;
	h = CMSG_FIRSTHDR(&m);
	if (a.error != 0 || h == NULL || h->cmsg_type != SCM_RIGHTS ||
	    h->cmsg_len != CMSG_LEN(sizeof fd))
		return -1;
	memcpy(&fd, CMSG_DATA(h), sizeof fd);
	return fd;
}

void
broker_stop(struct broker *b)
{
	if (b->fd > 0)
		close(b->fd);
	b->fd = -1;
}
