/* SPDX-License-Identifier: ISC */
#include "smtp/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { CUSTOM_MAX = 400, CUSTOM_FD = 6 };

struct child {
	pid_t pid;
	int message, envelope, custom;	/* our ends */
	int64_t deadline;
	bool failed;		/* it does not read, or no longer */
	char last;		/* for CRLF across pieces */
};

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Only calls that are safe between fork and exec.  The pipes are moved out
 * of the way of 0, 1 and 6 first. */
static void
become(const char *program, int in, int out, int custom)
{
	char *argv[] = { NULL, NULL };
	int from[] = { in, out, custom };
	static const int to[] = { 0, 1, CUSTOM_FD };

	argv[0] = (char *)(uintptr_t)program;
	for (size_t i = 0; i < COUNT(from); i++)
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, CUSTOM_FD + 1);
	for (size_t i = 0; i < COUNT(from); i++)
		if (from[i] < 0 || dup2(from[i], to[i]) < 0)
			_exit(120);
	signal(SIGPIPE, SIG_DFL);
	execv(program, argv);
	_exit(120);
}

static int
start(struct child *c, const char *program)
{
	int p[6] = { -1, -1, -1, -1, -1, -1 };

	if (pipe2(p, O_CLOEXEC) != 0 || pipe2(p + 2, O_CLOEXEC) != 0 ||
	    pipe2(p + 4, O_CLOEXEC) != 0)
		c->pid = -1;
	else
		c->pid = fork();
	if (c->pid == 0)
		become(program, p[0], p[2], p[5]);
	shut(&p[0]);
	shut(&p[2]);
	shut(&p[5]);
	c->message = p[1];
	c->envelope = p[3];
	c->custom = p[4];
	if (c->pid > 0)
		return 0;
	shut(&c->message);
	shut(&c->envelope);
	shut(&c->custom);
	return -1;
}

/* Write all of it before the deadline. */
static void
put(struct child *c, int fd, struct span s)
{
	while (s.n > 0 && !c->failed) {
		int64_t left = c->deadline - clock_ms();
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		ssize_t n = -1;
		int ready;

		if (left > 60000)
			left = 60000;
		ready = left <= 0 ? 0 : poll(&p, 1, (int)left);
		if (ready == 0 && left == 60000)
			continue;
		if (ready > 0)
			n = write(fd, s.p, s.n < 4096 ? s.n : 4096);
		if (ready == 0 || (n < 0 && errno != EINTR &&
		    errno != EAGAIN))
			c->failed = true;
		if (n > 0)
			s = span_skip(s, (size_t)n);
	}
}

/* The message's CRLF become LF. */
static void
message(void *ctx, struct span s)
{
	struct child *c = ctx;

	while (s.n > 0) {
		size_t cr = span_chr(s, '\r');

		if (c->last == '\r' && s.p[0] != '\n')
			put(c, c->message, SPAN("\r"));
		put(c, c->message, span_head(s, cr));
		if (cr > 0)
			c->last = s.p[cr - 1];
		if (cr < s.n)
			c->last = '\r';
		s = span_skip(s, cr + 1);
	}
}

static void
envelope(struct child *c, const struct queue_job *j)
{
	struct buf e = { 0 };

	buf_addc(&e, 'F');
	buf_add(&e, j->sender);
	buf_addc(&e, '\0');
	for (size_t i = 0; i < j->rcpts; i++) {
		buf_addc(&e, 'T');
		buf_add(&e, j->rcpt[i]);
		buf_addc(&e, '\0');
	}
	buf_addc(&e, '\0');
	put(c, c->envelope, buf_span(&e));
	buf_free(&e);
}

/* What it says on descriptor 6, up to the end or the deadline. */
static void
custom(struct child *c, struct buf *text)
{
	for (;;) {
		struct pollfd p = { .fd = c->custom, .events = POLLIN };
		int64_t left = c->deadline - clock_ms();
		char piece[256];
		ssize_t n;
		int ready;

		if (left <= 0) {
			c->failed = true;
			return;
		}
		ready = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		n = read(c->custom, piece, sizeof piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		if (text->n < CUSTOM_MAX)
			buf_add(text, (struct span){ piece, (size_t)n });
	}
}

static int
reap(struct child *c)
{
	int status;

	if (c->failed && clock_ms() >= c->deadline)
		kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return 120;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 120;
}

/* The exit codes of qmail-queue(8): 11 to 40 never, the others later. */
static void
verdict(int code, struct span text, struct smtp_reply *r)
{
	bool never = code >= 11 && code <= 40;

	if (code == 0) {
		smtp_reply_set(r, 250, "2.0.0", "Ok, queued");
		return;
	}
	if (code == 82 && text.n > 1 &&
	    (text.p[0] == 'D' || text.p[0] == 'Z')) {
		never = text.p[0] == 'D';
		text = span_trim(span_skip(span_head(text, CUSTOM_MAX), 1));
		text = span_head(text, span_chr(text, '\n'));
		smtp_reply_span(r, never ? 554 : 451,
		    never ? "5.3.0" : "4.3.0", text);
		return;
	}
	smtp_reply_f(r, never ? 554 : 451, never ? "5.3.0" : "4.3.0",
	    "The queue does not take it (%d)", code);
}

void
queue_run(const struct queue_job *j, struct smtp_reply *r)
{
	struct child c = { .deadline = j->deadline };
	struct buf text = { 0 };
	int code;

	if (start(&c, j->program) != 0) {
		smtp_reply_std(r, SMTP_LATER);
		return;
	}
	message(&c, j->top);
	if (spool_read(j->message, 0, UINT64_MAX, message, &c) != 0) {
		/* Half a message with no envelope is none. */
		kill(c.pid, SIGKILL);
		c.failed = true;
	}
	shut(&c.message);
	if (!c.failed)
		envelope(&c, j);
	shut(&c.envelope);
	custom(&c, &text);
	shut(&c.custom);
	code = reap(&c);
	if (c.failed && code == 0)
		code = 120;
	verdict(code, buf_span(&text), r);
	buf_free(&text);
}
