/* SPDX-License-Identifier: ISC */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "../../t.h"

static void
reading(int d)
{
	struct buf b = { 0 };
	struct stat st;
	char t[8];

	ok(file_replace(d, "a", SPAN("one"), 0640) == 0, "a file is made");
	ok(fstatat(d, "a", &st, 0) == 0 && (st.st_mode & 07777) == 0640,
	    "with the mode that was asked for");
	ok(file_replace(d, "./a", SPAN("two!"), 0600) == 0, "and replaced");
	buf_adds(&b, "<");
	ok(file_read(d, "a", 4, &b) == 0, "a file as long as allowed");
	is(buf_span(&b), SPAN("<two!"), "reading adds");
	errno = 0;
	ok(file_read(d, "a", 3, &b) < 0 && errno == EFBIG, "a longer one not");
	ok(file_read(d, "none", 3, &b) < 0 && errno == ENOENT, "a missing one");
	symlinkat("a", d, "link");
	ok(file_read(d, "link", 9, &b) < 0 && errno == ELOOP,
	    "a symbolic link is not followed");
	mkfifoat(d, "fifo", 0600);
	ok(file_read(d, "fifo", 9, &b) < 0 && errno == EINVAL,
	    "a FIFO is refused and does not hang");
	ok(file_read(d, ".", 9, &b) < 0 && errno == EISDIR, "a directory");
	is(buf_span(&b), SPAN("<two!"), "failing adds nothing");

	int fd = openat(d, "a", O_RDONLY);

	ok(file_pread(fd, t, 8, 1) == 3 && memcmp(t, "wo!", 3) == 0,
	    "reading at an offset stops at the end");
	ok(file_pread(fd, t, 8, 99) == 0, "and beyond it");
	close(fd);
	ok(file_replace(d, "no/such", SPAN(""), 0600) < 0 && errno == ENOENT,
	    "no directory");
	ok(file_replace(d, ".", SPAN(""), 0600) < 0, "no file to replace");
	for (const char *const *p = (const char *const[]){ "a", "link",
	    "fifo", NULL }; *p != NULL; p++)
		unlinkat(d, *p, 0);
	buf_free(&b);
}

/* A child takes the lock, says so, and keeps it until told. */
static void
locking(int d)
{
	int up[2], down[2];
	int fd = openat(d, "lock", O_RDWR | O_CREAT, 0600);
	int two = openat(d, "lock", O_RDWR);
	char c;

	ok(file_lock(fd, true, 0) == 0, "a lock is taken");
	int64_t t = clock_ms();

	ok(file_lock(two, true, 30) < 0 && errno == ETIMEDOUT &&
	    clock_ms() - t >= 30, "a second holder waits, then gives up");
	close(fd);
	ok(file_lock(two, false, 0) == 0, "closing lets it go");
	fd = openat(d, "lock", O_RDWR);
	ok(file_lock(fd, false, 0) == 0, "shared holders do not mind");
	close(two);
	close(fd);

	if (pipe(up) < 0 || pipe(down) < 0)
		exit(1);
	pid_t pid = fork();

	if (pid == 0) {
		fd = openat(d, "lock", O_RDWR);
		file_lock(fd, true, 1000);
		close(down[1]);
		if (write(up[1], "x", 1) == 1 && read(down[0], &c, 1) == 0)
			_exit(0);
		_exit(1);
	}
	close(down[0]);
	fd = openat(d, "lock", O_RDWR);
	ok(read(up[0], &c, 1) == 1 && file_lock(fd, false, 0) < 0,
	    "another process's lock counts");
	close(down[1]);
	ok(file_lock(fd, true, 5000) == 0, "until that process is gone");
	waitpid(pid, NULL, 0);
	close(fd);
	unlinkat(d, "lock", 0);
}

int
main(void)
{
	char dir[] = "/tmp/lemon-file-XXXXXX";
	char a[16] = { 0 }, b[16] = { 0 };

	if (mkdtemp(dir) == NULL)
		return 1;
	int d = open(dir, O_RDONLY | O_DIRECTORY);

	reading(d);
	locking(d);
	random_fill(a, sizeof a);
	random_fill(b, sizeof b);
	ok(memcmp(a, b, sizeof a) != 0, "random octets differ");
	ok(rmdir(dir) == 0, "no temporary file is left");
	return done();
}
