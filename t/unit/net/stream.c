/* SPDX-License-Identifier: ISC */
#include "net/stream.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../memory.h"
#include "../../t.h"
#include "base/clock.h"

static void
lines_at_every_split(void)
{
	static const struct {
		const char *text;
		enum line want;
	} line[] = {
		{ "a NOOP", LINE_OK },
		{ "", LINE_OK },
		{ "12345678", LINE_OK },
		{ "1234567", LINE_LONG },	/* 123456789 was sent */
		{ "bare", LINE_BARE },
		{ "cr\rin\r", LINE_OK },
		{ "", LINE_BARE },
		{ "12345678", LINE_LONG },	/* and many more */
		{ "12345678", LINE_LONG },	/* a CR in the ninth place */
		{ "last", LINE_OK },
	};
	static const char text[] = "a NOOP\r\n\r\n12345678\r\n"
	    "123456789\r\nbare\ncr\rin\r\r\n\n"
	    "12345678901234567890123456789\r\n12345678\r9\nlast\r\nrest";
	size_t bad = 0;

	for (size_t size = 1; size < sizeof text; size++) {
		struct t_said s = { SPAN(text), size };
		struct in in = { .op = t_say, .ctx = &s, .fd = -1 };
		struct out none = { 0 };
		struct buf b = { 0 };

		for (size_t i = 0; i < COUNT(line); i++) {
			buf_clear(&b);
			buf_addc(&b, '<');
			if (in_line(&in, &b, 8) != line[i].want ||
			    !span_starts(buf_span(&b), SPAN("<")) ||
			    !span_starts(span_skip(buf_span(&b), 1),
			    span_str(line[i].text)))
				bad++;
			if (line[i].want != LINE_LONG &&
			    b.n != 1 + strlen(line[i].text))
				bad++;
			if (b.n > 9)
				bad++;
		}
		buf_clear(&b);
		if (in_line(&in, &b, 8) != LINE_END || b.n != 4 ||
		    in.state != STREAM_EOF || in.total != sizeof text - 1)
			bad++;
		buf_free(&b);
		stream_free(&in, &none);
	}
	ok(bad == 0, "lines are the same at every split, and stay in step");
}

/* In pieces that fit, do not fit, and are more than the buffer can be. */
static void
direct(struct out *o, struct span s)
{
	for (size_t want = 1; s.n > 0; want = want * 5 % 70001) {
		size_t n;
		char *p = out_room(o, want < s.n ? want : s.n, &n);

		if (n == 0 || n > s.n || n > want)
			_exit(1);
		memcpy(p, s.p, n);
		out_took(o, n);
		s = span_skip(s, n);
	}
}

static void
octets(void)
{
	static char big[50000], got[50000];
	int s[2];
	struct in in;
	struct out out;
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i * 7 % 251);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		exit(1);
	pid_t pid = fork();

	if (pid == 0) {
		struct in pin;
		struct out pout;

		stream_open(&pin, &pout, s[1], s[1]);
		for (size_t n = 1; n < sizeof big; n *= 3)
			out_add(&pout, (struct span){ big, n });
		out_add(&pout, (struct span){ big, sizeof big });
		pout.most = 40000;
		direct(&pout, (struct span){ big, sizeof big });
		out_addf(&pout, "%d %s", 12, "words");
		out_addu(&pout, 18446744073709551615u);
		out_adds(&pout, "\r\n");
		_exit(out_flush(&pout) != 0);
	}
	close(s[1]);
	stream_open(&in, &out, s[0], s[0]);
	bool same = true;
	uint64_t total = 0;

	for (size_t n = 1; n < sizeof big; n *= 3) {
		same = same && in_exact(&in, got, n) &&
		    memcmp(got, big, n) == 0;
		total += n;
	}
	ok(same, "octets of many sizes arrive");
	ok(in_skip(&in, 1000), "some are skipped");
	struct span v = in_some(&in, 10);

	ok(v.n > 0 && v.n <= 10 && memcmp(v.p, big + 1000, v.n) == 0,
	    "a view gives at most what was asked for");
	ok(in_exact(&in, got, sizeof big - 1000 - v.n) &&
	    memcmp(got, big + 1000 + v.n, sizeof big - 1000 - v.n) == 0,
	    "and the rest follows it");
	ok(in_exact(&in, got, sizeof big) &&
	    memcmp(got, big, sizeof big) == 0,
	    "and what was written straight into the buffer");
	ok(in_line(&in, &b, 100) == LINE_OK, "a line after octets");
	is(buf_span(&b), SPAN("12 words18446744073709551615"), "formatted");
	ok(in.total == total + 2 * sizeof big + b.n + 2, "the total counts all");
	ok(!in_exact(&in, got, 1) && in.state == STREAM_EOF, "the end");
	ok(in_some(&in, 5).n == 0 && in_line(&in, &b, 9) == LINE_END,
	    "the end stays the end");
	waitpid(pid, NULL, 0);
	close(s[0]);
	buf_free(&b);
	stream_free(&in, &out);
}

static void
tied(void)
{
	int s[2];
	struct in in;
	struct out out;
	char got[64];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		exit(1);
	stream_open(&in, &out, s[0], s[0]);
	ok(in.p == NULL && out.p == NULL, "no memory before the first octet");
	out_adds(&out, "one ");
	out_adds(&out, "two");
	ok(recv(s[1], got, 64, MSG_DONTWAIT) < 0, "writing is buffered");
	if (write(s[1], "x\r\ny\r\n", 6) != 6)
		exit(1);
	struct buf b = { 0 };

	in_line(&in, &b, 10);
	ok(recv(s[1], got, 64, MSG_DONTWAIT) == 7, "reading flushes it");
	out_adds(&out, "more");
	ok(in_ready(&in), "a pipelined line is ready");
	in_line(&in, &b, 10);
	ok(recv(s[1], got, 64, MSG_DONTWAIT) < 0,
	    "a line that is there already flushes nothing");
	ok(!in_ready(&in), "nothing more is ready");
	if (write(s[1], "a\r\ninjected", 11) != 11)
		exit(1);
	in_line(&in, &b, 10);
	ok(in_discard(&in) == 8 && !in_ready(&in), "what is buffered can go");

	in.deadline = clock_ms() + 40;
	int64_t t = clock_ms();

	ok(in_line(&in, &b, 10) == LINE_END && in.state == STREAM_TIMEOUT &&
	    in.error == ETIMEDOUT && clock_ms() - t >= 39 &&
	    clock_ms() - t < 2000, "the deadline ends a read");
	in.deadline = 0;
	ok(in_line(&in, &b, 10) == LINE_END && in.state == STREAM_TIMEOUT,
	    "for ever");
	close(s[0]);
	close(s[1]);
	buf_free(&b);
	stream_free(&in, &out);
}

/* A peer that sends an octet now and then and never a line. */
static void
slow_peer(int fd[2], const char *name)
{
	struct in in;
	struct out out;
	struct buf b = { 0 };
	pid_t pid = fork();

	if (pid == 0) {
		close(fd[0]);
		while (write(fd[1], "x", 1) == 1)
			usleep(2000);
		_exit(0);
	}
	close(fd[1]);
	stream_open(&in, &out, fd[0], fd[0]);
	in.deadline = clock_ms() + 60;
	ok(in_line(&in, &b, 100000) == LINE_END &&
	    in.state == STREAM_TIMEOUT && b.n > 0, name);
	close(fd[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	buf_free(&b);
	stream_free(&in, &out);
}

/* A peer that never reads: the write gives up, and so does the reading. */
static void
deaf_peer(int rfd, int wfd, const char *name)
{
	static char big[1 << 22];
	struct in in;
	struct out out;

	stream_open(&in, &out, rfd, wfd);
	out.timeout = 50;
	int64_t t = clock_ms();

	out_add(&out, (struct span){ big, sizeof big });
	ok(out_flush(&out) < 0 && out.state == STREAM_TIMEOUT &&
	    clock_ms() - t < 3000, name);
	out_add(&out, (struct span){ big, sizeof big });
	ok(in_some(&in, 1).n == 0 && in.state == STREAM_TIMEOUT,
	    "and the tied reading ends with it");
	stream_free(&in, &out);
}

/* A peer that reads an octet now and then: each write gets somewhere, but
 * all of them together have a limit. */
static void
slow_reader(int rfd, int wfd, const char *name)
{
	static char big[1 << 22];
	struct in in;
	struct out out;
	char c;
	pid_t pid = fork();

	if (pid == 0) {
		close(wfd);
		while (read(rfd, &c, 1) == 1)
			usleep(200);
		_exit(0);
	}
	stream_open(&in, &out, rfd, wfd);
	int64_t t = clock_ms();

	out.deadline = t + 100;
	out_add(&out, (struct span){ big, sizeof big });
	ok(out_flush(&out) < 0 && out.state == STREAM_TIMEOUT &&
	    clock_ms() - t < 3000, name);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(rfd);
	close(wfd);
	stream_free(&in, &out);
}

static void
waiting(void)
{
	int s[2], p[2], q[2];
	struct in in;
	struct out out;
	struct buf b = { 0 };
	char c[64];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0 || pipe(p) < 0 ||
	    pipe(q) < 0)
		exit(1);
	int also[2] = { p[0], q[0] };

	stream_open(&in, &out, s[0], s[0]);
	out_adds(&out, "+ idling\r\n");
	int64_t t = clock_ms();

	ok(in_wait(&in, also, 2, 30) == 0 && clock_ms() - t >= 30,
	    "waiting ends after its time");
	ok(recv(s[1], c, sizeof c, MSG_DONTWAIT) == 10, "and flushed before it");
	if (write(q[1], "x", 1) != 1)
		exit(1);
	ok(in_wait(&in, also, 2, -1) == 4, "another descriptor is ready");
	if (write(p[1], "x", 1) != 1 || write(s[1], "D\r\nE\r\n", 6) != 6)
		exit(1);
	ok(in_wait(&in, also, 2, -1) == 7, "all of them are ready");
	in_line(&in, &b, 9);
	ok(in_wait(&in, also, 0, -1) == 1, "a buffered line is ready");
	in_line(&in, &b, 9);
	ok(in_wait(&in, also, 0, 0) == 0, "nothing is");
	close(s[1]);
	ok(in_wait(&in, also, 0, -1) == 1 && in.state == STREAM_EOF,
	    "the end is ready");
	close(s[0]);
	buf_free(&b);
	stream_free(&in, &out);
}

static void
gone(void)
{
	struct out out;
	struct in in;
	int s[2], p[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0 || pipe(p) < 0)
		exit(1);
	stream_open(&in, &out, s[0], s[0]);
	ok(out_peer(&out) == PEER_THERE, "who is silent is there");
	shutdown(s[1], SHUT_WR);
	ok(out_peer(&out) == PEER_SILENT, "who sends no more may read");
	close(s[1]);
	ok(out_peer(&out) == PEER_GONE, "who closed the socket is gone");
	stream_move(&in, &out, p[0], p[1]);
	ok(out_peer(&out) == PEER_THERE, "a pipe with a reader");
	close(p[0]);
	ok(out_peer(&out) == PEER_GONE, "a pipe without one");
	stream_free(&in, &out);
	close(s[0]);
	close(p[1]);
}

int
main(void)
{
	int s[2], p[2];

	signal(SIGPIPE, SIG_IGN);
	lines_at_every_split();
	octets();
	tied();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		return 1;
	slow_peer(s, "a drip on a socket does not move the deadline");
	if (pipe(s) < 0)
		return 1;
	slow_peer(s, "a drip on a pipe does not move the deadline");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0 || pipe(p) < 0)
		return 1;
	deaf_peer(s[0], s[0], "a write to a full socket times out");
	deaf_peer(s[1], p[1], "a write to a full pipe times out");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0 || pipe(p) < 0)
		return 1;
	slow_reader(s[0], s[1], "a drip from a socket moves no deadline");
	slow_reader(p[0], p[1], "a drip from a pipe moves no deadline");
	waiting();
	gone();
	return done();
}
