/* SPDX-License-Identifier: ISC */
#include "store/subscriptions.h"

#include <errno.h>

#include "base/file.h"
#include "store/name.h"
#include "store/tree.h"

enum { SUBS_OCTETS = 8 * 1024 * 1024 };

static const char file[] = "subscriptions";

/* Add one: octets is the name as a directory without its first ".", with
 * these delimiters for ".". */
static void
add(struct subscriptions *s, size_t *cap, struct span octets,
    const char *delimiters, enum name_form form, struct span line)
{
	struct buf disk = { 0 }, name = { 0 };
	struct subscription sub = { .line = line };

	buf_addc(&disk, '.');
	for (size_t i = 0; i < octets.n; i++) {
		char c = octets.p[i];

		buf_addc(&disk, c == delimiters[0] || c == delimiters[1] ?
		    '.' : c);
	}
	if (name_inbox(octets))
		buf_adds(&name, "INBOX");
	else
		name_show(buf_span(&disk), form, &name);
	sub.name = arena_dup(&s->mem, buf_span(&name));
	s->sub = arena_grow(&s->mem, s->sub, cap, s->n + 1, sizeof(sub));
	s->sub[s->n++] = sub;
	buf_free(&disk);
	buf_free(&name);
}

void
subscriptions_parse(struct subscriptions *s, struct span text,
    enum subscription_form form)
{
	struct span rest = text;
	bool newer = form == SUBS_DOVECOT &&
	    span_eq(span_cut(&rest, '\n'), SPAN("V\t2"));
	size_t cap = s->n;

	if (newer)
		text = rest;
	while (text.p != NULL) {
		struct span line = span_cut(&text, '\n');
		bool inbox = form == SUBS_COURIER &&
		    span_istarts(line, SPAN("INBOX."));

		if (line.n == 0 || line.n > NAME_MAX_OCTETS)
			continue;
		if (newer)
			add(s, &cap, line, "\t\t", NAME_UTF8, line);
		else if (form == SUBS_DOVECOT)
			add(s, &cap, line, "./", NAME_UTF8,
			    (struct span){ 0 });
		else
			add(s, &cap, span_skip(line, inbox ? 6 : 0), "..",
			    NAME_COURIER, (struct span){ 0 });
	}
}

void
subscriptions_free(struct subscriptions *s)
{
	arena_free(&s->mem);
	*s = (struct subscriptions){ 0 };
}

enum store_result
subscriptions_read(struct store *st, struct subscriptions *s)
{
	enum subscription_form form = SUBS_DOVECOT;
	struct buf b = { 0 };
	int err = 0;

	*s = (struct subscriptions){ 0 };
	if (file_read(st->dir, file, SUBS_OCTETS, &b) != 0)
		err = errno;
	if (err == ENOENT) {
		form = SUBS_COURIER;
		err = 0;
		if (file_read(st->dir, "courierimapsubscribed", SUBS_OCTETS,
		    &b) != 0)
			err = errno == ENOENT ? 0 : errno;
	}
	if (err == 0)
		subscriptions_parse(s, arena_dup(&s->mem, buf_span(&b)),
		    form);
	buf_free(&b);
	return err == 0 ? STORE_OK : store_fail(st, file, err);
}

/* Add the line of a name.  False if it can have none. */
static bool
put(struct span name, struct buf *text)
{
	size_t before = text->n;

	if (name_inbox(name))
		buf_adds(text, ".INBOX");
	else if (!name_raw(name, text))
		return false;
	for (size_t i = before + 1; i < text->n; i++) {
		char c = text->p[i];

		text->p[i - 1] = c == '.' ? '\t' : c;
	}
	text->p[text->n - 1] = '\n';
	return true;
}

/* Every subscription but that name, which comes last if it is to be on. */
static void
print(const struct subscriptions *s, struct span name, bool on,
    struct buf *text)
{
	buf_adds(text, "V\t2\n\n");
	for (size_t i = 0; i < s->n; i++) {
		if (span_eq(s->sub[i].name, name))
			continue;
		if (s->sub[i].line.n > 0) {
			buf_add(text, s->sub[i].line);
			buf_addc(text, '\n');
		} else
			(void)put(s->sub[i].name, text);
	}
	if (on)
		(void)put(name, text);
}

static enum store_result
change(struct store *st, struct span name, bool on)
{
	struct subscriptions s;
	struct buf text = { 0 };
	enum store_result r = subscriptions_read(st, &s);
	bool is = false;

	for (size_t i = 0; i < s.n; i++)
		is |= span_eq(s.sub[i].name, name);
	if (r == STORE_OK && is != on) {
		print(&s, name, on, &text);
		if (text.n > SUBS_OCTETS)
			r = STORE_LIMIT;
		else if (file_replace(st->dir, file, buf_span(&text),
		    0600) != 0)
			r = store_fail(st, file, errno);
	}
	subscriptions_free(&s);
	buf_free(&text);
	return r;
}

enum store_result
store_subscribe(struct store *st, struct span name, bool on)
{
	struct buf disk = { 0 };
	enum store_result r;

	if (name_inbox(name))
		name = SPAN("INBOX");
	else if (!name_raw(name, &disk)) {
		buf_free(&disk);
		return STORE_CANNOT;
	}
	buf_free(&disk);
	r = tree_lock(st);
	if (r != STORE_OK)
		return r;
	r = change(st, name, on);
	tree_unlock(st);
	return r;
}
