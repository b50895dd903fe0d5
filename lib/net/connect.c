/* SPDX-License-Identifier: ISC */
#include "net/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "net/fd.h"

enum { ADDRESS_MAX = 16, NAME_MAX_OCTETS = 255 };

/* What the resolving child sends for each address. */
struct address {
	socklen_t len;
	struct sockaddr_storage to;
};

struct addresses {
	int error;		/* of getaddrinfo */
	unsigned n;
	struct address a[ADDRESS_MAX];
};

static void
look_up(const char *host, const char *port, int flags, struct addresses *as)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV };
	struct addrinfo *list = NULL;

	*as = (struct addresses){ 0 };
	as->error = getaddrinfo(host, port, &hint, &list);
	if (as->error != 0)
		return;
	for (struct addrinfo *i = list; i != NULL && as->n < ADDRESS_MAX;
	    i = i->ai_next) {
		struct address *a = &as->a[as->n++];

		a->len = i->ai_addrlen;
		memcpy(&a->to, i->ai_addr, i->ai_addrlen);
	}
	freeaddrinfo(list);
}

/* Take all that the child says.  0, or -1 with errno. */
static int
receive(int fd, int64_t deadline, struct addresses *as)
{
	size_t have = 0;

	while (have < sizeof *as) {
		ssize_t n = fd_read((void *)(intptr_t)fd, (char *)as + have,
		    sizeof *as - have, deadline);

		if (n == 0)
			errno = EAGAIN;
		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	return 0;
}

/* getaddrinfo knows no deadline, so a child does it and may be killed. */
static int
resolve(const char *host, const char *port, int64_t deadline,
    struct addresses *as)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	pid_t pid = fork();

	if (pid < 0) {
		close_quietly(p[0]);
		close_quietly(p[1]);
		return -1;
	}
	if (pid == 0) {
		look_up(host, port, 0, as);
		_exit(file_write(p[1],
		    (struct span){ (char *)as, sizeof *as }) < 0);
	}
	close(p[1]);
	int r = receive(p[0], deadline, as);
	int saved = errno;

	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(p[0]);
	errno = saved;
	if (r == 0 && as->n > ADDRESS_MAX) {
		errno = EPROTO;
		return -1;
	}
	return r;
}

/* Wait for the connection to come about, or not. */
static int
finish(int fd, int64_t deadline)
{
	int error = 0;
	socklen_t n = sizeof error;

	if (fd_wait(fd, POLLOUT, deadline) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

static int
try_one(const struct address *a, int64_t deadline)
{
	int fd = socket(a->to.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	int r = connect(fd, (const struct sockaddr *)&a->to, a->len);

	if (r < 0 && (errno == EINPROGRESS || errno == EINTR))
		r = finish(fd, deadline);
	if (r == 0)
		r = fcntl(fd, F_SETFL, 0);
	if (r == 0)
		return fd;
	close_quietly(fd);
	return -1;
}

/* Each address gets its share of the time that is left. */
static int
try_all(const struct addresses *as, int64_t deadline, const char **why)
{
	*why = "cannot connect";
	for (unsigned i = 0; i < as->n; i++) {
		int64_t now = clock_ms();
		int64_t until = deadline <= 0 ? deadline : deadline <= now ?
		    deadline : now + (deadline - now) / (as->n - i);
		int fd = try_one(&as->a[i], until);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

static int
connect_tcp(const char *host, const char *port, int64_t deadline,
    const char **why)
{
	struct addresses as;

	look_up(host, port, AI_NUMERICHOST, &as);
	if (as.error == EAI_NONAME) {
		*why = "the name cannot be looked up now";
		if (resolve(host, port, deadline, &as) < 0)
			return -1;
	}
	switch (as.error) {
	case 0:
		return try_all(&as, deadline, why);
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_SERVICE:
		*why = "there is no such host";
		errno = EHOSTUNREACH;
		return -1;
	default:
		*why = "the name cannot be looked up now";
		errno = EAGAIN;
		return -1;
	}
}

struct span
connect_host(struct span where)
{
	if (span_starts(where, SPAN("[")))
		return span_skip(span_head(where, span_chr(where, ']')), 1);
	if (span_chr(where, ':') == span_rchr(where, ':'))
		return span_head(where, span_chr(where, ':'));
	return where;
}

bool
connect_loopback(struct span where)
{
	struct span host = connect_host(where);
	size_t n = 0;

	if (span_starts(where, SPAN("/")) || span_ieq(host, SPAN("localhost")))
		return true;
	if (span_starts(where, SPAN("[")))
		return span_eq(host, SPAN("::1"));
	/* 127.example.org is a name that anybody may have. */
	while (n < host.n && (host.p[n] == '.' || ascii_digit(host.p[n])))
		n++;
	return n == host.n && span_starts(host, SPAN("127."));
}

int
connect_to(struct span where, const char *defport, int64_t deadline,
    const char **why)
{
	char host[NAME_MAX_OCTETS + 1] = { 0 }, port[6] = { 0 };
	struct span h = where, p = span_str(defport);
	size_t colon = span_rchr(where, ':');
	uint64_t number;

	if (span_starts(where, SPAN("/"))) {
		struct buf path = { 0 };

		buf_add(&path, where);
		int fd = connect_unix(buf_cstr(&path), deadline, why);

		buf_free(&path);
		return fd;
	}
	if (span_starts(where, SPAN("["))) {
		size_t end = span_chr(where, ']');

		h = span_skip(span_head(where, end), 1);
		if (end + 1 < where.n && where.p[end + 1] == ':')
			p = span_skip(where, end + 2);
		else if (end + 1 != where.n)
			h.n = 0;
	} else if (colon < where.n && span_chr(where, ':') == colon) {
		h = span_head(where, colon);
		p = span_skip(where, colon + 1);
	}
	if (h.n == 0 || h.n > NAME_MAX_OCTETS || span_chr(h, '\0') < h.n ||
	    p.n >= sizeof port || !span_u64(p, 65535, &number)) {
		*why = "that is no host and port";
		errno = EINVAL;
		return -1;
	}
	memcpy(host, h.p, h.n);
	memcpy(port, p.p, p.n);
	return connect_tcp(host, port, deadline, why);
}

/* The path for sun_path; a long one by way of its directory's descriptor,
 * which goes to *dir. */
static int
socket_path(const char *path, struct sockaddr_un *un, int *dir)
{
	struct span whole = span_str(path);
	size_t slash = span_rchr(whole, '/');
	struct buf b = { 0 };
	int r = -1;

	*dir = -1;
	if (whole.n < sizeof un->sun_path) {
		memcpy(un->sun_path, path, whole.n + 1);
		return 0;
	}
	buf_add(&b, span_head(whole, slash));
	*dir = slash == whole.n ? -1 : open(buf_cstr(&b),
	    O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir >= 0) {
		buf_clear(&b);
		buf_addf(&b, "/proc/self/fd/%d", *dir);
		buf_add(&b, span_skip(whole, slash));
		errno = ENAMETOOLONG;
		if (b.n < sizeof un->sun_path) {
			memcpy(un->sun_path, buf_cstr(&b), b.n + 1);
			r = 0;
		}
	}
	buf_free(&b);
	return r;
}

int
connect_unix(const char *path, int64_t deadline, const char **why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int dir, fd = -1, r = -1;

	*why = "cannot connect";
	if (socket_path(path, &un, &dir) == 0)
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* A full queue of the listener is waited for in connect itself. */
	int64_t left = deadline == 0 ? 0 : deadline - clock_ms();
	struct timeval none = { 0 }, tv = { .tv_sec = left / 1000,
		.tv_usec = left % 1000 * 1000 };

	if (fd >= 0 && deadline != 0 && left <= 0)
		errno = ETIMEDOUT;
	else if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
	    sizeof tv) == 0)
		r = connect(fd, (struct sockaddr *)&un, sizeof un);
	if (r < 0 && fd >= 0 && errno == EAGAIN)
		errno = ETIMEDOUT;
	if (r == 0)
		r = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none,
		    sizeof none);
	if (r < 0 && fd >= 0) {
		close_quietly(fd);
		fd = -1;
	}
	if (dir >= 0)
		close_quietly(dir);
	return fd;
}
