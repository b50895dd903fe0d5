/* SPDX-License-Identifier: ISC */
#include "imap/lex.h"

#include <string.h>

void
lex_fail(struct lex *l, const char *why)
{
	if (l->error == NULL)
		l->error = why;
	l->in.n = 0;
}

bool
lex_ok(const struct lex *l)
{
	return l->error == NULL;
}

bool
lex_end(struct lex *l)
{
	if (l->in.n != 0)
		lex_fail(l, "Too many arguments");
	else if (l->depth != 0)
		lex_fail(l, "Unbalanced parentheses");
	return l->error == NULL;
}

static void
take(struct lex *l, size_t n)
{
	l->in = span_skip(l->in, n);
}

bool
lex_next(const struct lex *l, char c)
{
	return l->in.n > 0 && l->in.p[0] == c;
}

bool
lex_try(struct lex *l, char c)
{
	if (!lex_next(l, c))
		return false;
	take(l, 1);
	return true;
}

void
lex_char(struct lex *l, char c)
{
	if (!lex_try(l, c))
		lex_fail(l, l->in.n == 0 ? "Missing argument" :
		    "Unexpected character");
}

void
lex_space(struct lex *l)
{
	if (!lex_try(l, ' '))
		lex_fail(l, l->in.n == 0 ? "Missing argument" :
		    "Expected a space");
}

void
lex_open(struct lex *l)
{
	lex_char(l, '(');
	if (++l->depth > LEX_DEPTH_MAX)
		lex_fail(l, "Too many parentheses");
}

void
lex_close(struct lex *l)
{
	lex_char(l, ')');
	if (l->depth == 0)
		lex_fail(l, "Unbalanced parentheses");
	else
		l->depth--;
}

/* RFC 3501 9: CHAR but not atom-specials.  "[" and "." may stand in one. */
bool
lex_atom_char(char c)
{
	return c > ' ' && c < 0x7f && strchr("(){%*\"\\]", c) == NULL;
}

bool
lex_astring_char(char c)
{
	return lex_atom_char(c) || c == ']';
}

static bool
tag_char(char c)
{
	return lex_astring_char(c) && c != '+';
}

static bool
pattern_char(char c)
{
	return lex_astring_char(c) || c == '%' || c == '*';
}

static bool
name_char(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '.' || c == '-';
}

/* One or more characters of a kind. */
static struct span
run(struct lex *l, bool (*kind)(char), const char *why)
{
	struct span a = { l->in.p, 0 };

	while (a.n < l->in.n && kind(l->in.p[a.n]))
		a.n++;
	if (a.n == 0)
		lex_fail(l, l->in.n == 0 ? "Missing argument" : why);
	else
		take(l, a.n);
	return a;
}

struct span
lex_tag(struct lex *l)
{
	return run(l, tag_char, "Expected a tag");
}

struct span
lex_atom(struct lex *l)
{
	return run(l, lex_atom_char, "Expected an atom");
}

struct span
lex_name(struct lex *l)
{
	return run(l, name_char, "Expected a name");
}

bool
lex_word(struct lex *l, const char *word)
{
	struct span w = span_str(word);

	if (!span_istarts(l->in, w) ||
	    (l->in.n > w.n && lex_atom_char(l->in.p[w.n])))
		return false;
	take(l, w.n);
	return true;
}

/* RFC 3501 9 quoted, without its backslashes; octets above 127 are let
 * through, since clients send UTF-8 passwords that way. */
static struct span
quoted(struct lex *l)
{
	size_t end = 1, n = 0;
	bool escapes = false;

	while (end < l->in.n && l->in.p[end] != '"') {
		if (l->in.p[end] == '\\') {
			escapes = true;
			end++;
		}
		end++;
	}
	if (end >= l->in.n) {
		lex_fail(l, "Missing closing quote");
		return (struct span){ 0 };
	}
	struct span raw = { l->in.p + 1, end - 1 };

	take(l, end + 1);
	if (memchr(raw.p, '\0', raw.n) != NULL ||
	    memchr(raw.p, '\r', raw.n) != NULL) {
		lex_fail(l, "NUL or CR in a quoted string");
		return (struct span){ 0 };
	}
	if (!escapes)
		return raw;
	char *p = arena_alloc(l->arena, raw.n);

	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\' && raw.p[++i] != '\\' &&
		    raw.p[i] != '"')
			lex_fail(l, "Bad escape in a quoted string");
		p[n++] = raw.p[i];
	}
	return (struct span){ p, n };
}

bool
lex_announce(struct lex *l, struct lex_literal *lit)
{
	*lit = (struct lex_literal){ .sync = true };
	lit->binary = lex_try(l, '~');
	if (!lex_next(l, '{')) {
		lex_fail(l, "Expected a literal");
		return false;
	}
	take(l, 1);
	lit->n = lex_number64(l);
	if (lex_try(l, '+'))
		lit->sync = false;
	lex_char(l, '}');
	if (l->in.n != 0)
		lex_fail(l, "Expected a line end after a literal's size");
	return l->error == NULL;
}

static struct span
literal(struct lex *l)
{
	struct lex_literal lit;
	struct span octets = { "", 0 }, rest = { 0 };
	const char *why = "Unexpected literal";

	if (!lex_announce(l, &lit))
		return (struct span){ 0 };
	if (l->more != NULL && !lit.binary)
		why = l->more(l->ctx, &lit, &octets, &rest);
	if (why != NULL) {
		lex_fail(l, why);
		return (struct span){ 0 };
	}
	l->in = rest;
	return octets;
}

struct span
lex_string(struct lex *l)
{
	if (lex_next(l, '"'))
		return quoted(l);
	if (lex_next(l, '{'))
		return literal(l);
	lex_fail(l, l->in.n == 0 ? "Missing argument" : "Expected a string");
	return (struct span){ 0 };
}

struct span
lex_nstring(struct lex *l)
{
	if (lex_word(l, "NIL"))
		return (struct span){ 0 };
	return lex_string(l);
}

struct span
lex_astring(struct lex *l)
{
	if (lex_next(l, '"') || lex_next(l, '{'))
		return lex_string(l);
	return run(l, lex_astring_char, "Expected a string");
}

struct span
lex_list_mailbox(struct lex *l)
{
	if (lex_next(l, '"') || lex_next(l, '{'))
		return lex_string(l);
	return run(l, pattern_char, "Expected a mailbox pattern");
}

/* Digits, at most max; whether there were any. */
static bool
digits(struct lex *l, uint64_t max, uint64_t *v)
{
	size_t n = 0;

	*v = 0;
	while (n < l->in.n && ascii_digit(l->in.p[n])) {
		uint64_t d = (uint64_t)(l->in.p[n] - '0');

		if (*v > (max - d) / 10) {
			lex_fail(l, "Number too big");
			*v = 0;
			return false;
		}
		*v = *v * 10 + d;
		n++;
	}
	if (n == 0)
		lex_fail(l, l->in.n == 0 ? "Missing argument" :
		    "Expected a number");
	take(l, n);
	return n > 0;
}

uint32_t
lex_number(struct lex *l)
{
	uint64_t v;

	digits(l, UINT32_MAX, &v);
	return (uint32_t)v;
}

/* RFC 3501 9: nz-number = digit-nz *DIGIT */
uint32_t
lex_nz_number(struct lex *l)
{
	uint64_t v;
	bool zero = lex_next(l, '0');

	digits(l, UINT32_MAX, &v);
	if (zero) {
		lex_fail(l, "Expected a number above zero");
		return 0;
	}
	return (uint32_t)v;
}

uint64_t
lex_number64(struct lex *l)
{
	uint64_t v;

	digits(l, INT64_MAX, &v);
	return v;
}
