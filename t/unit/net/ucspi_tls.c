/* SPDX-License-Identifier: ISC */
#include "net/ucspi_tls.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "../../t.h"

struct wrapper {
	int plain[2], ctl[2], to[2], from[2];
	struct in in;
	struct out out;
};

static void
number(const char *name, int fd)
{
	char t[24];

	snprintf(t, sizeof t, "%d", fd);
	setenv(name, t, 1);
}

static void
start(struct wrapper *w)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, w->plain) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, w->ctl) < 0 ||
	    pipe(w->to) < 0 || pipe(w->from) < 0)
		exit(1);
	number("SSLCTLFD", w->ctl[0]);
	number("SSLREADFD", w->to[0]);
	number("SSLWRITEFD", w->from[1]);
	stream_open(&w->in, &w->out, w->plain[0], dup(w->plain[0]));
	w->in.deadline = clock_ms() + 200;
}

int
main(void)
{
	struct wrapper w;
	struct buf b = { 0 };
	const char *why = "";
	char got[100];

	signal(SIGPIPE, SIG_IGN);
	start(&w);
	static const char env[] = "SSL_PROTOCOL=TLSv1.3\0SSL_CIPHER=x y\0"
	    "PATH=/evil\0";

	if (write(w.plain[1], "STARTTLS\r\nEVIL\r\n", 16) != 16 ||
	    write(w.ctl[1], env, sizeof env) != sizeof env ||
	    write(w.to[1], "EHLO\r\n", 6) != 6)
		return 1;
	setenv("PATH", "/bin", 1);
	in_line(&w.in, &b, 100);
	out_adds(&w.out, "220 go\r\n");
	ok(ucspi_tls_start(&w.in, &w.out, &why) == 0, "the wrapper takes over");
	ok(recv(w.plain[1], got, sizeof got, MSG_DONTWAIT) == 8,
	    "the answer went out in plain text");
	ok(recv(w.ctl[1], got, sizeof got, MSG_DONTWAIT) == 1 &&
	    got[0] == 'Y', "it was asked");
	buf_clear(&b);
	in_line(&w.in, &b, 100);
	is(buf_span(&b), SPAN("EHLO"), "early plain text is never used");
	out_adds(&w.out, "250 hi\r\n");
	out_flush(&w.out);
	ok(read(w.from[0], got, sizeof got) == 8, "answers go through it");
	is(span_str(getenv("SSL_PROTOCOL")), SPAN("TLSv1.3"), "its variables");
	is(span_str(getenv("SSL_CIPHER")), SPAN("x y"), "all of them");
	is(span_str(getenv("PATH")), SPAN("/bin"), "but no others");
	ok(getenv("SSLCTLFD") == NULL, "it can be asked only once");
	stream_free(&w.in, &w.out);

	start(&w);
	close(w.ctl[1]);
	ok(ucspi_tls_start(&w.in, &w.out, &why) < 0 &&
	    in_some(&w.in, 1).n == 0 && w.in.state == STREAM_ERROR,
	    "a wrapper that is gone: the stream is dead");
	stream_free(&w.in, &w.out);

	start(&w);
	int64_t t = clock_ms();

	ok(ucspi_tls_start(&w.in, &w.out, &why) < 0 &&
	    clock_ms() - t < 5000, "a silent wrapper runs into the deadline");
	stream_free(&w.in, &w.out);
	unsetenv("SSLCTLFD");
	start(&w);
	setenv("SSLREADFD", "x", 1);
	ok(ucspi_tls_start(&w.in, &w.out, &why) < 0, "no descriptor, no TLS");
	stream_free(&w.in, &w.out);
	buf_free(&b);
	return done();
}
