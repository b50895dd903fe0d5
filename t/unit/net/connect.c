/* SPDX-License-Identifier: ISC */
#include "net/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "../../t.h"

static int
listening(int family, unsigned *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_addr = in6addr_loopback };
	struct sockaddr *a = family == AF_INET ? (struct sockaddr *)&in :
	    (struct sockaddr *)&in6;
	socklen_t n = family == AF_INET ? sizeof in : sizeof in6;
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, a, n) < 0 || listen(fd, 5) < 0 ||
	    getsockname(fd, a, &n) < 0)
		return -1;
	*port = ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
	return fd;
}

static int
to(const char *fmt, unsigned port, int64_t deadline)
{
	struct buf b = { 0 };
	const char *why = NULL;
	struct span f = span_str(fmt);
	size_t at = span_chr(f, '#');

	buf_add(&b, span_head(f, at));
	if (at < f.n)
		buf_addu(&b, port);
	buf_add(&b, span_skip(f, at + 1));
	int fd = connect_to(buf_span(&b), "1", deadline, &why);
	int saved = errno;

	buf_free(&b);
	if (fd < 0 && why == NULL)
		exit(1);
	errno = saved;
	return fd;
}

static void
over_tcp(void)
{
	unsigned port = 0, dead = 0;
	int l = listening(AF_INET, &port);
	int gone = listening(AF_INET, &dead);
	int fd = to("127.0.0.1:#", port, clock_ms() + 5000);

	ok(fd >= 0, "an address and a port");
	ok((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 &&
	    (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0,
	    "the descriptor blocks and is close-on-exec");
	close(fd);
	/* "localhost" is ::1 first on many machines, where nobody listens. */
	fd = to("localhost:#", port, clock_ms() + 5000);
	ok(fd >= 0, "a name: every address is tried");
	close(fd);
	fd = to("localhost:#", port, 0);
	ok(fd >= 0, "without a deadline");
	close(fd);
	close(gone);
	ok(to("127.0.0.1:#", dead, clock_ms() + 5000) < 0 &&
	    errno == ECONNREFUSED, "nobody listens: refused");
	ok(to("127.0.0.1", 0, clock_ms() + 5000) < 0 &&
	    errno == ECONNREFUSED, "without a port the default one");

	static const char *const bad[] = { "", ":25", "host:", "host:x",
		"host:99999", "[::1", "[::1]x", "[]:25", "host:123456" };

	for (size_t i = 0; i < COUNT(bad); i++)
		ok(to(bad[i], 0, 0) < 0 && errno == EINVAL, bad[i]);
	close(l);

	l = listening(AF_INET6, &port);
	if (l >= 0) {
		fd = to("[::1]:#", port, clock_ms() + 5000);
		ok(fd >= 0, "an IPv6 address in brackets");
		close(fd);
		close(l);
	}
	/* A listener with a full queue answers nothing at all. */
	l = listening(AF_INET, &port);
	listen(l, 0);
	int64_t t = clock_ms();
	bool late = false;

	for (int i = 0; i < 10 && !late; i++) {
		fd = to("127.0.0.1:#", port, clock_ms() + 100);
		late = fd < 0 && errno == ETIMEDOUT;
	}
	ok(late && clock_ms() - t < 3000, "the deadline ends a connect");
	close(l);
}

static void
over_unix(void)
{
	char dir[] = "/tmp/lemon-connect-XXXXXX";
	struct buf deep = { 0 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *why = NULL;

	if (mkdtemp(dir) == NULL)
		exit(1);
	int home = open(".", O_RDONLY | O_DIRECTORY);

	/* A path that sockaddr_un has no room for. */
	buf_adds(&deep, dir);
	buf_adds(&deep, "/");
	for (int i = 0; i < 120; i++)
		buf_addc(&deep, 'd');
	mkdir(buf_cstr(&deep), 0700);
	if (chdir(buf_cstr(&deep)) < 0)
		exit(1);
	snprintf(un.sun_path, sizeof un.sun_path, "s");
	int l = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(l, (struct sockaddr *)&un, sizeof un) < 0 ||
	    listen(l, 0) < 0 || fchdir(home) < 0)
		exit(1);
	buf_adds(&deep, "/s");
	int fd = to(buf_cstr(&deep), 0, clock_ms() + 5000);

	ok(fd >= 0, "a UNIX socket with a long path");
	int64_t t = clock_ms();
	bool late = false;

	for (int i = 0; i < 10 && !late; i++)
		late = connect_unix(buf_cstr(&deep), clock_ms() + 50,
		    &why) < 0 && errno == ETIMEDOUT;
	ok(late && clock_ms() - t < 3000, "the deadline ends that, too");
	ok(connect_unix(buf_cstr(&deep), clock_ms() - 1, &why) < 0 &&
	    errno == ETIMEDOUT, "a deadline in the past");
	close(fd);
	close(l);
	unlink(buf_cstr(&deep));
	ok(connect_unix(buf_cstr(&deep), 0, &why) < 0 && errno == ENOENT,
	    "no such socket");
	deep.n -= 2;
	rmdir(buf_cstr(&deep));
	rmdir(dir);
	buf_free(&deep);
}

static void
hosts(void)
{
	static const char *const cases[][2] = { { "a.example", "a.example" },
		{ "a.example:143", "a.example" }, { "[::1]:143", "::1" },
		{ "[::1]", "::1" }, { "::1", "::1" }, { "", "" } };

	for (size_t i = 0; i < COUNT(cases); i++)
		is(connect_host(span_str(cases[i][0])),
		    span_str(cases[i][1]), "the host that a certificate names");
	ok(connect_loopback(SPAN("127.0.0.2:25")) &&
	    connect_loopback(SPAN("[::1]:25")) &&
	    connect_loopback(SPAN("LocalHost:25")) &&
	    connect_loopback(SPAN("/run/s")), "what stays on this host");
	ok(!connect_loopback(SPAN("localhost.example.org")) &&
	    !connect_loopback(SPAN("127.0.0.1.example.org:25")) &&
	    !connect_loopback(SPAN("1127.0.0.1")) &&
	    !connect_loopback(SPAN("[::1:2]")), "and what does not");
}

int
main(void)
{
	hosts();
	over_tcp();
	over_unix();
	return done();
}
