/* SPDX-License-Identifier: ISC */
#include "boxes.h"

#include <stdlib.h>
#include <string.h>

#include "auth/confine.h"
#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "store/bell.h"
#include "store/draft.h"

/* More open stores than that are closed before the next is opened, but for
 * one message's recipients. */
enum { BOXES_MAX = 32, BOXES_KEPT = 4 };

enum {
	OWED_MAX = 50,		/* messages that are committed together */
	OWED_MS = 1000		/* … and for how long */
};

struct open {
	struct buf name;
	struct mailbox *mailbox;
	struct open *next;
};

struct box {
	char *maildir;
	struct store *store;
	struct open *open;
	struct box *next;
};

static struct box *
find(const struct boxes *b, const char *maildir)
{
	struct box *x = b->first;

	while (x != NULL && strcmp(x->maildir, maildir) != 0)
		x = x->next;
	return x;
}

/* The files are there: the next look finds what cannot be settled. */
static void
settle(struct box *x)
{
	while (x->open != NULL) {
		struct open *o = x->open;

		if (mailbox_settle(o->mailbox) != STORE_OK)
			log_warn("settle: %s", store_why(x->store));
		mailbox_close(o->mailbox);
		buf_free(&o->name);
		x->open = o->next;
		free(o);
	}
}

/* All from that place in the list on. */
static void
close_from(struct boxes *b, struct box **from)
{
	while (*from != NULL) {
		struct box *x = *from;

		settle(x);
		store_close(x->store);
		free(x->maildir);
		*from = x->next;
		free(x);
		b->n--;
	}
}

/* Put it before the others.  False if there is none, or its Maildir is
 * another by now. */
static bool
again(struct boxes *b, const char *maildir)
{
	struct box **at = &b->first, *x = find(b, maildir);

	if (x == NULL)
		return false;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->next = b->first;
	b->first = x;
	if (store_is_current(x->store))
		return true;
	struct box *others = x->next;
	x->next = NULL;
	close_from(b, &b->first);
	b->first = others;
	return false;
}

enum store_result
boxes_open(struct boxes *b, const struct target *t, const char **why)
{
	struct store *st;
	enum store_result e;

	if (again(b, t->mail.cfg.maildir))
		return STORE_OK;
	if (b->n == BOXES_MAX)
		boxes_close(b);
	e = store_open(&st, &t->mail.cfg, why);
	if (e != STORE_OK)
		return e;
	struct box *x = xcalloc(1, sizeof *x);

	x->maildir = xstrdup(t->mail.cfg.maildir);
	x->store = st;
	x->next = b->first;
	b->first = x;
	b->n++;
	return STORE_OK;
}

enum store_result
boxes_enter(struct boxes *b, const struct target *t, const char **why)
{
	const struct store_config *cfg = &t->mail.cfg;
	const char *const dirs[] = { cfg->maildir, cfg->index, NULL };
	const struct confine walls = { .dirs = dirs };
	enum store_result e;

	if (t->own_process && confine_become(&t->mail.account, why) != 0)
		return STORE_DENIED;
	e = boxes_open(b, t, why);
	if (e == STORE_OK && confine_paths(&walls, why) != 0)
		e = STORE_DENIED;
	return e;
}

/* The folder that somebody means by a detail: its name, or its components
 * with "/" or "." between, whatever the case. */
struct search {
	struct span want;
	struct buf found;
	bool exact;
};

static bool
search(void *arg, struct span name, unsigned flags)
{
	struct search *s = arg;
	bool same = name.n == s->want.n, exact = same;

	for (size_t i = 0; same && i < name.n; i++) {
		char a = name.p[i], b = s->want.p[i];

		same = ascii_lower(a) == ascii_lower(b) ||
		    (a == '\0' && (b == '/' || b == '.'));
		exact = exact && (a == b || (a == '\0' && b == '/'));
	}
	if (same && !s->exact &&
	    (flags & (FOLDER_EXISTS | FOLDER_UNREADABLE)) != 0) {
		buf_clear(&s->found);
		buf_add(&s->found, name);
		s->exact = exact;
	}
	return !s->exact;
}

/* The mailbox of that name, opened once. */
static enum store_result
mailbox(struct box *x, struct span name, struct mailbox **mb)
{
	struct open *o = x->open;

	while (o != NULL && !span_eq(buf_span(&o->name), name))
		o = o->next;
	if (o == NULL) {
		enum store_result e = mailbox_open(x->store, name,
		    RIGHT_WRITE, mb);

		if (e != STORE_OK)
			return e;
		o = xcalloc(1, sizeof *o);
		buf_add(&o->name, name);
		o->mailbox = *mb;
		o->next = x->open;
		x->open = o;
	}
	*mb = o->mailbox;
	return STORE_OK;
}

static enum store_result
folder(struct box *x, const struct target *t, struct mailbox **mb)
{
	struct search s = { .want = buf_span(&t->folder) };
	enum store_result e = STORE_NONEXISTENT;

	if (s.want.n > 0) {
		e = store_list(x->store, search, &s);
		if (e == STORE_OK)
			e = s.found.n > 0 ?
			    mailbox(x, buf_span(&s.found), mb) :
			    STORE_NONEXISTENT;
	}
	buf_free(&s.found);
	/* It may go while we look. */
	if (e == STORE_NONEXISTENT || e == STORE_CANNOT)
		e = mailbox(x, SPAN("INBOX"), mb);
	return e;
}

static void
sink(void *ctx, struct span octets)
{
	draft_write(ctx, octets);
}

static enum store_result
write_draft(struct draft *d, const struct letter *l, struct span top)
{
	struct spool spool = l->spool;
	uint64_t size;

	draft_write(d, top);
	if (spool_read(&spool, 0, UINT64_MAX, sink, d) != 0)
		return STORE_ERROR;
	return draft_finish(d, &size);
}

static enum store_result
put(struct box *x, const struct target *t, const struct letter *l,
    struct span top, const char **why)
{
	struct draft_info info = { .internaldate = INT64_MIN };
	struct mailbox *mb;
	struct draft *d = NULL;
	enum store_result e = folder(x, t, &mb);

	if (e == STORE_OK)
		e = draft_open(mb, &info, &d);
	if (e == STORE_OK)
		e = write_draft(d, l, top);
	if (e == STORE_OK)
		e = mailbox_place(mb, &d, 1, true, NULL, NULL);
	if (e != STORE_OK)
		*why = store_why(x->store);
	if (d != NULL)
		draft_free(d);
	return e;
}

enum store_result
boxes_put(struct boxes *b, const struct target *t, const struct letter *l,
    struct span top, const char **why)
{
	enum store_result e = boxes_open(b, t, why);

	if (e != STORE_OK)
		return e;
	struct box *x = find(b, t->mail.cfg.maildir);
	bool kept = x->open != NULL;

	e = put(x, t, l, top, why);
	/* The folder may have been made anew since it was opened. */
	if (kept && (e == STORE_CHANGED || e == STORE_NONEXISTENT)) {
		settle(x);
		e = put(x, t, l, top, why);
	}
	if (e == STORE_OK && b->owed++ == 0)
		b->since = clock_ms();
	return e;
}

bool
boxes_are_current(struct boxes *b, const struct target *t)
{
	return again(b, t->mail.cfg.maildir);
}

bool
boxes_are_due(const struct boxes *b)
{
	if (b->owed >= OWED_MAX || clock_ms() - b->since >= OWED_MS)
		return true;
	for (const struct box *x = b->first; x != NULL; x = x->next)
		if (x->open != NULL && bell_is_awaited(x->store))
			return true;
	return false;
}

void
boxes_settle(struct boxes *b)
{
	struct box **at = &b->first;

	for (struct box *x = b->first; x != NULL; x = x->next)
		settle(x);
	for (size_t i = 0; i < BOXES_KEPT && *at != NULL; i++)
		at = &(*at)->next;
	close_from(b, at);
	b->owed = 0;
}

void
boxes_close(struct boxes *b)
{
	close_from(b, &b->first);
	b->owed = 0;
}
