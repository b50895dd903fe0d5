/* SPDX-License-Identifier: ISC */
#include "store/name.h"

#include <string.h>

#include "text/mutf7.h"
#include "text/utf8.h"

bool
name_inbox(struct span name)
{
	return span_ieq(name, SPAN("INBOX"));
}

struct span
name_parent(struct span name)
{
	size_t at = span_rchr(name, '\0');

	return at == name.n ? (struct span){ 0 } : span_head(name, at);
}

bool
name_below(struct span name, struct span above)
{
	return name.n > above.n && name.p[above.n] == '\0' &&
	    span_starts(name, above);
}

/* Whether text can be a component; the first one cannot be INBOX when more
 * follow or a directory is meant. */
static bool
component_ok(struct span c, bool first)
{
	return mutf7_component(c) && c.p[0] != '.' && c.p[0] != '~' &&
	    !(first && name_inbox(c));
}

/* Add the octets of a directory's component so that they make a component
 * whatever they are.  INBOX, if it is the first, is kept apart from the real
 * one. */
static void
escape(struct span raw, bool first, struct buf *to)
{
	bool inbox = first && name_inbox(raw);

	for (size_t i = 0; i < raw.n; i++) {
		unsigned char c = (unsigned char)raw.p[i];

		if (c < ' ' || c > '~' || strchr("%&/.~", c) != NULL ||
		    (i == 0 && inbox))
			buf_addescape(to, '%', raw.p[i]);
		else
			buf_addc(to, raw.p[i]);
	}
}

/* Undo escape.  False if escape would not have given just that. */
static bool
unescape(struct span c, bool first, struct buf *raw)
{
	struct buf again = { 0 };
	bool same;

	for (size_t i = 0; i < c.n; i++) {
		int octet;

		if (c.p[i] != '%') {
			buf_addc(raw, c.p[i]);
			continue;
		}
		octet = span_hex(span_skip(c, i + 1));
		if (octet < 0)
			return false;
		buf_addc(raw, (char)octet);
		i += 2;
	}
	escape(buf_span(raw), first, &again);
	same = span_eq(buf_span(&again), c);
	buf_free(&again);
	return same;
}

static bool escaped(struct span c, bool first);

/* Whether these octets are what a component is encoded to; it is added to
 * *text. */
static bool
canonical(struct span raw, bool first, struct buf *text)
{
	size_t before = text->n;
	struct span c;

	if (!mutf7_decode(raw, ".", text))
		return false;
	c = (struct span){ text->p + before, text->n - before };
	if (component_ok(c, first) && !escaped(c, first))
		return true;
	text->n = before;
	return false;
}

/* Two delimiters in a row, or one at an end: no list of components. */
static bool
has_empty(struct span raw)
{
	while (raw.p != NULL) {
		if (span_cut(&raw, '.').n == 0)
			return true;
	}
	return false;
}

/*
 * Whether a component is the escaped form of octets that are not canonical.
 * Each round through canonical is over a text that is shorter by the octets
 * of at least one "%XX", and texts are short.
 */
static bool
escaped(struct span c, bool first)
{
	struct buf raw = { 0 }, text = { 0 };
	bool yes = false;

	if (span_chr(c, '%') < c.n && c.n <= 3 * NAME_DISK_MAX &&
	    unescape(c, first, &raw) && raw.n > 0) {
		if (span_chr(buf_span(&raw), '.') < raw.n)
			yes = has_empty(buf_span(&raw));
		else
			yes = !canonical(buf_span(&raw), first, &text);
	}
	buf_free(&raw);
	buf_free(&text);
	return yes;
}

bool
name_escaped(struct span name)
{
	bool first = true;

	while (name.p != NULL) {
		if (escaped(span_cut(&name, '\0'), first))
			return true;
		first = false;
	}
	return false;
}

bool
name_raw(struct span name, struct buf *disk)
{
	size_t before = disk->n;
	bool first = true;

	if (name.n == 0 || name.n > NAME_MAX_OCTETS)
		return false;
	while (name.p != NULL) {
		struct span c = span_cut(&name, '\0');
		struct buf raw = { 0 };

		buf_addc(disk, '.');
		if (escaped(c, first) && unescape(c, first, &raw))
			buf_add(disk, buf_span(&raw));
		else if (!component_ok(c, first) ||
		    !mutf7_encode(c, ".", disk))
			disk->n = before;
		buf_free(&raw);
		if (disk->n == before)
			return false;
		first = false;
	}
	if (disk->n - before <= NAME_DISK_MAX)
		return true;
	disk->n = before;
	return false;
}

enum store_result
name_disk(struct span name, struct buf *disk)
{
	if (name_inbox(name)) {
		buf_addc(disk, '.');
		return STORE_OK;
	}
	if (name_escaped(name) || !name_raw(name, disk))
		return STORE_CANNOT;
	return STORE_OK;
}

/* A component as UTF-8 that is not modified UTF-7. */
static bool
plain_utf8(struct span raw, bool first, enum name_form form)
{
	bool high = utf8_ascii(raw) < raw.n;

	if (form == NAME_CANONICAL || (!high && form != NAME_COURIER))
		return false;
	return component_ok(raw, first) && !escaped(raw, first);
}

void
name_show(struct span disk, enum name_form form, struct buf *name)
{
	struct span rest = span_skip(disk, 1);
	bool first = true;

	if (has_empty(rest)) {
		escape(rest, true, name);
		return;
	}
	while (rest.p != NULL) {
		struct span raw = span_cut(&rest, '.');

		if (!first)
			buf_addc(name, '\0');
		if (canonical(raw, first, name))
			;
		else if (plain_utf8(raw, first, form))
			buf_add(name, raw);
		else
			escape(raw, first, name);
		first = false;
	}
}
