/* SPDX-License-Identifier: ISC */
#include "net/ucspi_tls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/fd.h"

enum { ENV_MAX = 64 * 1024 };

static int
descriptor(const char *name)
{
	const char *s = getenv(name);
	uint64_t fd;

	return s != NULL && span_u64(span_str(s), 65535, &fd) ? (int)fd : -1;
}

/* All of "NAME=value" NUL … NUL NUL.  Only its end says that the handshake
 * is done. */
static int
answer(int fd, int64_t deadline, struct buf *env)
{
	while (env->n < 2 || env->p[env->n - 1] != '\0' ||
	    env->p[env->n - 2] != '\0') {
		if (env->n == 1 && env->p[0] == '\0')
			return 0;
		if (env->n >= ENV_MAX || fd_wait(fd, POLLIN, deadline) < 0)
			return -1;
		/* One at a time: what follows is not for us. */
		ssize_t n = read(fd, buf_room(env, 1), 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		env->n++;
	}
	return 0;
}

/* The wrapper speaks for TLS only, so it sets nothing else. */
static void
adopt(struct span env)
{
	while (env.n > 0) {
		struct span s = span_cut(&env, '\0');
		size_t eq = span_chr(s, '=');
		struct buf name = { 0 }, value = { 0 };

		buf_add(&name, span_head(s, eq));
		buf_add(&value, span_skip(s, eq + 1));
		if (eq < s.n && (span_starts(s, SPAN("SSL_")) ||
		    span_starts(s, SPAN("TLS_"))))
			setenv(buf_cstr(&name), buf_cstr(&value), 1);
		buf_free(&name);
		buf_free(&value);
	}
}

static int
switch_over(struct in *in, struct out *out, int ctl, int rfd, int wfd,
    const char **why)
{
	struct buf env = { 0 };
	ssize_t n;

	*why = "the TLS wrapper cannot be asked";
	do
		n = write(ctl, "Y", 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return -1;
	*why = "the TLS wrapper's handshake failed";
	if (answer(ctl, in->deadline, &env) < 0) {
		buf_free(&env);
		return -1;
	}
	adopt(buf_span(&env));
	buf_free(&env);
	*why = "the TLS wrapper's descriptors are unusable";
	if (in->fd == out->fd) {
		stream_move(in, out, rfd, wfd);
		return 0;
	}
	if (dup2(rfd, in->fd) < 0 || dup2(wfd, out->fd) < 0)
		return -1;
	close(rfd);
	if (wfd != rfd)
		close(wfd);
	stream_move(in, out, in->fd, out->fd);
	return 0;
}

int
ucspi_tls_start(struct in *in, struct out *out, const char **why)
{
	int ctl = descriptor("SSLCTLFD");
	int rfd = descriptor("SSLREADFD");
	int wfd = descriptor("SSLWRITEFD");
	int r = -1;

	*why = "the TLS wrapper's environment is incomplete";
	if (ctl >= 0 && rfd >= 0 && wfd >= 0) {
		*why = "the client went away";
		if (out_flush(out) == 0)
			r = switch_over(in, out, ctl, rfd, wfd, why);
		close(ctl);
		unsetenv("SSLCTLFD");
	}
	/* CVE-2011-0411: what came in plain text is never used. */
	in_discard(in);
	if (r < 0) {
		in->state = out->state = STREAM_ERROR;
		in->error = out->error = EPROTO;
	}
	return r;
}
