/* SPDX-License-Identifier: ISC */
#include "url/structure.h"

/* RFC 3501 9: body-type-1part, from its first value on. */
enum { BODY_ENCODING = 5, BODY_SIZE, BODY_OF_MESSAGE = 8 };

/* How many octets the string or atom takes that s (not empty) begins with. */
static size_t
word(struct span s)
{
	uint64_t literal = 0;
	size_t n = 1, end;

	if (s.p[0] == '"') {
		while (n < s.n && s.p[n] != '"')
			n += s.p[n] == '\\' ? 2 : 1;
		return n + 1;
	}
	if (s.p[0] == '{') {
		end = span_chr(s, '\n') + 1;
		span_u64(span_head(span_skip(s, 1), end - 4), UINT32_MAX,
		    &literal);
		return end + (size_t)literal;
	}
	while (n < s.n && s.p[n] != ' ' && s.p[n] != '(' && s.p[n] != ')')
		n++;
	return n;
}

/* Cut the value off that *s begins with, and the blank behind it. */
static struct span
value(struct span *s)
{
	size_t n = 0;
	unsigned depth = 0;

	do {
		char c = n < s->n ? s->p[n] : ')';

		depth += c == '(';
		if (c == '(' || c == ')' || c == ' ')
			n++;
		else
			n += word(span_skip(*s, n));
		depth -= c == ')' && depth > 0;
	} while (depth > 0 && n < s->n);
	struct span v = span_head(*s, n);

	*s = span_skip(*s, n);
	if (s->n > 0 && s->p[0] == ' ')
		*s = span_skip(*s, 1);
	return v;
}

/* The value of that number in a list. */
static struct span
nth(struct span list, uint32_t n)
{
	struct span rest = span_skip(list, 1), v;

	do
		v = value(&rest);
	while (n-- > 0);
	return v;
}

/* RFC 3501 6.4.5: the BODY of a part that is there, walked as digest_find
 * does. */
static struct span
body_of_part(const struct digest *d, const struct section *q)
{
	const struct digest_part *p = &d->part[0];
	struct span body = d->body;
	bool message = true, own = false;

	for (size_t i = 0; i < q->depth; i++) {
		if (!message && p->kind == PART_MESSAGE) {
			p = &d->part[p->child];
			body = nth(body, BODY_OF_MESSAGE);
		}
		if (p->kind == PART_MULTIPART)
			body = nth(body, q->path[i] - 1);
		p = digest_find(d, q->path, i + 1, &own);
		message = false;
	}
	/* RFC 3501 6.4.5: TEXT is that of the message in it. */
	return q->kind == SECTION_TEXT && q->depth > 0 ?
	    nth(body, BODY_OF_MESSAGE) : body;
}

static void
count(void *arg, struct span s)
{
	uint32_t *lines = arg;

	while (s.p != NULL) {
		span_cut(&s, '\n');
		*lines += s.p != NULL;
	}
}

static void
number(struct buf *to, uint64_t v)
{
	buf_addc(to, ' ');
	/* RFC 3501 9: a number has 32 bits. */
	buf_addu(to, v > UINT32_MAX ? UINT32_MAX : v);
}

/* The fields of a header have no structure of their own. */
static bool
fields(const struct resolved *r, struct buf *to)
{
	uint32_t lines = 0;

	buf_adds(to, "(\"text\" \"rfc822-headers\" NIL NIL NIL \"8bit\"");
	number(to, r->n);
	if (resolved_read(r, count, &lines) != 0)
		return false;
	number(to, lines);
	buf_addc(to, ')');
	return true;
}

/* The BODY of a leaf with another encoding, size and lines. */
static bool
altered(struct span body, const struct resolved *r, struct buf *to)
{
	struct span rest = span_skip(body, 1);
	uint32_t lines = 0;

	buf_addc(to, '(');
	for (int i = 0; i < BODY_ENCODING; i++) {
		buf_add(to, value(&rest));
		buf_addc(to, ' ');
	}
	struct span encoding = value(&rest);

	buf_add(to, resolved_is_decoded(r) ? SPAN("\"BINARY\"") : encoding);
	number(to, r->n);
	value(&rest);
	if (rest.n > 1) {		/* text */
		if (resolved_read(r, count, &lines) != 0)
			return false;
		number(to, lines);
	}
	buf_addc(to, ')');
	return true;
}

bool
url_structure(const struct imap_url *u, const struct resolved *r,
    struct buf *to)
{
	const struct digest *d = message_digest(r->message);
	const struct section *q = &u->section;
	const struct digest_part *p;
	bool own;

	if (q->kind != SECTION_ALL && q->kind != SECTION_TEXT)
		return fields(r, to);
	struct span body = body_of_part(d, q);

	p = digest_find(d, q->path, q->depth, &own);
	if (q->kind == SECTION_ALL && q->depth > 0 &&
	    p->kind == PART_LEAF && (resolved_is_decoded(r) || u->partial))
		return altered(body, r, to);
	buf_add(to, body);
	return true;
}
