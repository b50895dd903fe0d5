/* SPDX-License-Identifier: ISC */
#include "net/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/die.h"
#include "base/file.h"
#include "base/log.h"

enum { SHOWN_MAX = 1000 };

/* One direction: the line so far, and what of it is not shown. */
struct half {
	char mark;
	struct buf line;
	uint64_t cut;		/* octets of the line beyond SHOWN_MAX */
	uint64_t literal;	/* octets of a literal still to come (out) */
	bool whole;		/* the line has ended */
};

struct trace {
	int fd;
	bool quiet;
	uint64_t octets;	/* counted, not shown, and not yet said */
	struct half in, out;
};

struct trace *
trace_open(const char *dir)
{
	struct buf name = { 0 };

	if (dir == NULL || *dir == '\0')
		return NULL;
	int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	buf_adds(&name, program_name());
	buf_addf(&name, ".%lld.%d", (long long)clock_now(), (int)getpid());
	int fd = d < 0 ? -1 : openat(d, buf_cstr(&name), O_WRONLY | O_CREAT |
	    O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		log_warn("no transcript in %s: %s", dir, strerror(errno));
	if (d >= 0)
		close(d);
	buf_free(&name);
	if (fd < 0)
		return NULL;
	struct trace *t = xcalloc(1, sizeof *t);

	t->fd = fd;
	t->in.mark = '<';
	t->out.mark = '>';
	return t;
}

/* Whoever reads the token of a URL (RFC 4467 3) has what it names. */
static void
add_shown(struct buf *b, struct span s)
{
	static const struct span mech = SPAN_INIT(":internal:");

	while (s.n > 0) {
		size_t n = span_ifind(s, mech) + mech.n, digits = 0;

		buf_add(b, span_head(s, n));
		s = span_skip(s, n);
		while (digits < s.n && ascii_hex(s.p[digits]) >= 0)
			digits++;
		if (digits > 0)
			buf_adds(b, "[redacted]");
		s = span_skip(s, digits);
	}
}

static void
print(struct trace *t, char mark, struct span text, uint64_t cut)
{
	struct buf b = { 0 };

	buf_addu(&b, (uint64_t)getpid());
	buf_addc(&b, ' ');
	buf_addc(&b, mark);
	buf_addc(&b, ' ');
	add_shown(&b, text);
	if (cut > 0) {
		buf_adds(&b, " [");
		buf_addu(&b, cut);
		buf_adds(&b, " more]");
	}
	buf_addc(&b, '\n');
	/* A full disk costs the transcript, not the connection. */
	if (t->fd >= 0 && file_write(t->fd, buf_span(&b)) < 0) {
		log_warn("transcript: %s", strerror(errno));
		close(t->fd);
		t->fd = -1;
	}
	buf_free(&b);
}

static void
settle(struct trace *t, struct half *h)
{
	if (h->line.n > 0 || h->whole)
		print(t, h->mark, buf_span(&h->line), h->cut);
	buf_clear(&h->line);
	h->cut = 0;
	h->whole = false;
}

/* What came from the peer is final now. */
static void
settle_in(struct trace *t)
{
	if (t->in.whole)
		settle(t, &t->in);
	if (t->octets > 0) {
		struct buf b = { 0 };

		buf_addf(&b, "[%llu octets]", (unsigned long long)t->octets);
		print(t, '<', buf_span(&b), 0);
		buf_free(&b);
		t->octets = 0;
	}
}

void
trace_close(struct trace *t)
{
	if (t == NULL)
		return;
	settle_in(t);
	settle(t, &t->in);
	settle(t, &t->out);
	if (t->fd >= 0)
		close(t->fd);
	buf_free(&t->in.line);
	buf_free(&t->out.line);
	free(t);
}

/* Add text without a line end, controls escaped. */
static void
grow(struct half *h, struct span s)
{
	for (; s.n > 0; s = span_skip(s, 1)) {
		unsigned char c = (unsigned char)s.p[0];

		if (h->line.n >= SHOWN_MAX) {
			h->cut += s.n;
			return;
		}
		if (c == '\r' && s.n == 1)
			return;
		if (c < ' ' || c == 0x7f) {
			buf_adds(&h->line, "\\x");
			buf_addhex(&h->line, s.p, 1);
		} else {
			buf_addc(&h->line, s.p[0]);
		}
	}
}

void
trace_redact(struct trace *t, size_t n)
{
	if (t == NULL || !t->in.whole)
		return;
	struct buf *line = &t->in.line;

	if (n < line->n) {
		explicit_bzero(line->p + n, line->n - n);
		line->n = n;
		t->in.cut = 0;
		buf_adds(line, "[redacted]");
	}
}

void
trace_quiet(struct trace *t, bool quiet)
{
	if (t == NULL)
		return;
	settle_in(t);
	t->quiet = quiet;
}

void
trace_in(struct trace *t, struct span s)
{
	if (t->quiet) {
		t->octets += s.n;
		return;
	}
	settle_in(t);
	bool ended = s.n > 0 && s.p[s.n - 1] == '\n';

	grow(&t->in, span_head(s, s.n - ended));
	t->in.whole = ended;
}

void
trace_in_octets(struct trace *t, uint64_t n)
{
	if (t->in.whole)
		settle_in(t);
	t->octets += n;
}

/* The size of the literal that a line announces at its end, or 0. */
static uint64_t
announced(struct span line)
{
	size_t open = span_rchr(line, '{');
	uint64_t n;

	if (!span_ends(line, SPAN("}")) || open == line.n)
		return 0;
	struct span s = span_skip(span_head(line, line.n - 1), open + 1);

	if (span_ends(s, SPAN("+")))
		s.n--;
	return span_u64(s, UINT64_MAX, &n) ? n : 0;
}

void
trace_out(struct trace *t, struct span s)
{
	struct half *h = &t->out;

	settle_in(t);
	while (s.n > 0) {
		if (h->literal > 0) {
			size_t n = h->literal < s.n ? (size_t)h->literal : s.n;

			h->literal -= n;
			s = span_skip(s, n);
			continue;
		}
		struct span text = span_head(s, span_chr(s, '\n'));

		grow(h, text);
		s = span_skip(s, text.n);
		if (s.n == 0)
			break;
		s = span_skip(s, 1);
		h->whole = true;
		if (h->cut == 0)
			h->literal = announced(buf_span(&h->line));
		settle(t, h);
	}
}
