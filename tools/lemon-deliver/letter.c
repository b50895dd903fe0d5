/* SPDX-License-Identifier: ISC */
#include "letter.h"

#include <errno.h>
#include <unistd.h>

void
letter_begin(struct letter *l)
{
	letter_free(l);
	l->spool.fd = -1;
}

void
letter_free(struct letter *l)
{
	/* Zeroed ones have descriptor 0, which is none of ours. */
	if (l->spool.fd > 0)
		spool_free(&l->spool);
	buf_free(&l->spool.head);
	buf_free(&l->header);
	*l = (struct letter){ .spool = { .fd = -1 } };
}

void
letter_add(struct letter *l, struct span s)
{
	size_t n = header_cut(&l->cut, s);
	size_t room = LETTER_HEADER_MAX - l->header.n;

	buf_add(&l->header, span_head(s, n < room ? n : room));
	for (size_t i = 0; i < s.n && !l->eightbit; i++)
		l->eightbit = s.p[i] < 0;
	spool_add(&l->spool, s);
}

/* What stands between the descriptor and the letter. */
struct reader {
	struct letter *letter;
	struct buf line;	/* the first octets, until they are known */
	bool begun;		/* they are */
	bool dropping;		/* the From_ line */
	bool cr;		/* the last octet was CR */
};

static void
add_lines(struct reader *r, struct span s)
{
	while (s.n > 0) {
		size_t n = span_chr(s, '\n');

		if (n > 0) {
			letter_add(r->letter, span_head(s, n));
			r->cr = s.p[n - 1] == '\r';
		}
		if (n == s.n)
			return;
		letter_add(r->letter, r->cr ? SPAN("\n") : SPAN("\r\n"));
		r->cr = false;
		s = span_skip(s, n + 1);
	}
}

static void
add_piece(struct reader *r, struct span s)
{
	const struct span from = SPAN("From ");

	if (!r->begun) {
		size_t n = from.n - r->line.n;

		buf_add(&r->line, span_head(s, n));
		s = span_skip(s, n);
		if (r->line.n < from.n)
			return;
		r->begun = true;
		r->dropping = span_eq(buf_span(&r->line), from);
		if (!r->dropping)
			add_lines(r, buf_span(&r->line));
	}
	if (r->dropping) {
		size_t n = span_chr(s, '\n');

		r->dropping = n == s.n;
		s = span_skip(s, n + 1);
	}
	add_lines(r, s);
}

int
letter_read(struct letter *l, int fd)
{
	struct reader r = { .letter = l };
	char piece[16 * 1024];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		add_piece(&r, (struct span){ piece, (size_t)n });
	}
	if (!r.begun)
		add_lines(&r, buf_span(&r.line));
	buf_free(&r.line);
	return n < 0 ? -1 : 0;
}

/*
 * Every hop puts Received on top of what it got, so a Delivered-To above the
 * first Received was put there on this hop's behalf (Postfix's flags=D).
 * Without any Received nobody can have done that.
 */
bool
letter_loops(const struct letter *l, struct span address)
{
	struct span rest = buf_span(&l->header);
	struct header_field f;
	bool received = false, above = false;

	while (header_next(&rest, &f)) {
		if (span_ieq(f.name, SPAN("Received"))) {
			received = true;
		} else if (span_ieq(f.name, SPAN("Delivered-To")) &&
		    span_ieq(span_trim(f.value), address)) {
			if (received)
				return true;
			above = true;
		}
	}
	return above && !received;
}

bool
letter_on_top(const struct letter *l, struct span name)
{
	struct span rest = buf_span(&l->header);
	struct header_field f;

	while (header_next(&rest, &f) &&
	    !span_ieq(f.name, SPAN("Received")))
		if (span_ieq(f.name, name))
			return true;
	return false;
}
