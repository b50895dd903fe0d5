/* SPDX-License-Identifier: ISC */
#include "net/stream.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/die.h"
#include "net/fd.h"
#include "net/trace.h"

enum { WAIT_MAX = 30 };

void
stream_move(struct in *in, struct out *out, int rfd, int wfd)
{
	int on = 1;

	in->fd = rfd;
	in->op = fd_is_socket(rfd) ? socket_read : fd_read;
	in->ctx = (void *)(intptr_t)rfd;
	in->pending = NULL;
	out->fd = wfd;
	out->op = fd_is_socket(wfd) ? socket_write : fd_write;
	out->ctx = (void *)(intptr_t)wfd;
	/* Fails where it is not TCP. */
	setsockopt(wfd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void
stream_open(struct in *in, struct out *out, int rfd, int wfd)
{
	*in = (struct in){ .tie = out };
	*out = (struct out){ .timeout = STREAM_WRITE_TIMEOUT };
	stream_move(in, out, rfd, wfd);
}

void
stream_free(struct in *in, struct out *out)
{
	free(in->p);
	free(out->p);
	in->p = out->p = NULL;
	in->from = in->to = out->n = out->cap = 0;
}

void
stream_wipe(struct in *in, struct out *out)
{
	if (in->p != NULL)
		explicit_bzero(in->p, STREAM_BUFFER);
	if (out->p != NULL)
		explicit_bzero(out->p, out->cap);
	in->from = in->to = out->n = 0;
}

static enum stream_state
failure(int error)
{
	return error == ETIMEDOUT ? STREAM_TIMEOUT : STREAM_ERROR;
}

int64_t
out_deadline(const struct out *o)
{
	int64_t deadline = o->timeout == 0 ? 0 : clock_ms() + o->timeout;

	return o->deadline != 0 && (deadline == 0 || deadline > o->deadline) ?
	    o->deadline : deadline;
}

/* Hand all of it to the operation. */
static int
push(struct out *o, struct span s)
{
	while (s.n > 0 && o->state == STREAM_OK) {
		ssize_t n = o->op(o->ctx, (char *)(uintptr_t)s.p, s.n,
		    out_deadline(o));

		if (n > 0) {
			s = span_skip(s, (size_t)n);
			continue;
		}
		o->error = n == 0 ? EPIPE : errno;
		o->state = failure(o->error);
	}
	return o->state == STREAM_OK ? 0 : -1;
}

int
out_flush(struct out *o)
{
	struct span s = { o->p, o->n };

	o->n = 0;
	return push(o, s);
}

enum out_peer
out_peer(const struct out *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLRDHUP };

	if (o->state != STREAM_OK)
		return PEER_GONE;
	if (poll(&p, 1, 0) <= 0)
		return PEER_THERE;
	if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
		return PEER_GONE;
	return p.revents & POLLRDHUP ? PEER_SILENT : PEER_THERE;
}

/* A buffer for that many octets more, if it may be that large. */
static void
enlarge(struct out *o, size_t more)
{
	size_t cap = o->n + more <= STREAM_BUFFER ||
	    o->most < STREAM_BUFFER ? STREAM_BUFFER : o->most;

	if (cap > o->cap) {
		o->p = xrealloc(o->p, cap);
		o->cap = cap;
	}
}

static void
account(struct out *o, struct span s)
{
	o->total += s.n;
	if (o->trace != NULL)
		trace_out(o->trace, s);
}

char *
out_room(struct out *o, size_t want, size_t *n)
{
	enlarge(o, want);
	if (o->n == o->cap)
		out_flush(o);
	*n = o->cap - o->n < want ? o->cap - o->n : want;
	return o->p + o->n;
}

void
out_took(struct out *o, size_t n)
{
	if (o->state != STREAM_OK)
		return;
	account(o, (struct span){ o->p + o->n, n });
	o->n += n;
}

void
out_add_any(struct out *o, struct span s)
{
	if (o->state != STREAM_OK || s.n == 0)
		return;
	account(o, s);
	enlarge(o, s.n);
	while (s.n > o->cap - o->n) {
		/* A full buffer goes out; what would fill another one goes
		 * straight from where it is. */
		if (o->n > 0) {
			size_t n = o->cap - o->n;

			memcpy(o->p + o->n, s.p, n);
			o->n = o->cap;
			s = span_skip(s, n);
			if (out_flush(o) < 0)
				return;
		} else {
			size_t n = s.n - s.n % STREAM_BUFFER;

			if (push(o, span_head(s, n)) < 0)
				return;
			s = span_skip(s, n);
		}
	}
	if (s.n > 0)
		memcpy(o->p + o->n, s.p, s.n);
	o->n += s.n;
}

void
out_addu(struct out *o, uint64_t v)
{
	char t[DECIMAL_MAX];

	out_add(o, ascii_decimal(t, v));
}

void
out_addf(struct out *o, const char *fmt, ...)
{
	char t[512];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof t) {
		out_add(o, (struct span){ t, (size_t)n });
		return;
	}
	char *p = xmalloc((size_t)n + 1);

	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	out_add(o, (struct span){ p, (size_t)n });
	free(p);
}

/* One read to p.  False at the end, on failure, and for STREAM_NOW where
 * there is nothing (the state then stays as it was). */
static bool
pull(struct in *in, char *p, size_t max, int64_t deadline, size_t *got)
{
	if (in->state == STREAM_OK && in->tie != NULL &&
	    out_flush(in->tie) < 0) {
		in->state = in->tie->state;
		in->error = in->tie->error;
	}
	if (in->state != STREAM_OK)
		return false;
	ssize_t n = in->op(in->ctx, p, max, deadline);

	if (n > 0) {
		*got = (size_t)n;
		return true;
	}
	if (n == 0) {
		in->state = STREAM_EOF;
	} else if (deadline != STREAM_NOW || errno != EAGAIN) {
		in->error = errno;
		in->state = failure(in->error);
	}
	return false;
}

/* Make sure that something is buffered. */
static bool
fill(struct in *in, int64_t deadline)
{
	size_t n;

	if (in->from < in->to)
		return true;
	if (in->p == NULL)
		in->p = xmalloc(STREAM_BUFFER);
	in->from = in->to = 0;
	if (!pull(in, in->p, STREAM_BUFFER, deadline, &n))
		return false;
	in->to = n;
	return true;
}

static struct span
buffered(const struct in *in)
{
	return (struct span){ in->p + in->from, in->to - in->from };
}

static void
take(struct in *in, size_t n)
{
	in->from += n;
	in->total += n;
}

/* The last octets of a line, whose pieces come one after the other. */
static void
keep_tail(char tail[LINE_TAIL], struct span s)
{
	if (s.n < LINE_TAIL) {
		memmove(tail, tail + s.n, LINE_TAIL - s.n);
		memcpy(tail + LINE_TAIL - s.n, s.p, s.n);
	} else
		memcpy(tail, s.p + s.n - LINE_TAIL, LINE_TAIL);
}

enum line
in_line(struct in *in, struct buf *line, size_t max)
{
	size_t start = line->n;
	bool ended = false, dropped = false;
	char tail[LINE_TAIL] = { 0 };
	char last = '\0';

	while (!ended) {
		if (!fill(in, in->deadline))
			return LINE_END;
		struct span s = buffered(in);
		struct span text = span_head(s, span_chr(s, '\n'));

		ended = text.n < s.n;
		if (text.n > 0)
			last = text.p[text.n - 1];
		/* One octet above the limit is kept: it may be the CR. */
		size_t room = max + 1 - (line->n - start);

		if (text.n > room)
			dropped = true;
		buf_add(line, span_head(text, room));
		if (text.n > 0)
			keep_tail(tail, text);
		if (in->trace != NULL)
			trace_in(in->trace, span_head(s, text.n + ended));
		take(in, text.n + ended);
	}
	if (last == '\r' && !dropped)
		line->n--;
	if (line->n - start > max) {
		line->n = start + max;
		size_t n = LINE_TAIL - (last == '\r');

		if (max >= n)
			memcpy(line->p + start + max - n, tail, n);
		return LINE_LONG;
	}
	return last == '\r' ? LINE_OK : LINE_BARE;
}

struct span
in_some(struct in *in, size_t max)
{
	if (max == 0 || !fill(in, in->deadline))
		return (struct span){ 0 };
	struct span s = span_head(buffered(in), max);

	take(in, s.n);
	if (in->trace != NULL)
		trace_in_octets(in->trace, s.n);
	return s;
}

bool
in_exact(struct in *in, char *p, size_t n)
{
	if (in->trace != NULL)
		trace_in_octets(in->trace, n);
	while (n > 0) {
		size_t got;

		if (in->from < in->to || n < STREAM_BUFFER) {
			if (!fill(in, in->deadline))
				return false;
			struct span s = span_head(buffered(in), n);

			memcpy(p, s.p, s.n);
			got = s.n;
			take(in, got);
		} else {
			if (!pull(in, p, n, in->deadline, &got))
				return false;
			in->total += got;
		}
		p += got;
		n -= got;
	}
	return true;
}

bool
in_skip(struct in *in, uint64_t n)
{
	while (n > 0) {
		struct span s = in_some(in, n < STREAM_BUFFER ? (size_t)n :
		    STREAM_BUFFER);

		if (s.n == 0)
			return false;
		n -= s.n;
	}
	return true;
}

bool
in_ready(const struct in *in)
{
	return in->from < in->to ||
	    (in->pending != NULL && in->pending(in->ctx));
}

size_t
in_discard(struct in *in)
{
	size_t n = in->to - in->from;

	in->from = in->to = 0;
	return n;
}

void
in_wipe(struct in *in)
{
	if (in->p == NULL)
		return;
	explicit_bzero(in->p, in->from);
	explicit_bzero(in->p + in->to, STREAM_BUFFER - in->to);
}

/* Whether a read would return at once.  What can be read is read, since a
 * readable descriptor may hold no more than a part of a TLS record. */
static bool
arrived(struct in *in)
{
	return in->from < in->to || fill(in, STREAM_NOW) ||
	    in->state != STREAM_OK;
}

unsigned
in_wait(struct in *in, const int *also, unsigned n, int64_t ms)
{
	struct pollfd p[WAIT_MAX + 1] = { { .fd = in->fd, .events = POLLIN } };
	int64_t limit = ms < 0 ? 0 : clock_ms() + ms;
	unsigned ready = 0;

	if (n > WAIT_MAX)
		n = WAIT_MAX;
	for (unsigned i = 0; i < n; i++)
		p[i + 1] = (struct pollfd){ .fd = also[i], .events = POLLIN };
	if (in->tie != NULL)
		out_flush(in->tie);
	bool here = arrived(in);

	for (;;) {
		int64_t left = here ? 0 : ms < 0 ? -1 : limit - clock_ms();

		if (left < 0 && ms >= 0)
			left = 0;
		int r = poll(p, n + 1, left > INT_MAX ? INT_MAX : (int)left);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && in->state == STREAM_OK) {
			in->error = errno;
			in->state = STREAM_ERROR;
		}
		if (!here && r > 0 && p[0].revents != 0)
			here = arrived(in);
		for (unsigned i = 0; r > 0 && i < n; i++)
			if (p[i + 1].revents != 0)
				ready |= 2u << i;
		if (here || r < 0)
			ready |= 1;
		if (ready != 0 || (ms >= 0 && clock_ms() >= limit))
			return ready;
	}
}
