/* SPDX-License-Identifier: ISC */
#include "session.h"

#include <stdlib.h>

#include "base/die.h"

struct set_list {
	struct set set;
	struct set_list *next;
};

struct set *
session_set(struct session *s)
{
	struct set_list *l = xcalloc(1, sizeof *l);

	l->next = s->sets;
	s->sets = l;
	return &l->set;
}

void
session_reset(struct session *s)
{
	while (s->sets != NULL) {
		struct set_list *l = s->sets;

		s->sets = l->next;
		set_free(&l->set);
		free(l);
	}
	arena_reset(&s->arena);
	buf_clear(&s->code);
	s->text = NULL;
	s->cmd = NULL;
	s->tag = SPAN("");
}

bool
session_name(struct session *s, struct span wire, struct span *name)
{
	struct buf b = { 0 };
	bool good = imap_mailbox_decode(&s->space, wire, &b);

	*name = arena_dup(&s->arena, buf_span(&b));
	buf_free(&b);
	if (!good)
		reply_no(s, "CANNOT", "That is no mailbox name here.");
	return good;
}

void
wire_mailbox(struct session *s, struct span name)
{
	struct buf b = { 0 };

	imap_mailbox_encode(&s->space, name, &b);
	wire_astring(&s->out, buf_span(&b));
	buf_free(&b);
}

/* The UIDs of the sequence numbers lo to hi: where there is no hole between
 * them they need no walk. */
static void
uids_of(const struct view *v, uint32_t lo, uint32_t hi, struct set *uids)
{
	uint32_t first = view_uid(v, lo), last = view_uid(v, hi);

	if (last - first == hi - lo) {
		set_add(uids, first, last);
		return;
	}
	uint32_t middle = lo + (hi - lo) / 2;

	uids_of(v, lo, middle, uids);
	uids_of(v, middle + 1, hi, uids);
}

bool
session_uids(struct session *s, const struct seqset *q, bool uid,
    struct set **uids)
{
	uint32_t exists = view_exists(s->view);

	*uids = session_set(s);
	if (uid)
		return seqset_add(q, exists ? view_uid(s->view, exists) : 0,
		    UINT32_MAX, *uids);
	struct set *seqs = session_set(s);

	/* RFC 3501 9, seq-number: BAD above the number of messages. */
	if (!seqset_add(q, exists, exists, seqs)) {
		reply_bad(s, "No message has that sequence number.");
		return false;
	}
	for (size_t i = 0; i < seqs->n; i++)
		uids_of(s->view, seqs->r[i].lo, seqs->r[i].hi, *uids);
	return true;
}

bool
session_tick(void *session)
{
	struct session *s = session;

	return s->in.state == STREAM_OK && s->out.state == STREAM_OK;
}

void
session_unselect(struct session *s)
{
	view_close(s->view);
	mailbox_close(s->mailbox);
	s->view = NULL;
	s->mailbox = NULL;
	s->readonly = false;
	if (s->state == SEL)
		s->state = AUTH;
}

void
session_bye(struct session *s, const char *why, const char *text)
{
	if (!s->closing) {
		untagged(s);
		out_adds(&s->out, "BYE ");
		out_adds(&s->out, text);
		untagged_end(s);
	}
	s->closing = true;
	s->bye = why;
}
