/* SPDX-License-Identifier: ISC */
#include "mime/fields.h"

#include "mime/header.h"

static bool
chosen(const struct fields *f, struct span name)
{
	bool found = false;

	for (size_t i = 0; i < f->names && !found; i++)
		found = f->choice == FIELDS_PREFIX ?
		    span_istarts(name, f->name[i]) :
		    span_ieq(name, f->name[i]);
	return found != (f->choice == FIELDS_NOT_NAMED);
}

/* The name is known (or is none): go on with the rest of the line. */
static void
decide(struct fields *f, struct span name)
{
	f->keep = chosen(f, name);
	f->state = f->keep ? FIELDS_KEEP : FIELDS_DROP;
	if (f->keep)
		f->sink(f->arg, (struct span){ f->held, f->n });
	f->n = 0;
}

/* The first octet of a line. */
static void
start(struct fields *f, char c)
{
	if (c == ' ' || c == '\t')
		f->state = f->keep ? FIELDS_KEEP : FIELDS_DROP;
	else
		f->state = FIELDS_NAME;
}

/* An octet of the name; colon or line end end it. */
static void
name(struct fields *f, char c)
{
	struct span held = { f->held, f->n };

	if (c == '\n' && (f->n == 0 || (f->n == 1 && held.p[0] == '\r'))) {
		f->state = FIELDS_END;
		return;
	}
	f->held[f->n] = c;
	if (c == ':')
		decide(f, header_name((struct span){ f->held, f->n + 1 }));
	else if (c == '\n' || f->n == FIELDS_NAME_MAX)
		decide(f, SPAN(""));
	else
		f->n++;
}

void
fields_feed(struct fields *f, struct span s)
{
	while (s.n > 0 && f->state != FIELDS_END) {
		if (f->state == FIELDS_START)
			start(f, s.p[0]);
		if (f->state == FIELDS_NAME) {
			name(f, s.p[0]);
			if (f->state == FIELDS_NAME) {
				s = span_skip(s, 1);
				continue;
			}
			if (f->state == FIELDS_END)
				return;
		}
		size_t n = span_chr(s, '\n');
		bool line = n < s.n;

		n += line;
		if (f->state == FIELDS_KEEP)
			f->sink(f->arg, span_head(s, n));
		s = span_skip(s, n);
		if (line)
			f->state = FIELDS_START;
	}
}

void
fields_finish(struct fields *f)
{
	if (f->state == FIELDS_NAME)
		decide(f, SPAN(""));
	f->state = FIELDS_END;
}
