/* SPDX-License-Identifier: ISC */
#include "mime/header.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"

enum { COLUMNS = 78 };

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Octets above 127 are no harm (RFC 5322 3.6.8 has only ASCII), and the
 * obsolete syntax has blanks before the colon (4.5). */
struct span
header_name(struct span line)
{
	size_t i = 0;

	while (i < line.n && (unsigned char)line.p[i] > ' ' &&
	    line.p[i] != ':' && line.p[i] != 127)
		i++;
	size_t n = i;

	while (i < line.n && blank(line.p[i]))
		i++;
	return span_head(line, i < line.n && line.p[i] == ':' ? n : 0);
}

bool
header_is_field(struct span line)
{
	return header_name(line).n > 0;
}

static bool
empty_line(struct span s)
{
	return s.n == 0 || s.p[0] == '\n' ||
	    (s.p[0] == '\r' && (s.n == 1 || s.p[1] == '\n'));
}

bool
header_next(struct span *rest, struct header_field *f)
{
	struct span s = *rest;

	if (empty_line(s)) {
		size_t lf = span_chr(s, '\n');

		*rest = span_skip(s, lf < s.n ? lf + 1 : s.n);
		return false;
	}
	size_t n = 0;

	do {
		size_t lf = span_chr(span_skip(s, n), '\n');

		n += lf < s.n - n ? lf + 1 : s.n - n;
	} while (n < s.n && blank(s.p[n]));
	f->whole = span_head(s, n);
	*rest = span_skip(s, n);

	f->name = header_name(f->whole);
	size_t colon = f->name.n;

	if (colon > 0)
		while (f->whole.p[colon++] != ':')
			;
	f->value = span_skip(f->whole, colon);
	if (f->value.n > 0 && f->value.p[f->value.n - 1] == '\n')
		f->value.n--;
	if (f->value.n > 0 && f->value.p[f->value.n - 1] == '\r')
		f->value.n--;
	return true;
}

void
header_index(struct header_index *to, struct span header)
{
	struct header_field f;

	to->n = 0;
	while (header_next(&header, &f)) {
		if (to->n == to->cap) {
			to->cap = to->cap == 0 ? 32 : to->cap * 2;
			to->f = xrealloc(to->f, to->cap * sizeof *to->f);
		}
		to->f[to->n++] = f;
	}
}

void
header_index_free(struct header_index *x)
{
	free(x->f);
	*x = (struct header_index){ 0 };
}

/* RFC 5322 2.2.3: only the line end goes, the blank after it stays. */
void
header_unfold(struct span value, struct buf *to)
{
	value = span_trim(value);
	while (value.p != NULL && value.n > 0) {
		struct span line = span_cut(&value, '\n');

		if (value.p != NULL && span_ends(line, SPAN("\r")))
			line.n--;
		buf_add(to, line);
	}
}

bool
header_find(struct span header, struct span name, struct span *value)
{
	struct header_field f;

	while (header_next(&header, &f))
		if (span_ieq(f.name, name)) {
			*value = f.value;
			return true;
		}
	return false;
}

size_t
header_cut(struct header_cut *c, struct span s)
{
	size_t i = 0;

	while (i < s.n && !c->done) {
		if (c->state == CUT_MIDLINE) {
			size_t lf = span_chr(span_skip(s, i), '\n');

			i += lf;
			if (i < s.n) {
				i++;
				c->state = CUT_LINE_START;
			}
		} else if (s.p[i] == '\n') {
			c->done = true;
			if (c->state == CUT_CR && i > 0)
				i--;
		} else if (s.p[i] == '\r' && c->state == CUT_LINE_START) {
			c->state = CUT_CR;
			i++;
		} else {
			c->state = CUT_MIDLINE;
		}
	}
	return i;
}

static bool
writable(struct span name, struct span value)
{
	if (name.n == 0)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] == ':' || name.p[i] == 127)
			return false;
	return span_chr(value, '\r') == value.n &&
	    span_chr(value, '\n') == value.n &&
	    span_chr(value, '\0') == value.n;
}

bool
header_add(struct buf *to, struct span name, struct span value)
{
	if (!writable(name, value))
		return false;
	buf_add(to, name);
	buf_addc(to, ':');
	size_t column = name.n + 1;

	value = span_trim(value);
	if (value.n > 0) {
		buf_addc(to, ' ');
		column++;
	}
	while (value.n > 0) {
		/* A word with the blanks before it: a fold goes between. */
		size_t gap = 0, n;

		while (blank(value.p[gap]))
			gap++;
		n = gap;
		while (n < value.n && !blank(value.p[n]))
			n++;
		if (gap > 0 && column + n > COLUMNS) {
			buf_adds(to, "\r\n");
			column = 0;
		}
		buf_add(to, span_head(value, n));
		column += n;
		value = span_skip(value, n);
	}
	buf_adds(to, "\r\n");
	return true;
}
