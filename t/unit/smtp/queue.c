/* SPDX-License-Identifier: ISC */
#include "smtp/queue.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#include "../../t.h"

static struct buf dir;

static const char *
in_dir(const char *name, struct buf *path)
{
	buf_clear(path);
	buf_add(path, buf_span(&dir));
	buf_addc(path, '/');
	buf_adds(path, name);
	return buf_cstr(path);
}

/* A queue program of that shell text, in $D. */
static void
script(const char *text)
{
	struct buf path = { 0 };
	int fd = open(in_dir("queue", &path), O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0700);

	file_write(fd, SPAN("#!/bin/sh\ncd \"$D\"\n"));
	file_write(fd, span_str(text));
	close(fd);
	buf_free(&path);
}

static void
run(const char *text, size_t size, int64_t ms, struct smtp_reply *r)
{
	static const struct span to[] = { { "b@c", 3 }, { "\"d\n\"@e", 6 } };
	struct spool s = { .fd = -1 };
	struct buf path = { 0 };
	struct queue_job j = { .program = in_dir("queue", &path),
		.sender = SPAN("a@b"), .rcpt = to, .rcpts = 2,
		.top = SPAN("Top: x\r"), .message = &s,
		.deadline = clock_ms() + ms };

	script(text);
	spool_add(&s, SPAN("\nline\r\n\r\r\nx"));
	for (size_t i = 0; i < size; i += 10)
		spool_add(&s, SPAN("12345678\r\n"));
	queue_run(&j, r);
	spool_free(&s);
	buf_free(&path);
}

static const struct {
	const char *text, *want;
} cases[] = {
	{ "cat >m; cat <&1 >e", "250 2.0.0" },
	{ "cat >m; cat <&1 >e; exit 11", "554 5.3.0" },
	{ "cat >m; cat <&1 >e; exit 40", "554 5.3.0" },
	{ "cat >m; cat <&1 >e; exit 10", "451 4.3.0" },
	{ "cat >m; cat <&1 >e; exit 41", "451 4.3.0" },
	{ "cat >m; cat <&1 >e; exit 91", "451 4.3.0" },
	{ "cat >m; cat <&1 >e; printf 'Dno\\nx' >&6; exit 82", "554 5.3.0" },
	{ "cat >m; cat <&1 >e; printf Zwait >&6; exit 82", "451 4.3.0" },
	{ "cat >m; cat <&1 >e; printf Xwhat >&6; exit 82", "451 4.3.0" },
	{ "cat >m; cat <&1 >e; exit 82", "451 4.3.0" },
	{ "exit 31", "554 5.3.0" },
	{ "exit 0", "451 4.3.0" },	/* it cannot have read it all */
	{ "cat >m; kill -9 $$", "451 4.3.0" },
};

int
main(void)
{
	char template[] = "/tmp/lemon-queue.XXXXXX";
	struct smtp_reply r = { 0 };
	struct buf b = { 0 }, path = { 0 };

	signal(SIGPIPE, SIG_IGN);
	buf_adds(&dir, mkdtemp(template));
	setenv("D", buf_cstr(&dir), 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		run(cases[i].text, 200000, 20000, &r);
		buf_clear(&b);
		buf_addf(&b, "%u %s", r.code, r.status);
		is(buf_span(&b), span_str(cases[i].want), cases[i].text);
	}
	run("cat >m; cat <&1 >e; printf 'Dnot that\\nx' >&6; exit 82", 0,
	    20000, &r);
	is(buf_span(&r.text), SPAN("not that"), "a text of its own");
	buf_clear(&b);
	file_read(AT_FDCWD, in_dir("m", &path), 1000, &b);
	is(buf_span(&b), SPAN("Top: x\nline\n\r\nx"),
	    "CRLF became LF, across pieces too, and no other CR went away");
	buf_clear(&b);
	file_read(AT_FDCWD, in_dir("e", &path), 1000, &b);
	is(buf_span(&b), SPAN("Fa@b\0Tb@c\0T\"d\n\"@e\0\0"),
	    "the envelope");
	run("exec sleep 60", 1000000, 300, &r);
	ok(r.code == 451, "one that hangs is killed at the deadline");
	for (size_t i = 0; i < 3; i++)
		unlink(in_dir((const char *[]){ "queue", "m", "e" }[i],
		    &path));
	rmdir(buf_cstr(&dir));
	buf_free(&b);
	buf_free(&path);
	buf_free(&dir);
	smtp_reply_free(&r);
	return done();
}
