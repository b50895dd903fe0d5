/* SPDX-License-Identifier: ISC */
#include "text/param.h"

#include <stdlib.h>

#include "base/die.h"
#include "text/charset.h"
#include "text/header.h"

enum { SECTIONS_MAX = 1000 };

/* One parameter as it stands. */
struct raw {
	struct span name;	/* with its "*0*" */
	struct buf value;	/* without quotes */
};

/* What is known of the parameter that is looked for. */
struct found {
	bool plain, extended;
	struct buf plain_value, extended_value;
	struct buf section[SECTIONS_MAX];
	bool have[SECTIONS_MAX], coded[SECTIONS_MAX];
	size_t sections;		/* the highest, and one */
};

/* White space and comments (RFC 5322 3.2.2); a backslash quotes. */
static struct span
skip_blanks(struct span s)
{
	size_t depth = 0, i = 0;

	for (; i < s.n; i++) {
		char c = s.p[i];

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == '\\' && depth > 0 && i + 1 < s.n)
			i++;
		else if (depth == 0 && c != ' ' && c != '\t' && c != '\r' &&
		    c != '\n')
			break;
	}
	return span_skip(s, i);
}

static bool
ends_token(char c)
{
	return c == ';' || c == '=' || c == ' ' || c == '\t' || c == '\r' ||
	    c == '\n' || c == '(' || c == '"';
}

/* Up to the next ";" outside quotes and comments. */
static struct span
skip_parameter(struct span s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && quoted)
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && s.p[i] == ';')
			return span_skip(s, i + 1);
	}
	return (struct span){ s.p, 0 };
}

static struct span
quoted_value(struct span s, struct buf *value)
{
	size_t i = 1;

	for (; i < s.n && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		if (s.p[i] != '\r' && s.p[i] != '\n')
			buf_addc(value, s.p[i]);
	}
	return span_skip(s, i + 1);
}

/* A value without quotes: mail programs forget them around blanks, so it
 * goes on to the ";". */
static struct span
bare_value(struct span s, struct buf *value)
{
	size_t n = span_chr(s, ';');
	struct span v = span_trim(span_head(s, n));

	buf_add(value, span_head(v, span_chr(v, '(')));
	while (value->n > 0 && (value->p[value->n - 1] == ' ' ||
	    value->p[value->n - 1] == '\t'))
		value->n--;
	return span_skip(s, n);
}

/* The next parameter; false when there is none. */
static bool
next(struct span *s, struct raw *r)
{
	size_t n = 0;

	*s = skip_blanks(*s);
	if (s->n == 0)
		return false;
	while (n < s->n && !ends_token(s->p[n]))
		n++;
	r->name = span_head(*s, n);
	buf_clear(&r->value);
	*s = skip_blanks(span_skip(*s, n));
	if (s->n > 0 && s->p[0] == '=') {
		*s = skip_blanks(span_skip(*s, 1));
		if (s->n > 0 && s->p[0] == '"')
			*s = quoted_value(*s, &r->value);
		else
			*s = bare_value(*s, &r->value);
	} else
		r->name.n = 0;
	*s = skip_parameter(*s);
	return true;
}

static void
set(struct buf *b, struct span v)
{
	buf_clear(b);
	buf_add(b, v);
}

/* RFC 2231 7: "*0", "*12*" or "*" after the name.  The first of each kind
 * counts. */
static void
note(struct found *f, struct span mark, struct span value)
{
	uint64_t i;
	bool coded = span_ends(mark, SPAN("*"));

	if (mark.n == 0) {
		if (!f->plain)
			set(&f->plain_value, value);
		f->plain = true;
		return;
	}
	if (mark.n == 1) {
		if (!f->extended)
			set(&f->extended_value, value);
		f->extended = true;
		return;
	}
	mark = span_skip(mark, 1);
	if (coded)
		mark.n--;
	if (!span_u64(mark, SECTIONS_MAX - 1, &i) ||
	    (mark.n > 1 && mark.p[0] == '0') || f->have[i])
		return;
	f->have[i] = true;
	f->coded[i] = coded;
	set(&f->section[i], value);
	if (i >= f->sections)
		f->sections = i + 1;
}

/* RFC 2231 4; what is no escape stays. */
static void
unescape(struct span s, struct buf *to)
{
	for (size_t i = 0; i < s.n; i++) {
		int octet = span_hex(span_skip(s, i + 1));

		if (s.p[i] != '%' || octet < 0) {
			buf_addc(to, s.p[i]);
			continue;
		}
		buf_addc(to, (char)octet);
		i += 2;
	}
}

/* charset'language' before the octets; without two quotes it is not there. */
static struct span
charset_of(struct span *s)
{
	struct span name = { s->p, span_chr(*s, '\'') }, rest;

	rest = span_skip(*s, name.n + 1);
	if (name.n == s->n || span_chr(rest, '\'') == rest.n)
		return SPAN("utf-8");
	*s = span_skip(rest, span_chr(rest, '\'') + 1);
	return name;
}

static void
extended(struct found *f, struct buf *to)
{
	struct buf octets = { 0 };
	struct span v = buf_span(&f->extended_value), charset = SPAN("utf-8");

	if (f->sections > 0 && f->have[0]) {
		for (size_t i = 0; i < f->sections && f->have[i]; i++) {
			v = buf_span(&f->section[i]);
			if (i == 0 && f->coded[0])
				charset = charset_of(&v);
			if (f->coded[i])
				unescape(v, &octets);
			else
				buf_add(&octets, v);
		}
	} else {
		charset = charset_of(&v);
		unescape(v, &octets);
	}
	if (charset_to_utf8(charset, buf_span(&octets), to) ==
	    CHARSET_UNKNOWN)
		charset_to_utf8(SPAN("utf-8"), buf_span(&octets), to);
	buf_free(&octets);
}

static void
found_free(struct found *f)
{
	buf_free(&f->plain_value);
	buf_free(&f->extended_value);
	for (size_t i = 0; i < f->sections; i++)
		buf_free(&f->section[i]);
	free(f);
}

bool
param_get(struct span field, struct span name, struct buf *to)
{
	struct found *f = xcalloc(1, sizeof *f);
	struct raw r = { 0 };
	bool any;

	field = skip_parameter(field);
	while (next(&field, &r))
		if (span_istarts(r.name, name)) {
			struct span mark = span_skip(r.name, name.n);

			if (mark.n == 0 || mark.p[0] == '*')
				note(f, mark, buf_span(&r.value));
		}
	any = f->plain || f->extended || f->have[0];
	if (f->extended || f->have[0])
		extended(f, to);
	else if (f->plain)
		header_decode(buf_span(&f->plain_value), to);
	buf_free(&r.value);
	found_free(f);
	return any;
}
