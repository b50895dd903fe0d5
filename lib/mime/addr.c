/* SPDX-License-Identifier: ISC */
#include "mime/addr.h"

#include <string.h>

/* What ends an atom.  Brackets and stray backslashes are read as text, as
 * in "[list] name <a@b>"; octets above 127 are text too (RFC 6532). */
static bool
special(char c)
{
	switch (c) {
	case '\0': case ' ': case '\t': case '\r': case '\n': case '(':
	case ')': case '<': case '>': case '@': case ',': case ';':
	case ':': case '"':
		return true;
	default:
		return false;
	}
}

static bool
white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

static char
peek(const struct addr_list *l)
{
	return l->rest.n == 0 ? '\0' : l->rest.p[0];
}

static void
skip(struct addr_list *l, size_t n)
{
	l->rest = span_skip(l->rest, n);
}

/* The length of the quoted string or comment that s begins with, its ends
 * included; 0 if it never ends. */
static size_t
enclosed(struct span s)
{
	size_t depth = 0;
	bool quote = s.p[0] == '"';

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\') {
			i++;
		} else if (quote) {
			if (c == '"' && i > 0)
				return i + 1;
		} else if (c == '(') {
			depth++;
		} else if (c == ')' && --depth == 0) {
			return i + 1;
		}
	}
	return 0;
}

/* Add text without its quoting backslashes and its folds. */
static void
unquote(struct buf *to, struct span s)
{
	if (s.n == 0)
		return;
	char *p = buf_room(to, s.n);

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		if (s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != '\0')
			*p++ = s.p[i];
	}
	to->n = (size_t)(p - to->p);
}

/* Skip blanks and comments; the last comment is kept.  True if there were
 * any. */
static bool
gap(struct addr_list *l)
{
	bool any = false;

	while (l->rest.n > 0) {
		if (white(peek(l))) {
			l->odd |= peek(l) == '\0';
			skip(l, 1);
		} else if (peek(l) == '(' && !l->no_comment) {
			size_t n = enclosed(l->rest);

			if (n == 0) {
				l->no_comment = l->odd = true;
				skip(l, 1);
				continue;
			}
			buf_clear(&l->comment);
			unquote(&l->comment,
			    (struct span){ l->rest.p + 1, n - 2 });
			skip(l, n);
		} else {
			break;
		}
		any = true;
	}
	return any;
}

static bool
dot_next(const struct buf *b, struct span atom)
{
	return b->n > 0 && (b->p[b->n - 1] == '.' || atom.p[0] == '.');
}

/*
 * A word: quoted string, or atom with its dots.  It is added to the name,
 * with a blank where there was one before it, and to the local part, where
 * blanks around dots are none (RFC 5322 4.4).
 */
static bool
word(struct addr_list *l, bool spaced)
{
	struct span in = l->rest;
	bool quoted = peek(l) == '"' && !l->no_quote;
	size_t n = quoted ? enclosed(in) : 0;

	if (quoted && n == 0)
		l->no_quote = l->odd = true;
	if (n > 0) {
		in = (struct span){ in.p + 1, n - 2 };
		l->odd |= span_chr(in, '\0') < in.n;
	} else {
		if (peek(l) == '"')
			n++;
		while (n < in.n && !special(in.p[n]))
			n++;
		if (n == 0)
			return false;
		in = span_head(in, n);
		l->odd |= span_chr(in, '\\') < in.n;
	}
	if (spaced && l->name.n > 0)
		buf_addc(&l->name, ' ');
	if (spaced && l->local.n > 0 && in.n > 0 &&
	    (quoted || !dot_next(&l->local, in)))
		buf_addc(&l->local, ' ');
	size_t at = l->name.n;

	unquote(&l->name, in);
	buf_add(&l->local, span_skip(buf_span(&l->name), at));
	skip(l, n);
	return true;
}

static void
words(struct addr_list *l)
{
	for (;;) {
		bool spaced = gap(l);

		if (l->rest.n == 0 || !word(l, spaced))
			return;
	}
}

/* After "@": atoms with dots between, or a literal in brackets. */
static void
domain(struct addr_list *l)
{
	for (;;) {
		bool spaced = gap(l);
		struct span in = l->rest;
		size_t n = 0;

		if (peek(l) == '[') {
			n = span_chr(in, ']');
			n = n < in.n ? n + 1 : 1;
		} else {
			while (n < in.n && !special(in.p[n]) &&
			    in.p[n] != '[')
				n++;
		}
		in = span_head(in, n);
		if (n == 0 || (spaced && l->domain.n > 0 &&
		    !dot_next(&l->domain, in)))
			return;
		l->odd |= span_chr(in, '\\') < in.n;
		unquote(&l->domain, in);
		skip(l, n);
	}
}

/* RFC 5322 4.4, obs-route: "@a,@b:" before the address. */
static void
route(struct addr_list *l)
{
	while (peek(l) == '@' || (peek(l) == ',' && l->route.n > 0)) {
		if (peek(l) == ',') {
			skip(l, 1);
			gap(l);
			continue;
		}
		skip(l, 1);
		buf_clear(&l->domain);
		domain(l);
		if (l->route.n > 0)
			buf_addc(&l->route, ',');
		buf_addc(&l->route, '@');
		buf_add(&l->route, buf_span(&l->domain));
	}
	buf_clear(&l->domain);
	if (l->route.n > 0 && peek(l) == ':')
		skip(l, 1);
}

/* After "<", up to ">" or what cannot be inside. */
static void
angle(struct addr_list *l)
{
	struct buf name = l->name;

	l->name = l->unused;
	buf_clear(&l->name);
	buf_clear(&l->local);
	gap(l);
	route(l);
	words(l);
	l->odd |= l->route.n > 0 || peek(l) != '@';
	while (peek(l) == '@') {
		skip(l, 1);
		if (l->domain.n > 0) {
			l->odd = true;
			buf_addc(&l->local, '@');
			buf_add(&l->local, buf_span(&l->domain));
			buf_clear(&l->domain);
		}
		domain(l);
	}
	/* Leftovers such as "a@b c>" are dropped up to the bracket. */
	while (l->rest.n > 0 && peek(l) != '>' && peek(l) != ',' &&
	    peek(l) != ';' && peek(l) != '<') {
		l->odd = true;
		skip(l, 1);
	}
	if (peek(l) == '>')
		skip(l, 1);
	else
		l->odd = true;
	l->unused = l->name;
	l->name = name;
}

static void
put_raw(struct buf *name, const char *from, const char *to)
{
	buf_clear(name);
	unquote(name, span_trim((struct span){ from, (size_t)(to - from) }));
}

/* Whether "a@b <c@d>" says the same twice. */
static bool
same(const struct addr_list *l)
{
	struct span name = buf_span(&l->name);
	size_t at = span_rchr(name, '@');

	return at < name.n &&
	    span_ieq(span_head(name, at), buf_span(&l->local)) &&
	    span_ieq(span_skip(name, at + 1), buf_span(&l->domain));
}

/* What stands at the beginning of rest, which is neither blank nor a
 * separator.  False if it was nothing. */
static bool
one(struct addr_list *l, struct addr *a)
{
	const char *from = l->rest.p;
	bool twice = false;

	words(l);
	a->kind = ADDR_MAILBOX;
	if (peek(l) == ':' && l->rest.n > 0) {
		skip(l, 1);
		if (l->group || l->name.n == 0)
			return false;
		l->group = true;
		a->kind = ADDR_GROUP;
		return true;
	}
	if (peek(l) == '@') {
		skip(l, 1);
		domain(l);
		/* "a@b <a@b>": not legal, but often seen. */
		if (peek(l) == '<') {
			put_raw(&l->name, from, l->rest.p);
			buf_clear(&l->domain);
			twice = true;
		} else {
			buf_clear(&l->name);
		}
	} else if (peek(l) != '<') {
		buf_clear(&l->name);
		if (l->local.n == 0)
			return false;
	}
	if (peek(l) == '<') {
		skip(l, 1);
		angle(l);
		gap(l);
		l->odd |= twice && !same(l);
	}
	l->odd |= l->rest.n > 0 && peek(l) != ',' &&
	    (peek(l) != ';' || !l->group);
	if (l->name.n == 0)
		buf_add(&l->name, buf_span(&l->comment));
	return l->name.n + l->local.n + l->domain.n > 0;
}

static void
fill(const struct addr_list *l, struct addr *a, const char *from)
{
	a->name = span_trim(buf_span(&l->name));
	a->route = buf_span(&l->route);
	a->local = buf_span(&l->local);
	a->domain = buf_span(&l->domain);
	a->raw = span_trim((struct span){ from, (size_t)(l->rest.p - from) });
}

bool
addr_next(struct addr_list *l, struct addr *a)
{
	for (;;) {
		buf_clear(&l->name);
		buf_clear(&l->route);
		buf_clear(&l->local);
		buf_clear(&l->domain);
		buf_clear(&l->comment);
		const char *from = l->rest.p;

		gap(l);
		if (l->rest.n == 0 || (peek(l) == ';' && l->group)) {
			bool ended = l->group;

			skip(l, 1);
			l->group = false;
			a->kind = ADDR_GROUP_END;
			buf_clear(&l->comment);
			if (ended) {
				fill(l, a, from);
				return true;
			}
			if (l->rest.n == 0)
				return false;
		} else if (strchr(",;)>", peek(l)) != NULL) {
			l->odd |= peek(l) != ',';	/* RFC 5322 4.4 */
			skip(l, 1);
		} else if (one(l, a)) {
			fill(l, a, from);
			return true;
		} else {
			l->odd = true;
			if (l->rest.p == from)
				skip(l, 1);
		}
	}
}

void
addr_list_again(struct addr_list *l, struct span rest)
{
	l->rest = rest;
	l->group = l->no_quote = l->no_comment = l->odd = false;
}

void
addr_list_free(struct addr_list *l)
{
	buf_free(&l->name);
	buf_free(&l->route);
	buf_free(&l->local);
	buf_free(&l->domain);
	buf_free(&l->comment);
	buf_free(&l->unused);
}

/* RFC 5322 3.2.3 atext; RFC 6532 3.2 adds what is beyond ASCII. */
static bool
atext(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c < 0 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
dot_atom(struct span s)
{
	if (s.n == 0 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!atext(s.p[i]) && !(s.p[i] == '.' && s.p[i - 1] != '.'))
			return false;
	return true;
}

static void
add_quoted(struct buf *to, struct span s)
{
	size_t from = to->n;

	buf_addquoted(to, s);
	for (char *p = to->p + from; p < to->p + to->n; p++)
		if (*p == '\r' || *p == '\n' || *p == '\0')
			*p = ' ';
}

void
addr_add(struct buf *to, struct span local, struct span dom)
{
	if (dot_atom(local))
		buf_add(to, local);
	else
		add_quoted(to, local);
	if (dom.n == 0)
		return;
	buf_addc(to, '@');
	for (size_t i = 0; i < dom.n; i++)
		if (!special(dom.p[i]))
			buf_addc(to, dom.p[i]);
}

void
addr_add_name(struct buf *to, struct span name)
{
	bool plain = name.n > 0 && name.p[0] != ' ' &&
	    name.p[name.n - 1] != ' ';

	for (size_t i = 0; plain && i < name.n; i++)
		plain = atext(name.p[i]) ||
		    (name.p[i] == ' ' && name.p[i - 1] != ' ');
	if (plain)
		buf_add(to, name);
	else
		add_quoted(to, name);
}
