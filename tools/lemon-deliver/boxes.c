/* SPDX-License-Identifier: ISC */
#include "boxes.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/log.h"
#include "store/draft.h"

/* More open stores than that are settled before the next is opened. */
enum { BOXES_MAX = 32 };

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

enum store_result
boxes_open(struct boxes *b, const struct target *t, const char **why)
{
	struct store *st;
	enum store_result e;

	if (find(b, t->cfg.maildir) != NULL)
		return STORE_OK;
	if (b->n == BOXES_MAX)
		boxes_settle(b);
	e = store_open(&st, &t->cfg, why);
	if (e != STORE_OK)
		return e;
	struct box *x = xcalloc(1, sizeof *x);

	x->maildir = xstrdup(t->cfg.maildir);
	x->store = st;
	x->next = b->first;
	b->first = x;
	b->n++;
	return STORE_OK;
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
	if (same && (flags & FOLDER_EXISTS) != 0 && !s->exact) {
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

enum store_result
boxes_put(struct boxes *b, const struct target *t, const struct letter *l,
    struct span top, const char **why)
{
	struct draft_info info = { .internaldate = INT64_MIN };
	struct mailbox *mb;
	struct draft *d = NULL;
	enum store_result e = boxes_open(b, t, why);

	if (e != STORE_OK)
		return e;
	struct box *x = find(b, t->cfg.maildir);

	e = folder(x, t, &mb);
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

void
boxes_settle(struct boxes *b)
{
	while (b->first != NULL) {
		struct box *x = b->first;

		while (x->open != NULL) {
			struct open *o = x->open;

			/* The files are there: the next look finds them. */
			if (mailbox_settle(o->mailbox) != STORE_OK)
				log_warn("settle: %s", store_why(x->store));
			mailbox_close(o->mailbox);
			buf_free(&o->name);
			x->open = o->next;
			free(o);
		}
		store_close(x->store);
		free(x->maildir);
		b->first = x->next;
		free(x);
	}
	b->n = 0;
}
