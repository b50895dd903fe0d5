/* SPDX-License-Identifier: ISC */
#include "imap/reader.h"

#include <string.h>

#include "base/clock.h"
#include "net/trace.h"

bool
reader_announced(struct span line, struct lex_literal *lit)
{
	size_t at = span_rchr(line, '{');
	struct lex l = { .in = span_skip(line, at) };

	if (at > 0 && at < line.n && line.p[at - 1] == '~')
		l.in = span_skip(line, at - 1);
	return l.in.n > 0 && lex_announce(&l, lit);
}

/* The next line, at most max octets, into r->line and r->last. */
static enum line
bare_line(struct reader *r, size_t max)
{
	buf_clear(&r->line);
	enum line how = in_line(r->in, &r->line, max);

	r->inside = false;
	r->last = how == LINE_END ? SPAN("") : buf_span(&r->line);
	return how;
}

/* The same for a line that is parsed.  It goes to the arena, so that what
 * was parsed from the lines before stays where it is.  Where less is left
 * than an announcement takes, the line is still read so far as to see one. */
static enum line
next_line(struct reader *r)
{
	size_t left = r->total_max - r->used;
	size_t max = r->line_max < left ? r->line_max : left;
	enum line how = bare_line(r, max < LINE_TAIL ? LINE_TAIL : max);

	if (r->last.n > max && how != LINE_END)
		how = LINE_LONG;
	r->used += r->last.n < left ? r->last.n : left;
	r->last = arena_dup(r->arena, r->last);
	return how;
}

static const char *
line_error(enum line how)
{
	switch (how) {
	case LINE_OK:
		return NULL;
	case LINE_BARE:
		return "Lines end in CR LF";
	case LINE_LONG:
		return "Line too long";
	default:
		return "The connection ended";
	}
}

static const char *
more(void *ctx, const struct lex_literal *lit, struct span *octets,
    struct span *rest)
{
	struct reader *r = ctx;

	if (lit->n > r->total_max - r->used)
		return "Literal too big";
	size_t n = (size_t)lit->n;
	char *p = arena_alloc(r->arena, n + 1);

	r->used += n;
	reader_accept(r, lit);
	if (!in_exact(r->in, p, n))
		return "The connection ended";
	r->pending = 0;
	*octets = (struct span){ p, n };
	const char *why = line_error(next_line(r));

	/* RFC 3501 9: CHAR8 = %x01-ff */
	if (why == NULL && memchr(p, '\0', n) != NULL)
		why = "NUL in a literal";
	*rest = r->last;
	return why;
}

enum reader_result
reader_command(struct reader *r, struct lex *l, const char **why)
{
	r->used = 0;
	r->skipped = 0;
	r->pending = 0;
	r->pulled = 0;
	*l = (struct lex){ .arena = r->arena, .more = more, .ctx = r };
	enum line how = next_line(r);

	if (how == LINE_END)
		return READER_END;
	l->in = r->last;
	*why = line_error(how);
	return *why == NULL ? READER_OK : READER_BAD;
}

enum reader_result
reader_line(struct reader *r, struct span *line, const char **why)
{
	r->used = 0;
	enum line how = next_line(r);

	if (how == LINE_END)
		return READER_END;
	*line = r->last;
	*why = line_error(how);
	return *why == NULL ? READER_OK : READER_BAD;
}

/* RFC 7888 4: a non-synchronising literal comes whether it is wanted or
 * not, and so does the rest of a synchronising one that was accepted. */
bool
reader_finish(struct reader *r)
{
	struct lex_literal lit;

	for (;;) {
		if (r->inside) {
			if (r->skipped > r->skip_max ||
			    r->pending > r->skip_max - r->skipped)
				return false;
			r->skipped += r->pending;
			if (!in_skip(r->in, r->pending))
				return false;
			r->pending = 0;
			if (bare_line(r, r->line_max) == LINE_END)
				return false;
			/* However small the literals: they come to an end. */
			r->skipped += r->last.n;
			/* It may be a password. */
			trace_redact(r->in->trace, 0);
		}
		if (!reader_announced(r->last, &lit) ||
		    (lit.sync && !r->answers))
			return true;
		r->inside = true;
		r->pending = lit.n;
	}
}

void
reader_accept(struct reader *r, const struct lex_literal *lit)
{
	if (lit->sync && !r->answers)
		out_adds(r->out, "+ OK\r\n");
	r->inside = true;
	r->pending = lit->n;
}

struct span
reader_pull(struct reader *r)
{
	size_t max = r->pending < STREAM_BUFFER ? (size_t)r->pending :
	    STREAM_BUFFER;
	struct span some = { "", 0 };

	/* Who is slower than a buffer each time-out is not sending mail. */
	if (r->pulled >= STREAM_BUFFER && r->patience > 0) {
		r->in->deadline = clock_ms() + r->patience;
		r->pulled = 0;
	}
	if (max > 0)
		some = in_some(r->in, max);
	r->pending -= some.n;
	r->pulled += some.n;
	return some;
}

bool
reader_pulled(const struct reader *r)
{
	return r->pending == 0;
}

void
reader_after(struct reader *r, struct lex *l)
{
	const char *why = line_error(next_line(r));

	l->in = r->last;
	if (why != NULL)
		lex_fail(l, why);
}

void
reader_wipe(struct reader *r)
{
	buf_wipe(&r->line);
	in_wipe(r->in);
	arena_wipe(r->arena);
	r->last = SPAN("");
}

void
reader_free(struct reader *r)
{
	buf_free(&r->line);
}
