/* SPDX-License-Identifier: ISC */
#include "auth/strangers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "house.h"

static struct strangers here[64];

static bool
enters(unsigned i, const char *ip)
{
	return strangers_enter(&here[i], &house, ip);
}

static void
limits(void)
{
	struct strangers other;

	setenv("LEMON_STRANGERS_ADDRESS", "3", 1);
	setenv("LEMON_STRANGERS_MAX", "8", 1);
	ok(enters(0, "192.0.2.1") && enters(1, "192.0.2.1") &&
	    enters(2, "::ffff:192.0.2.1"), "three from one address");
	ok(!enters(3, "192.0.2.1") && here[3].fd < 0, "not a fourth");
	ok(enters(4, "2001:db8::1") && enters(5, "2001:db8::2:2") &&
	    enters(6, "2001:db8::3:3:3:3"), "but three from elsewhere");
	ok(!enters(7, "2001:db8::ffff"), "an address of IPv6 is a network");
	ok(enters(7, "2001:db8:0:1::1"), "and not the next one");
	ok(enters(8, "192.0.2.2"), "eight in all");
	ok(!enters(9, "192.0.2.3"), "and no more");
	ok(enters(10, NULL) && enters(11, "somebody"),
	    "who has no address is not counted");
	strangers_leave(&here[8]);
	ok(enters(9, "192.0.2.3"), "who leaves makes room");

	/* However it ends, its place is free; a child that lives on has it
	 * not. */
	strangers_leave(&here[0]);
	pid_t pid = fork();

	if (pid == 0) {
		_exit(!strangers_enter(&other, &house, "192.0.2.1"));
	}
	int status = 1;

	waitpid(pid, &status, 0);
	ok(status == 0 && enters(0, "192.0.2.1"), "so does who ends");
	int end[2];

	if (pipe(end) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		char c;

		close(end[1]);
		_exit(read(end[0], &c, 1) != 0);
	}
	strangers_leave(&here[0]);
	ok(enters(0, "192.0.2.1"), "a child keeps no place that was left");
	close(end[0]);
	close(end[1]);
	waitpid(pid, NULL, 0);
	for (unsigned i = 0; i < COUNT(here); i++)
		if (i <= 11)
			strangers_leave(&here[i]);
}

static void
guesses(void)
{
	static const int64_t want[] = { 0, 0, 0, 0, 0, 100, 200, 400, 800,
		1600, 3200, 6400, 12800, 15000, 15000 };
	bool good = true;
	struct strangers same;

	setenv("LEMON_AUTH_DELAY", "100", 1);
	enters(0, "192.0.2.9");
	enters(1, "192.0.2.10");
	for (size_t i = 0; i < COUNT(want); i++) {
		good = good && strangers_wait(&here[0], &house) == want[i];
		strangers_failed(&here[0]);
	}
	ok(good, "after five wrong guesses each waits twice as long");
	ok(strangers_wait(&here[1], &house) == 0, "but nobody else");
	strangers_leave(&here[0]);
	strangers_enter(&same, &house, "192.0.2.9");
	ok(strangers_wait(&same, &house) == 15000, "a new connection, too");
	setenv("LEMON_AUTH_DELAY", "0", 1);
	ok(strangers_wait(&same, &house) == 0, "unless delays are off");
	setenv("LEMON_AUTH_DELAY", "100", 1);

	/* As many addresses as there may be: the file keeps its size. */
	for (unsigned i = 0; i < 3000; i++) {
		char ip[32];

		snprintf(ip, sizeof ip, "10.1.%u.%u", i / 250, i % 250);
		strangers_enter(&here[2], &house, ip);
		strangers_failed(&here[2]);
		strangers_leave(&here[2]);
	}
	struct stat st;
	struct buf path = { 0 };

	buf_addf(&path, "%s/crowd", house_dir);
	ok(stat(buf_cstr(&path), &st) == 0 && st.st_size <= 64 * 1024,
	    "the file does not grow");
	ok((st.st_mode & 0777) == 0600, "and is ours alone");
	strangers_leave(&same);
	strangers_leave(&here[1]);

	/* Rubbish in it lets everybody in. */
	int fd = open(buf_cstr(&path), O_WRONLY);
	char junk[4096];

	memset(junk, 0xff, sizeof junk);
	for (int i = 0; i < 16; i++)
		if (write(fd, junk, sizeof junk) < 0)
			exit(1);
	close(fd);
	ok(enters(0, "192.0.2.9") && strangers_wait(&here[0], &house) >= 0 &&
	    strangers_wait(&here[0], &house) <= 15000, "rubbish is no harm");
	strangers_leave(&here[0]);
	unlink(buf_cstr(&path));
	if (symlink("/etc/passwd", buf_cstr(&path)) < 0)
		exit(1);
	ok(enters(0, "192.0.2.9") && here[0].fd < 0, "a link is not followed");
	buf_free(&path);
}

int
main(void)
{
	if (mkdtemp(house_dir) == NULL)
		return 1;
	ok(enters(0, "192.0.2.1") && here[0].fd < 0 &&
	    strangers_wait(&here[0], &house) == 0,
	    "without the control file there is no limit");
	strangers_failed(&here[0]);
	strangers_leave(&here[0]);
	setenv("LEMON_STRANGERS", "crowd", 1);
	limits();
	guesses();
	house_done();
	return done();
}
