/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/die.h"
#include "../../t.h"

/* What was logged since the last call, without "lemon-t[PID]: ". */
static struct span
logged(int fd, char *p, size_t max)
{
	ssize_t n = read(fd, p, max);

	if (n <= 0)
		return SPAN("");
	struct span s = { p, (size_t)n };
	struct span head = span_head(s, span_find(s, SPAN("]: ")));

	if (!span_starts(head, SPAN("lemon-t[")))
		return SPAN("no prefix");
	return span_skip(s, head.n + 3);
}

int
main(void)
{
	static const struct {
		struct span in, want;
		const char *name;
	} value[] = {
		{ { "alice", 5 }, { "alice", 5 }, "a word stays" },
		{ { "a b\"c\\", 6 }, { "a\\x20b\\x22c\\x5c", 15 },
			"a space, quote and backslash are escaped" },
		{ { "\r\n\0\x1b\x7f", 5 }, { "\\x0d\\x0a\\x00\\x1b\\x7f", 20 },
			"controls are escaped" },
		{ { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\x8b", 9 },
			{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\x8b", 9 },
			"UTF-8 stays" },
		{ { "\xc3(\xc0\xaf\xed\xa0\x80\xc2\x9b\xff", 10 },
			{ "\\xc3(\\xc0\\xaf\\xed\\xa0\\x80\\xc2\\x9b\\xff", 37 },
			"bad UTF-8, surrogates and C1 controls are escaped" },
		{ { "\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa7", 12 },
			{ "\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xe2\\x81\\xa6"
			"\xe2\x80\xa7", 39 },
			"what breaks or turns a line is escaped" },
	};
	int p[2];
	static char got[4096], big[2000];
	struct log l;

	die_name("/usr/bin/lemon-t");
	if (pipe(p) < 0)
		return 1;
	int err = dup(2);

	dup2(p[1], 2);
	for (size_t i = 0; i < COUNT(value); i++) {
		struct buf want = { 0 };

		log_begin(&l, "login");
		log_kv(&l, "user", value[i].in);
		log_ku(&l, "n", 42);
		log_end(&l);
		buf_adds(&want, "login user=");
		buf_add(&want, value[i].want);
		buf_adds(&want, " n=42\n");
		is(logged(p[0], got, sizeof got), buf_span(&want),
		    value[i].name);
		buf_free(&want);
	}

	memset(big, 'x', sizeof big);
	log_begin(&l, "v");
	log_kv(&l, "a", (struct span){ big, sizeof big });
	log_ks(&l, "b", "kept");
	log_end(&l);
	struct span s = logged(p[0], got, sizeof got);

	ok(s.n == 4 + 512 + 8 && span_ends(s, SPAN(" b=kept\n")),
	    "a value is cut at 512 octets");
	log_begin(&l, "v");
	for (int i = 0; i < 9; i++) {
		memset(big, '\n', sizeof big);
		log_kv(&l, "key", (struct span){ big, sizeof big });
	}
	log_end(&l);
	s = logged(p[0], got, sizeof got);
	ok((size_t)(s.p + s.n - got) <= 1000 && s.p[s.n - 1] == '\n' &&
	    span_chr(s, '\n') == s.n - 1, "a line is cut at 1000 octets");
	log_warn("no %s: \"%s\"", "such\nfile", "x y");
	is(logged(p[0], got, sizeof got),
	    SPAN("warning: no such\\x0afile: \"x y\"\n"),
	    "a warning is one line and keeps its spaces");

	/* As under inetd: the connection is descriptors 0, 1 and 2. */
	int s2[2], in = dup(0);

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s2) < 0)
		return 1;
	dup2(s2[0], 0);
	dup2(s2[0], 2);
	log_warn("for the administrator");
	ok(recv(s2[1], got, sizeof got, MSG_DONTWAIT) < 0,
	    "the client does not hear what is logged");
	dup2(in, 0);
	log_warn("for whom it may concern");
	ok(recv(s2[1], got, sizeof got, MSG_DONTWAIT) > 0,
	    "another socket does");
	dup2(err, 2);
	return done();
}
