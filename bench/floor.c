/* SPDX-License-Identifier: ISC */
/*
 * What the machine can do at best: floor DIR STATIC prints lines of a number
 * a second (or MB/s, where the name says so), a blank and a name.  DIR is on
 * the disk to be measured, STATIC a program that ends at once.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SYNCS = 400, FILES = 2000, READS = 10, EXECS = 300, PINGS = 4000,
	BULK = 512 * 1024 * 1024, COPY = 50 * 1000 * 1000, COPIES = 4 };

static const char letter[4096];

__attribute__((noreturn)) static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
result(double start, double n, const char *what)
{
	printf("%.0f %s\n", n / (now() - start), what);
}

static const char *
numbered(const char *folder, int i)
{
	static char name[2][64];
	static int turn;

	turn = !turn;
	snprintf(name[turn], sizeof name[turn], "%s/%d", folder, i);
	return name[turn];
}

static int
create(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, letter, sizeof letter) != sizeof letter)
		fail(name);
	return fd;
}

static void
exec_rate(char *program)
{
	char *const argv[] = { program, NULL };
	double start = now();

	for (int i = 0; i < EXECS; i++) {
		if (fork() == 0) {
			close(1);
			execv(program, argv);
			_exit(1);
		}
		wait(NULL);
	}
	result(start, EXECS, "fork+exec+wait of a static program");
}

/* One message made safe: what LMTP and APPEND cannot do without. */
static void
deliver(int dir, int i)
{
	int fd = create(numbered("a", i));

	if (fsync(fd) < 0 || close(fd) < 0 ||
	    rename(numbered("a", i), numbered("b", i)) < 0 || fsync(dir) < 0)
		fail("fsync");
}

static void
delivery_rate(int par)
{
	double start = now();
	int dir = open("b", O_RDONLY | O_DIRECTORY);

	for (int k = 0; k < par; k++)
		if (fork() == 0) {
			for (int i = k; i < SYNCS; i += par)
				deliver(dir, i);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	close(dir);
	result(start, SYNCS, par == 1 ?
	    "create 4 KiB+fsync+rename+fsync of the directory" :
	    "the same, eight processes");
}

static void
fdatasync_rate(void)
{
	int fd = create("block");
	double start = now();

	for (int i = 0; i < SYNCS; i++)
		if (pwrite(fd, letter, sizeof letter, 0) < 0 ||
		    fdatasync(fd) < 0)
			fail("fdatasync");
	result(start, SYNCS, "fdatasync of a rewritten 4 KiB block");
	close(fd);
}

/* All that a look into foreign mail cannot do without. */
static void
read_every(int par, int k)
{
	char to[sizeof letter];
	int dir = open("a", O_RDONLY | O_DIRECTORY);

	for (int i = k; i < FILES * READS; i += par) {
		int fd = openat(dir, numbered("a", i % FILES) + 2, O_RDONLY);

		if (fd < 0 || read(fd, to, sizeof to) < 0)
			fail("read");
		close(fd);
	}
	close(dir);
}

static void
read_rate(int par)
{
	double start = now();

	for (int k = 1; k < par; k++)
		if (fork() == 0) {
			read_every(par, k);
			_exit(0);
		}
	read_every(par, 0);
	while (wait(NULL) > 0)
		;
	result(start, FILES * READS, par == 1 ? "open+read+close of 4 KiB" :
	    "the same, two processes");
}

/* Each of FILES names in turn. */
static void
names(int (*f)(const char *, const char *), const char *from, const char *to,
    const char *what)
{
	double start = now();

	for (int i = 0; i < FILES; i++)
		if (f(numbered(from, i), numbered(to, i)) < 0)
			fail(what);
	result(start, FILES, what);
}

static int
unlink_one(const char *name, const char *other)
{
	(void)other;
	return unlink(name);
}

static void
name_rates(void)
{
	for (int i = 0; i < FILES; i++)
		close(create(numbered("a", i)));
	sync();
	read_rate(1);
	read_rate(2);
	names(rename, "a", "b", "rename");
	names(link, "b", "a", "link");
	names(unlink_one, "a", "a", "unlink of one of two links");
	sync();
	names(unlink_one, "b", "b", "unlink of a file written back");
}

/* What a message put together of one large part cannot do without. */
static void
copy_rate(void)
{
	static char p[64 * 1024];
	int from = open("from", O_RDWR | O_CREAT, 0600);
	double start = 0;

	for (int i = -1; i < COPIES; i++) {
		int to = i < 0 ? from : open("to", O_WRONLY | O_CREAT |
		    O_TRUNC, 0600);

		if (i == 0)
			start = now();
		for (off_t n = 0; n < COPY; n += (off_t)sizeof p)
			if ((i >= 0 && pread(from, p, sizeof p, n) < 0) ||
			    write(to, p, sizeof p) < 0)
				fail("copy");
		if (fsync(to) < 0)
			fail("fsync");
		if (i >= 0)
			close(to);
	}
	result(start, COPIES * (COPY / 1e6),
	    "MB/s of a file of 50 MB to another+fsync");
	close(from);
}

static void
exchange(int fd, char *p, size_t n)
{
	for (ssize_t r; n > 0; n -= (size_t)r)
		if ((r = read(fd, p, n)) <= 0)
			_exit(0);
}

static void
loopback(void)
{
	static char p[64 * 1024];
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;
	int l = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(l, (struct sockaddr *)&a, sizeof a) < 0 || listen(l, 1) < 0 ||
	    getsockname(l, (struct sockaddr *)&a, &len) < 0)
		fail("listen");
	if (fork() == 0) {
		int fd = accept(l, NULL, NULL);

		for (int i = 0; i < PINGS; i++) {
			exchange(fd, p, 1);
			if (write(fd, p, 1) < 0)
				_exit(1);
		}
		for (size_t n = 0; n < BULK; n += sizeof p)
			if (write(fd, p, sizeof p) != sizeof p)
				_exit(1);
		_exit(0);
	}
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		fail("connect");
	double start = now();

	for (int i = 0; i < PINGS; i++) {
		if (write(fd, p, 1) < 0)
			fail("write");
		exchange(fd, p, 1);
	}
	result(start, PINGS, "round trips on loopback");
	start = now();
	for (size_t n = 0; n < BULK; n += sizeof p)
		exchange(fd, p, sizeof p);
	result(start, BULK / 1e6, "MB/s through loopback");
	wait(NULL);
}

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3)
		return 64;
	exec_rate(argv[2]);
	if (chdir(argv[1]) < 0 || mkdir("a", 0700) < 0 || mkdir("b", 0700) < 0)
		fail(argv[1]);
	delivery_rate(1);
	delivery_rate(8);
	fdatasync_rate();
	name_rates();
	copy_rate();
	loopback();
	return 0;
}
