/* SPDX-License-Identifier: ISC */
#include "updates.h"

#include "base/log.h"

_Static_assert((int)FLAG_SEEN == (int)MSG_SEEN &&
    (int)FLAG_ANSWERED == (int)MSG_ANSWERED &&
    (int)FLAG_FLAGGED == (int)MSG_FLAGGED &&
    (int)FLAG_DELETED == (int)MSG_DELETED &&
    (int)FLAG_DRAFT == (int)MSG_DRAFT,
    "the grammar and the store number the flags alike");

enum { ALL_FLAGS = FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DELETED |
	FLAG_DRAFT };

/* A keyword that an atom cannot hold came from another program's files. */
static bool
atom(struct span k)
{
	for (size_t i = 0; i < k.n; i++)
		if (!lex_atom_char(k.p[i]))
			return false;
	return k.n > 0;
}

static void
keyword(struct session *s, const char **sep, struct span k)
{
	if (!atom(k))
		return;
	out_adds(&s->out, *sep);
	out_add(&s->out, k);
	*sep = " ";
}

void
wire_flags(struct session *s, const struct msg *m)
{
	uint32_t system = m->flags & ALL_FLAGS;
	const struct span *names = NULL;
	size_t n = 0;

	if (set_has(view_recent(s->view), m->uid))
		system |= FLAG_RECENT;
	view_told(s->view, m);
	out_adds(&s->out, "FLAGS (");
	wire_system_flags(&s->out, system);
	const char *sep = system ? " " : "";

	if (m->keywords > 0 &&
	    view_keywords(s->view, &names, &n) != STORE_OK)
		n = 0;
	for (size_t i = 0; i < m->keywords; i++)
		if (m->keyword[i] < n)
			keyword(s, &sep, names[m->keyword[i]]);
	out_addc(&s->out, ')');
}

void
updates_flags(struct session *s)
{
	const struct span *names = NULL;
	size_t n = 0;

	if (view_keywords(s->view, &names, &n) != STORE_OK)
		n = 0;
	s->keywords = n;
	for (int permanent = 0; permanent < 2; permanent++) {
		const char *sep = " ";

		untagged(s);
		out_adds(&s->out, permanent ? "OK [PERMANENTFLAGS (" :
		    "FLAGS (");
		if (!permanent || !s->readonly) {
			wire_system_flags(&s->out, ALL_FLAGS);
			for (size_t i = 0; i < n; i++)
				keyword(s, &sep, names[i]);
		}
		if (permanent)
			out_adds(&s->out, s->readonly ? ")] Read-only." :
			    " \\*)] Ok");
		else
			out_addc(&s->out, ')');
		untagged_end(s);
	}
}

void
updates_keywords(struct session *s)
{
	const struct span *names = NULL;
	size_t n = 0;

	if (mailbox_keywords(s->mailbox, &names, &n) == STORE_OK &&
	    n != s->keywords)
		updates_flags(s);
}

void
updates_exists(struct session *s)
{
	untagged(s);
	out_addu(&s->out, view_exists(s->view));
	out_adds(&s->out, " EXISTS\r\n* ");
	out_addu(&s->out, set_count(view_recent(s->view)));
	out_adds(&s->out, " RECENT\r\n");
}

void
updates_urlmech(struct session *s)
{
	if (!s->urlmech)
		return;
	untagged(s);
	out_adds(&s->out, "OK [URLMECH INTERNAL] Ok");
	untagged_end(s);
}

static void
expunged(void *arg, uint32_t seq, uint32_t uid)
{
	struct session *s = arg;

	(void)uid;
	s->count.expunged++;
	untagged(s);
	out_addu(&s->out, seq);
	out_adds(&s->out, " EXPUNGE\r\n");
}

static bool
changed(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	struct session *s = arg;

	(void)digest;
	untagged(s);
	out_addu(&s->out, seq);
	out_adds(&s->out, " FETCH (");
	if (s->cmd != NULL && span_starts(span_str(s->cmd->name),
	    SPAN("UID "))) {
		out_adds(&s->out, "UID ");
		out_addu(&s->out, m->uid);
		out_addc(&s->out, ' ');
	}
	wire_flags(s, m);
	out_addc(&s->out, ')');
	untagged_end(s);
	return s->out.state == STREAM_OK;
}

enum store_result
updates_fetch_flags(struct session *s, const struct set *uids)
{
	return view_each(s->view, uids, 0, changed, s);
}

void
session_updates(struct session *s, bool expunge)
{
	struct view_changes ch = { 0 };
	bool held;

	if (s->view == NULL)
		return;
	enum store_result r = view_sync(s->view, expunge, &ch, &held,
	    expunged, s);

	/* The mailbox that the client has selected is no more; RFC 2180 3.3
	 * allows to end the session, and nothing else is clear. */
	if (r == STORE_CHANGED || r == STORE_NONEXISTENT)
		session_bye(s, "mailbox-gone",
		    "The mailbox was deleted or replaced.");
	else if (r != STORE_OK)
		session_warn(s, "sync");
	else {
		if (ch.exists)
			updates_exists(s);
		/* What was recent here is it nowhere else (RFC 3501 2.3.2). */
		if (ch.exists && !s->readonly)
			s->settle = true;
		if (ch.keywords)
			updates_keywords(s);
		if (ch.changed.n > 0)
			updates_fetch_flags(s, &ch.changed);
		/* RFC 4467 7, RESETKEY: who has the mailbox selected is
		 * told. */
		if (urlkey_was_reset(s->mailbox, &s->key))
			updates_urlmech(s);
	}
	view_changes_free(&ch);
}
