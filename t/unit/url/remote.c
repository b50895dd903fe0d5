/* SPDX-License-Identifier: ISC */
#include "url/remote.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#include "../../t.h"

enum { MS = 20 * 1000, SOON_MS = 1000, BIG = 300 * 1000, DROPS = 1000,
	DROP_MS = 10 };

static char path[] = "/tmp/lemon-remote.XXXXXX/s";

/* What is asked for is answered with what it says of itself. */
static void
serve(int fd)
{
	struct arena a = { 0 };
	struct remote_request q;
	struct out out;
	struct in in;
	struct buf b = { 0 };

	stream_open(&in, &out, fd, fd);
	while (remote_take(&in, &a, &q) == 1) {
		buf_clear(&b);
		buf_add(&b, q.caller.user.p == NULL ? SPAN("(anonymous)") :
		    q.caller.user);
		buf_addf(&b, " %d%d%d ", q.caller.submitter, q.binary,
		    q.structure);
		buf_add(&b, q.url);
		if (span_eq(q.url, SPAN("no"))) {
			remote_give(&out, REMOTE_INVALID, SPAN(""), 0);
		} else if (span_eq(q.url, SPAN("later"))) {
			remote_give(&out, REMOTE_LATER, SPAN(""), 0);
		} else if (span_eq(q.url, SPAN("cte"))) {
			remote_give(&out, REMOTE_UNKNOWN_CTE, SPAN("(x)"), 0);
		} else if (span_starts(q.url, SPAN("as "))) {
			remote_give(&out, REMOTE_OK, span_skip(q.url, 3), 0);
			remote_end(&out);
		} else if (span_eq(q.url, SPAN("big"))) {
			remote_give(&out, REMOTE_NUL, SPAN(""), BIG);
			for (int i = 0; i < BIG; i++)
				out_addc(&out, (char)(i % 251));
			remote_end(&out);
		} else if (span_eq(q.url, SPAN("drip"))) {
			remote_give(&out, REMOTE_OK, SPAN(""), DROPS);
			for (int i = 0; i < DROPS && out_flush(&out) == 0;
			    i++) {
				out_addc(&out, 'x');
				poll(NULL, 0, DROP_MS);
			}
			remote_end(&out);
		} else if (span_eq(q.url, SPAN("short"))) {
			remote_give(&out, REMOTE_OK, SPAN(""), 10);
			out_adds(&out, "12345");
			break;
		} else {
			remote_give(&out, REMOTE_OK, SPAN("(s)"), b.n);
			out_add(&out, buf_span(&b));
			remote_end(&out);
		}
		arena_reset(&a);
	}
	out_flush(&out);
	stream_free(&in, &out);
	arena_free(&a);
	buf_free(&b);
	close(fd);
}

static pid_t
start(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	path[sizeof "/tmp/lemon-remote.XXXXXX" - 1] = '\0';
	if (mkdtemp(path) == NULL)
		exit(1);
	path[strlen(path)] = '/';
	strcpy(sun.sun_path, path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof sun) == -1 ||
	    listen(fd, 5) == -1)
		exit(1);
	pid_t child = fork();

	if (child == 0)
		for (;;) {
			int one = accept(fd, NULL, NULL);

			if (one != -1)
				serve(one);
		}
	close(fd);
	return child;
}

static void
sink(void *arg, struct span s)
{
	buf_add(arg, s);
}

/* One who takes longer than an answer may. */
static void
slow_sink(void *arg, struct span s)
{
	int64_t *till = arg;

	(void)s;
	while (clock_ms() <= *till)
		;
}

static void
ask(struct remote *r, struct span user, bool s, bool b, bool t,
    const char *url)
{
	const struct remote_request q = { .caller = { user, s }, .binary = b,
		.structure = t, .url = span_str(url) };

	remote_ask(r, &q);
}

static void
answers(struct remote *r)
{
	struct buf structure = { 0 }, got = { 0 };
	uint64_t n;

	/* All of them before the first answer is read. */
	ask(r, SPAN("alice"), false, false, false, "a,b:c");
	ask(r, (struct span){ NULL, 0 }, true, true, true, "");
	ask(r, SPAN("alice"), false, false, false, "no");
	ask(r, SPAN("alice"), false, false, false, "cte");
	ask(r, SPAN("alice"), false, false, false, "later");
	ask(r, SPAN("alice"), true, false, true, "big");
	ask(r, SPAN("fred"), false, true, false, "again");

	ok(remote_answer(r, MS, &structure, &n) == REMOTE_OK && n == 15 &&
	    remote_read(r, sink, &got) == 0, "an answer comes");
	is(buf_span(&got), SPAN("alice 000 a,b:c"),
	    "the request was understood");
	is(buf_span(&structure), SPAN("(s)"), "with its structure");
	buf_clear(&got);
	ok(remote_answer(r, MS, &structure, &n) == REMOTE_OK &&
	    remote_read(r, sink, &got) == 0, "so does the next");
	is(buf_span(&got), SPAN("(anonymous) 111 "), "of nobody");
	ok(remote_answer(r, MS, &structure, &n) == REMOTE_INVALID && n == 0,
	    "one that is not valid");
	buf_clear(&structure);
	ok(remote_answer(r, MS, &structure, &n) == REMOTE_UNKNOWN_CTE &&
	    span_eq(buf_span(&structure), SPAN("(x)")),
	    "one that nobody can decode");
	ok(remote_answer(r, MS, &structure, &n) == REMOTE_LATER,
	    "one that cannot be told now");
	buf_clear(&got);
	bool good = remote_answer(r, MS, &structure, &n) == REMOTE_NUL &&
	    n == BIG && remote_read(r, sink, &got) == 0 && got.n == BIG;

	for (size_t i = 0; i < got.n; i++)
		good = good && (unsigned char)got.p[i] == i % 251;
	ok(good, "one that is long, with NULs");
	buf_clear(&got);
	ok(remote_answer(r, MS, &structure, &n) == REMOTE_OK &&
	    remote_read(r, sink, &got) == 0 &&
	    span_eq(buf_span(&got), SPAN("fred 010 again")),
	    "answers come in the order of requests");
	buf_free(&structure);
	buf_free(&got);
}

static void
slowly(struct remote *r)
{
	struct buf structure = { 0 };
	int64_t till = clock_ms() + SOON_MS;
	uint64_t n;

	ask(r, SPAN("alice"), true, false, true, "big");
	ok(remote_answer(r, SOON_MS, &structure, &n) == REMOTE_NUL &&
	    remote_read(r, slow_sink, &till) == 0,
	    "who passes an answer on may take longer than it");
	buf_free(&structure);
}

/* What goes on to a client as it is. */
static void
structures(void)
{
	static const struct {
		const char *text;
		bool good;
	} t[] = {
		{ "", true }, { "()", true }, { "(\"a\" NIL (1 x-y) ~)", true },
		{ "((\"(\\\"\\\\\" {4}\r\n)\r\n\") 1)", true },
		{ "(\"\xc3\xa4\t\")", true }, { "({0}\r\n)", true },
		{ "(", false }, { ")", false }, { "())", false },
		{ "() ", false }, { "()()", false }, { "x", false },
		{ "x)", false }, { "(x)\r\n* BYE", false },
		{ "(\r\n* BYE\r\n)", false }, { "(x\n)", false },
		{ "(\"\r\n* BYE\")", false }, { "(\"\n\")", false },
		{ "(\"\\\r\")", false }, { "(\"\\\")", false },
		{ "({2}\r\n)", false }, { "({2+}\r\nab)", true },
		{ "({-1}\r\n)", false }, { "({1}\nx)", false },
		{ "({1} \r\nx)", false }, { "({18446744073709551615}\r\n)",
		    false }, { "({9223372036854775807}\r\n)", false },
	};
	struct buf structure = { 0 }, got = { 0 };
	uint64_t n;

	for (size_t i = 0; i < COUNT(t); i++) {
		struct remote r = { 0 };
		char url[64];

		snprintf(url, sizeof url, "as %s", t[i].text);
		ok(remote_open(&r, path, MS) == 0, "connected");
		ask(&r, SPAN("alice"), true, false, true, url);
		buf_clear(&structure);
		bool good = remote_answer(&r, MS, &structure, &n) ==
		    REMOTE_OK && remote_read(&r, sink, &got) == 0 &&
		    span_eq(buf_span(&structure), span_str(t[i].text));

		ok(good == t[i].good, t[i].good ? "that is a structure" :
		    "that is none");
		remote_close(&r);
	}
	buf_free(&structure);
	buf_free(&got);
}

static void
octetwise(struct remote *r)
{
	struct buf structure = { 0 }, got = { 0 };
	uint64_t n;

	ask(r, SPAN("alice"), true, false, true, "drip");
	ok(remote_answer(r, SOON_MS, &structure, &n) == REMOTE_OK &&
	    remote_read(r, sink, &got) == -1 && got.n < DROPS,
	    "who gives an octet now and then is not waited for");
	remote_close(r);
	buf_free(&structure);
	buf_free(&got);
}

/* The server's side of what no client of ours sends, and ours of what no
 * server does. */
static void
nonsense(void)
{
	static const struct span bad[] = {
		SPAN_INIT("x"), SPAN_INIT("5"), SPAN_INIT(":,"),
		SPAN_INIT("05:alice,0:,1:x,"), SPAN_INIT("65:"),
		SPAN_INIT("18446744073709551616:"),
		SPAN_INIT("99999999999999999999999:"), SPAN_INIT("-1:"),
		SPAN_INIT("5:alice;0:,1:x,"), SPAN_INIT("5:alice,1:q,1:x,"),
		SPAN_INIT("5:alice,2:bs,1:x,"), SPAN_INIT("5:alice,0:,8193:"),
		SPAN_INIT("5:alice,0:,"), SPAN_INIT("5:alice,9:sbtsbtsbt,"),
	};
	struct arena a = { 0 };
	struct remote_request q;
	struct out out;
	struct in in;

	for (size_t i = 0; i < COUNT(bad); i++) {
		int fd[2];

		if (pipe(fd) == -1 || write(fd[1], bad[i].p, bad[i].n) == -1)
			exit(1);
		close(fd[1]);
		stream_open(&in, &out, fd[0], fd[0]);
		ok(remote_take(&in, &a, &q) == -1, bad[i].p);
		ok(a.total < 20000, "it takes no memory on a word");
		stream_free(&in, &out);
		close(fd[0]);
		arena_reset(&a);
	}
	int fd = open("/dev/null", O_RDONLY);

	stream_open(&in, &out, fd, fd);
	ok(remote_take(&in, &a, &q) == 0, "the end is no request");
	stream_free(&in, &out);
	close(fd);
	arena_free(&a);
}

int
main(void)
{
	struct buf structure = { 0 }, got = { 0 };
	struct remote r = { 0 };
	pid_t child = start();
	uint64_t n;

	ok(remote_open(&r, path, MS) == 0, "the socket is connected to");
	answers(&r);
	ok(remote_open(&r, path, MS) == 0, "once is enough");
	slowly(&r);
	octetwise(&r);
	structures();
	ok(remote_open(&r, path, MS) == 0, "another connection is made");
	ask(&r, SPAN("alice"), false, false, false, "short");
	ok(remote_answer(&r, MS, &structure, &n) == REMOTE_OK &&
	    remote_read(&r, sink, &got) == -1,
	    "an answer that breaks off is told");
	ok(remote_answer(&r, MS, &structure, &n) == REMOTE_LATER,
	    "and then there is none");
	remote_close(&r);
	nonsense();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink(path);
	path[strlen(path) - 2] = '\0';
	rmdir(path);
	ok(remote_open(&r, "/tmp/lemon-remote.none", MS) == -1,
	    "a socket that is not there is not connected to");
	remote_close(&r);
	buf_free(&structure);
	buf_free(&got);
	return done();
}
