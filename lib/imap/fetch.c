/* SPDX-License-Identifier: ISC */
#include "imap/fetch.h"

/* RFC 3501 9: section-part = nz-number *("." nz-number).  Whether a section's
 * text follows it. */
static bool
part_number(struct lex *l, struct section *s)
{
	size_t cap = 0;

	if (l->in.n == 0 || !ascii_digit(l->in.p[0]))
		return true;
	do {
		if (l->in.n > 0 && !ascii_digit(l->in.p[0]))
			return true;
		if (s->depth >= SECTION_DEPTH_MAX)
			lex_fail(l, "No part is that deep");
		s->path = arena_grow(l->arena, s->path, &cap, s->depth + 1,
		    sizeof *s->path);
		s->path[s->depth++] = lex_nz_number(l);
	} while (lex_try(l, '.'));
	return false;
}

/* RFC 3501 9: header-list = "(" header-fld-name *(SP header-fld-name) ")" */
static void
field_names(struct lex *l, struct section *s)
{
	size_t cap = 0;

	lex_space(l);
	lex_open(l);
	do {
		if (s->fields >= SECTION_FIELDS_MAX)
			lex_fail(l, "Too many header fields");
		s->field = arena_grow(l->arena, s->field, &cap,
		    s->fields + 1, sizeof *s->field);
		s->field[s->fields++] = lex_astring(l);
	} while (lex_try(l, ' '));
	lex_close(l);
	if (!lex_ok(l))
		s->fields = 0;
}

struct section
lex_section(struct lex *l)
{
	static const struct {
		const char *name;
		enum section_kind kind;
	} kinds[] = {
		{ "HEADER", SECTION_HEADER },
		{ "HEADER.FIELDS", SECTION_FIELDS },
		{ "HEADER.FIELDS.NOT", SECTION_FIELDS_NOT },
		{ "TEXT", SECTION_TEXT },
		{ "MIME", SECTION_MIME },
	};
	struct section s = { .kind = SECTION_ALL };

	if (lex_next(l, ']') || !part_number(l, &s))
		return s;
	struct span name = lex_name(l);

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (span_ieq(name, span_str(kinds[i].name)))
			s.kind = kinds[i].kind;
	/* RFC 3501 9: section-text = section-msgtext / "MIME", and MIME only
	 * after a part's number. */
	if (s.kind == SECTION_ALL ||
	    (s.kind == SECTION_MIME && s.depth == 0))
		lex_fail(l, "No such section");
	if (s.kind == SECTION_FIELDS || s.kind == SECTION_FIELDS_NOT)
		field_names(l, &s);
	return s;
}

/* RFC 3516 7: section-binary = "[" [section-part] "]" */
static struct section
section_binary(struct lex *l)
{
	struct section s = { .kind = SECTION_ALL };

	if (!lex_next(l, ']') && part_number(l, &s))
		lex_fail(l, "BINARY knows no text of a section");
	return s;
}

/* RFC 3501 9: "BODY" section ["<" number "." nz-number ">"] */
static void
body(struct lex *l, struct fetch_section *f)
{
	lex_char(l, '[');
	f->section = f->form == FETCH_AS_IS ? lex_section(l) :
	    section_binary(l);
	lex_char(l, ']');
	if (f->form == FETCH_BINARY_SIZE || !lex_try(l, '<'))
		return;
	f->partial = true;
	f->offset = lex_number(l);
	lex_char(l, '.');
	f->length = lex_nz_number(l);
	lex_char(l, '>');
}

static const struct {
	const char *name;
	unsigned items;
	bool macro;
} items[] = {
	{ "UID", FETCH_UID, false },
	{ "FLAGS", FETCH_FLAGS, false },
	{ "INTERNALDATE", FETCH_INTERNALDATE, false },
	{ "RFC822.SIZE", FETCH_SIZE, false },
	{ "ENVELOPE", FETCH_ENVELOPE, false },
	{ "BODY", FETCH_BODY, false },
	{ "BODYSTRUCTURE", FETCH_BODYSTRUCTURE, false },
	{ "ALL", FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE |
	    FETCH_ENVELOPE, true },
	{ "FAST", FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE, true },
	{ "FULL", FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE |
	    FETCH_ENVELOPE | FETCH_BODY, true },
};

/* RFC 3501 6.4.5: what RFC 2060's names stand for. */
static const struct {
	const char *label;
	enum section_kind kind;
	bool peek;
} old_names[] = {
	{ "RFC822", SECTION_ALL, false },
	{ "RFC822.HEADER", SECTION_HEADER, true },
	{ "RFC822.TEXT", SECTION_TEXT, false },
};

/* Those whose name a section follows. */
static const struct {
	const char *name;
	enum fetch_form form;
	bool peek;
} sections[] = {
	{ "BODY", FETCH_AS_IS, false },
	{ "BODY.PEEK", FETCH_AS_IS, true },
	{ "BINARY", FETCH_BINARY, false },
	{ "BINARY.PEEK", FETCH_BINARY, true },
	{ "BINARY.SIZE", FETCH_BINARY_SIZE, true },
};

static void
add_section(struct lex *l, struct fetch *f, size_t *cap,
    const struct fetch_section *one)
{
	if (f->sections >= FETCH_SECTIONS_MAX)
		lex_fail(l, "Too many sections");
	if (!lex_ok(l))
		return;
	f->section = arena_grow(l->arena, f->section, cap, f->sections + 1,
	    sizeof *f->section);
	f->section[f->sections++] = *one;
}

/* One fetch-att.  macro: ALL, FAST and FULL stand alone. */
static void
item(struct lex *l, bool macro, struct fetch *f, size_t *cap)
{
	struct fetch_section one = { 0 };
	struct span name = lex_name(l);

	for (size_t i = 0; i < COUNT(sections) && lex_next(l, '['); i++)
		if (span_ieq(name, span_str(sections[i].name))) {
			one.form = sections[i].form;
			one.peek = sections[i].peek;
			body(l, &one);
			add_section(l, f, cap, &one);
			return;
		}
	for (size_t i = 0; i < COUNT(items); i++)
		if (span_ieq(name, span_str(items[i].name)) &&
		    (macro || !items[i].macro)) {
			f->items |= items[i].items;
			return;
		}
	for (size_t i = 0; i < COUNT(old_names); i++)
		if (span_ieq(name, span_str(old_names[i].label))) {
			one.label = old_names[i].label;
			one.section.kind = old_names[i].kind;
			one.peek = old_names[i].peek;
			add_section(l, f, cap, &one);
			return;
		}
	lex_fail(l, "No such FETCH item");
}

struct fetch
lex_fetch(struct lex *l)
{
	struct fetch f = { 0 };
	size_t cap = 0;

	if (!lex_next(l, '(')) {
		item(l, true, &f, &cap);
		return f;
	}
	lex_open(l);
	do
		item(l, false, &f, &cap);
	while (lex_try(l, ' '));
	lex_close(l);
	return f;
}

static void
wire_section(struct out *o, const struct section *s)
{
	static const char *const text[] = {
		[SECTION_ALL] = "", [SECTION_HEADER] = "HEADER",
		[SECTION_FIELDS] = "HEADER.FIELDS (",
		[SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT (",
		[SECTION_TEXT] = "TEXT", [SECTION_MIME] = "MIME",
	};

	for (size_t i = 0; i < s->depth; i++) {
		if (i > 0)
			out_addc(o, '.');
		out_addu(o, s->path[i]);
	}
	if (s->depth > 0 && s->kind != SECTION_ALL)
		out_addc(o, '.');
	out_adds(o, text[s->kind]);
	for (size_t i = 0; i < s->fields; i++) {
		if (i > 0)
			out_addc(o, ' ');
		wire_astring(o, s->field[i]);
	}
	if (s->fields > 0)
		out_addc(o, ')');
}

void
wire_fetch_label(struct out *o, const struct fetch_section *f)
{
	static const char *const name[] = {
		[FETCH_AS_IS] = "BODY[", [FETCH_BINARY] = "BINARY[",
		[FETCH_BINARY_SIZE] = "BINARY.SIZE[",
	};

	if (f->label != NULL) {
		out_adds(o, f->label);
		return;
	}
	out_adds(o, name[f->form]);
	wire_section(o, &f->section);
	out_addc(o, ']');
	if (f->partial)
		out_addf(o, "<%u>", f->offset);
}
