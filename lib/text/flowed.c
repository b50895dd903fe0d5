/* SPDX-License-Identifier: ISC */
#include "text/flowed.h"

#include "text/utf8.h"

/* RFC 3676 4.4: what would be taken for something else gets a space. */
static void
begin_line(struct buf *to, size_t depth, struct span rest)
{
	for (size_t i = 0; i < depth; i++)
		buf_addc(to, '>');
	if (depth > 0 || span_starts(rest, SPAN(" ")) ||
	    span_starts(rest, SPAN(">")) || span_starts(rest, SPAN("From ")))
		buf_addc(to, ' ');
}

/* How much of the paragraph goes into this line, its last blank included:
 * what fits, else the first word, else what a line may hold. */
static size_t
portion(struct span rest, size_t columns)
{
	size_t n = 0, blank = 0;

	for (size_t column = 0; n < rest.n; column++) {
		uint32_t cp;
		bool good;
		size_t step = utf8_next(span_skip(rest, n), &cp, &good);

		if (n + step > FLOWED_OCTETS)
			return blank > 0 ? blank : n;
		if (column >= columns && blank > 0)
			return blank;
		n += step;
		if (cp == ' ')
			blank = n;
	}
	return rest.n;
}

static void
paragraph(struct span rest, struct buf *to)
{
	size_t depth = 0;

	while (depth < rest.n && rest.p[depth] == '>')
		depth++;
	rest = span_skip(rest, depth);
	/* What people write behind ">" is not part of the text. */
	if (depth > 0 && span_starts(rest, SPAN(" ")))
		rest = span_skip(rest, 1);
	if (depth > FLOWED_COLUMNS / 2)
		depth = FLOWED_COLUMNS / 2;
	/* RFC 3676 4.2: a blank at the end would join it to the next. */
	while (!span_eq(rest, SPAN("-- ")) && span_ends(rest, SPAN(" ")))
		rest.n--;
	do {
		size_t n = portion(rest, FLOWED_COLUMNS - 2 - depth);

		begin_line(to, depth, rest);
		buf_add(to, span_head(rest, n));
		rest = span_skip(rest, n);
		/* RFC 3676 4.1: with DelSp=yes this blank goes again. */
		buf_adds(to, rest.n > 0 ? " \r\n" : "\r\n");
	} while (rest.n > 0);
}

void
flowed_add(struct span text, struct buf *to)
{
	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		if (span_ends(line, SPAN("\r")))
			line.n--;
		paragraph(line, to);
	}
}
