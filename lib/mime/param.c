/* SPDX-License-Identifier: ISC */
#include "mime/param.h"

static bool
white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/* The length of the comment that s begins with, to the end of s if it is
 * never closed. */
static size_t
comment(struct span s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.n;
}

static void
gap(struct param_list *l)
{
	while (l->rest.n > 0)
		if (white(l->rest.p[0]))
			l->rest = span_skip(l->rest, 1);
		else if (l->rest.p[0] == '(')
			l->rest = span_skip(l->rest, comment(l->rest));
		else
			return;
}

/* Octets up to the next that has a meaning of its own outside quotes. */
static size_t
run(struct span s)
{
	size_t n = 0;

	while (n < s.n && !white(s.p[n]) && s.p[n] != '(' && s.p[n] != ';')
		n++;
	return n;
}

static void
take(struct param_list *l, size_t n)
{
	buf_add(&l->text, span_head(l->rest, n));
	l->rest = span_skip(l->rest, n);
}

static bool
joint(char c)
{
	return c == '/' || c == ',';
}

/* Blanks are allowed around "/" and ","; elsewhere they end the head, as in
 * "text/plain charset=x". */
void
param_head(struct param_list *l, struct span *head)
{
	buf_clear(&l->text);
	gap(l);
	while (l->rest.n > 0 && l->rest.p[0] != ';') {
		take(l, run(l->rest));
		size_t was = l->rest.n;

		gap(l);
		if (l->rest.n < was && l->text.n > 0 && l->rest.n > 0 &&
		    !joint(l->text.p[l->text.n - 1]) &&
		    !joint(l->rest.p[0]))
			break;
	}
	*head = buf_span(&l->text);
}

/* A value without quotes: up to a semicolon, without the blanks at its ends
 * and comments after blanks. */
static void
plain(struct param_list *l)
{
	gap(l);
	while (l->rest.n > 0 && l->rest.p[0] != ';') {
		if (white(l->rest.p[0])) {
			gap(l);
			if (l->rest.n > 0 && l->rest.p[0] != ';')
				buf_addc(&l->text, ' ');
			continue;
		}
		size_t n = run(l->rest);

		/* Inside a word a bracket begins no comment. */
		take(l, n > 0 ? n : 1);
	}
}

/* After the opening quote.  False, and nothing is done, if none closes. */
static bool
quoted(struct param_list *l)
{
	struct span s = l->rest;
	size_t i = 0;

	while (i < s.n && s.p[i] != '"') {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		if (s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != '\0')
			buf_addc(&l->text, s.p[i]);
		i++;
	}
	if (i >= s.n) {
		l->no_quote = true;
		buf_clear(&l->text);
		return false;
	}
	l->rest = span_skip(s, i + 1);
	return true;
}

/* The length of a name: up to "=" or what cannot be in one. */
static size_t
name_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && !white(s.p[n]) && s.p[n] != '=' && s.p[n] != ';' &&
	    s.p[n] != '"' && s.p[n] != '(')
		n++;
	return n;
}

bool
param_next(struct param_list *l, struct span *name, struct span *value)
{
	for (;;) {
		gap(l);
		if (l->rest.n == 0)
			return false;
		*name = span_head(l->rest, name_length(l->rest));
		l->rest = span_skip(l->rest, name->n);
		gap(l);
		if (l->rest.n == 0 || l->rest.p[0] != '=' || name->n == 0) {
			/* A semicolon, or a word that is no parameter. */
			if (l->rest.n > 0 && name->n == 0)
				l->rest = span_skip(l->rest, 1);
			continue;
		}
		l->rest = span_skip(l->rest, 1);
		gap(l);
		buf_clear(&l->text);
		bool quote = l->rest.n > 0 && l->rest.p[0] == '"';

		if (quote)
			l->rest = span_skip(l->rest, 1);
		if (!quote || l->no_quote || !quoted(l))
			plain(l);
		*value = buf_span(&l->text);
		return true;
	}
}

void
param_list_again(struct param_list *l, struct span rest)
{
	l->rest = rest;
	l->no_quote = false;
}

void
param_list_free(struct param_list *l)
{
	buf_free(&l->text);
}

bool
param_find(struct span field, struct span name, struct buf *to)
{
	struct param_list l = { .rest = field };
	struct span n, v, head;
	bool found = false;

	param_head(&l, &head);
	while (!found && param_next(&l, &n, &v))
		if (span_ieq(n, name)) {
			buf_add(to, v);
			found = true;
		}
	param_list_free(&l);
	return found;
}
