/* SPDX-License-Identifier: ISC */
#include "url/remote.h"

#include <unistd.h>

#include "base/clock.h"
#include "imap/lex.h"
#include "net/connect.h"

enum { CHUNK = 16 * 1024 };

static const char verdict[] = {
	[REMOTE_OK] = '+', [REMOTE_NUL] = '*', [REMOTE_UNKNOWN_CTE] = '?',
	[REMOTE_INVALID] = '-', [REMOTE_LATER] = '~',
};

static void
begin(struct out *o, uint64_t n)
{
	out_addu(o, n);
	out_addc(o, ':');
}

static void
put(struct out *o, struct span s)
{
	begin(o, s.n);
	out_add(o, s);
	out_addc(o, ',');
}

/* A length and its colon: false if it is none or more than max. */
static bool
length(struct in *in, uint64_t max, uint64_t *n)
{
	char t[DECIMAL_MAX];
	size_t digits = 0;

	for (;;) {
		char c;

		if (!in_exact(in, &c, 1))
			return false;
		if (c == ':')
			break;
		if (digits == sizeof t)
			return false;
		t[digits++] = c;
	}
	return span_u64((struct span){ t, digits }, max, n) &&
	    (digits == 1 || t[0] != '0');
}

static bool
comma(struct in *in)
{
	char c;

	return in_exact(in, &c, 1) && c == ',';
}

/* --- asking --- */

void
remote_over(struct remote *r, int fd)
{
	*r = (struct remote){ .fd = fd, .open = true };
	stream_open(&r->in, &r->out, fd, fd);
}

int
remote_open(struct remote *r, const char *socket, int64_t ms)
{
	const char *why;

	if (r->open)
		return 0;
	*r = (struct remote){ 0 };
	int fd = connect_unix(socket, clock_ms() + ms, &why);

	if (fd == -1)
		return -1;
	remote_over(r, fd);
	return 0;
}

void
remote_close(struct remote *r)
{
	if (r->open) {
		stream_free(&r->in, &r->out);
		close(r->fd);
	}
	*r = (struct remote){ 0 };
}

void
remote_ask(struct remote *r, const struct remote_request *q)
{
	char flags[REMOTE_FLAGS_MAX];
	size_t n = 0;

	if (q->caller.submitter)
		flags[n++] = 's';
	if (q->binary)
		flags[n++] = 'b';
	if (q->structure)
		flags[n++] = 't';
	put(&r->out, q->caller.user);
	put(&r->out, (struct span){ flags, n });
	put(&r->out, q->url);
}

static bool
is_text(char c)
{
	return c != '\0' && c != '\r' && c != '\n';
}

static size_t
quoted(struct span s)
{
	bool escaped = false;
	size_t n = 1;

	for (; n < s.n && is_text(s.p[n]) && (escaped || s.p[n] != '"'); n++)
		escaped = !escaped && s.p[n] == '\\';
	return n < s.n && s.p[n] == '"' ? n + 1 : 0;
}

static size_t
literal(struct span s)
{
	size_t end = span_chr(s, '\n');	/* not the first octet */
	struct lex l = { .in = span_head(s, end - 1) };
	struct lex_literal found;

	return end < s.n && s.p[end - 1] == '\r' && lex_announce(&l, &found) &&
	    found.n <= s.n - end - 1 ? end + 1 + (size_t)found.n : 0;
}

/* How many octets the string, or the octet of anything else, takes that s
 * (not empty) begins with; 0 if it has no place in IMAP. */
static size_t
token(struct span s)
{
	return s.p[0] == '"' ? quoted(s) : s.p[0] == '{' ? literal(s) :
	    is_text(s.p[0]);
}

/* It goes on to a client as it is: whoever took over another owner's process
 * must not speak to it. */
static bool
is_list(struct span s)
{
	size_t depth = 0, n;

	if (!span_starts(s, SPAN("(")))
		return false;
	do {
		if (s.n == 0 || (n = token(s)) == 0)
			return false;
		depth += s.p[0] == '(';
		depth -= s.p[0] == ')' && depth > 0;
		s = span_skip(s, n);
	} while (depth > 0);
	return s.n == 0;
}

static bool
take_structure(struct in *in, struct buf *structure)
{
	uint64_t n;

	if (!length(in, REMOTE_STRUCTURE_MAX, &n))
		return false;
	char *to = buf_room(structure, (size_t)n + 1);

	if (!in_exact(in, to, (size_t)n) || !comma(in))
		return false;
	structure->n += (size_t)n;
	return n == 0 || is_list((struct span){ to, (size_t)n });
}

enum remote_result
remote_answer(struct remote *r, int64_t ms, struct buf *structure,
    uint64_t *n)
{
	char c;

	*n = 0;
	r->ms = ms;
	r->in.deadline = r->out.deadline = clock_ms() + ms;
	if (!in_exact(&r->in, &c, 1))
		return REMOTE_LATER;
	if (c == '-')
		return REMOTE_INVALID;
	if ((c != '+' && c != '*' && c != '?') ||
	    !take_structure(&r->in, structure))
		return REMOTE_LATER;
	if (c == '?')
		return REMOTE_UNKNOWN_CTE;
	if (!length(&r->in, INT64_MAX, n))
		return REMOTE_LATER;
	r->left = *n;
	return c == '*' ? REMOTE_NUL : REMOTE_OK;
}

/* Who gives an octet now and then does not answer.  What the sink takes is
 * not counted. */
int
remote_read(struct remote *r, fields_sink *sink, void *arg)
{
	int64_t patience = r->ms;
	size_t got = 0;

	while (r->left > 0) {
		int64_t began = clock_ms();

		r->in.deadline = began + patience;
		struct span s = in_some(&r->in,
		    r->left < CHUNK ? (size_t)r->left : CHUNK);

		if (s.n == 0)
			return -1;
		patience -= clock_ms() - began;
		got += s.n;
		if (got >= CHUNK) {
			patience = r->ms;
			got = 0;
		}
		r->left -= s.n;
		sink(arg, s);
	}
	r->in.deadline = clock_ms() + r->ms;
	return comma(&r->in) ? 0 : -1;
}

/* --- answering --- */

static bool
take(struct in *in, struct arena *a, size_t max, struct span *s)
{
	uint64_t n;

	if (!length(in, max, &n))
		return false;
	char *to = arena_alloc(a, (size_t)n + 1);

	*s = (struct span){ to, (size_t)n };
	return in_exact(in, to, (size_t)n) && comma(in);
}

static bool
take_flags(struct span s, struct remote_request *q)
{
	bool *const to[] = { &q->caller.submitter, &q->binary,
		&q->structure };

	for (size_t i = 0; i < COUNT(to); i++) {
		*to[i] = s.n > 0 && s.p[0] == "sbt"[i];
		s = span_skip(s, *to[i]);
	}
	return s.n == 0;
}

int
remote_take(struct in *in, struct arena *a, struct remote_request *q)
{
	uint64_t before = in->total;
	struct span flags;

	if (!in_ready(in) && in_wait(in, NULL, 0, -1) == 0)
		return -1;
	*q = (struct remote_request){ 0 };
	if (!take(in, a, REMOTE_USER_MAX, &q->caller.user))
		return in->state == STREAM_EOF && in->total == before ? 0 : -1;
	if (!take(in, a, REMOTE_FLAGS_MAX, &flags) ||
	    !take_flags(flags, q) ||
	    !take(in, a, IMAP_URL_MAX, &q->url))
		return -1;
	if (q->caller.user.n == 0)
		q->caller.user.p = NULL;
	return 1;
}

void
remote_give(struct out *o, enum remote_result a, struct span structure,
    uint64_t n)
{
	out_addc(o, verdict[a]);
	if (a <= REMOTE_UNKNOWN_CTE)
		put(o, structure);
	if (a <= REMOTE_NUL)
		begin(o, n);
}

void
remote_end(struct out *o)
{
	out_addc(o, ',');
}
