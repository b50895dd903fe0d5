/* SPDX-License-Identifier: ISC */
/* SELECT, EXAMINE, CHECK, CLOSE and UNSELECT.  RFC 3501 6.3.1, 6.4.1,
 * RFC 3691. */

#include "updates.h"

static void
wire_code(struct session *s, const char *code, uint32_t n, const char *text)
{
	untagged(s);
	out_addf(&s->out, "OK [%s %u] %s", code, n, text);
	untagged_end(s);
}

/* RFC 3501 6.3.1: what must be told before the tagged OK. */
static void
describe(struct session *s)
{
	uint32_t unseen = view_first_unseen(s->view);

	updates_flags(s);
	updates_exists(s);
	if (unseen > 0)
		wire_code(s, "UNSEEN", unseen, "Ok");
	wire_code(s, "UIDVALIDITY", view_uidvalidity(s->view),
	    "Ok");
	wire_code(s, "UIDNEXT", view_uidnext(s->view), "Ok");
	updates_urlmech(s);
	urlkey_watch(s->mailbox, &s->key);
}

static enum result
choose(struct session *s, struct lex *l, bool readonly)
{
	struct span name;

	lex_space(l);
	struct span wire = lex_astring(l);
	if (!lex_end(l))
		return BAD;

	/* RFC 3501 6.3.1: a failing SELECT leaves nothing selected. */
	session_unselect(s);
	if (!session_name(s, wire, &name))
		return NO;
	enum store_result r = mailbox_open(s->store, name,
	    readonly ? RIGHT_READ : RIGHT_READ | RIGHT_WRITE, &s->mailbox);

	if (r == STORE_OK)
		r = view_open(s->mailbox, &s->view);
	if (r != STORE_OK) {
		session_unselect(s);
		return reply_store(s, r);
	}
	s->readonly = readonly;
	s->state = SEL;
	s->settle = !readonly;
	describe(s);
	buf_adds(&s->code, readonly ? "READ-ONLY" : "READ-WRITE");
	return reply_ok(s, readonly ? "Opened for reading." : "Opened.");
}

static enum result
cmd_select(struct session *s, struct lex *l)
{
	return choose(s, l, false);
}

static enum result
cmd_examine(struct session *s, struct lex *l)
{
	return choose(s, l, true);
}

static enum result
cmd_check(struct session *s, struct lex *l)
{
	if (!lex_end(l))
		return BAD;
	view_rescan(s->view);
	return reply_ok(s, "Checked.");
}

/* RFC 3501 6.4.2: expunges without telling. */
static enum result
cmd_close(struct session *s, struct lex *l)
{
	uint64_t modseq;

	if (!lex_end(l))
		return BAD;
	if (!s->readonly) {
		enum store_result r = view_expunge(s->view, NULL, &modseq);

		if (r != STORE_OK && r != STORE_CHANGED)
			return reply_store(s, r);
	}
	session_unselect(s);
	return reply_ok(s, "Closed.");
}

static enum result
cmd_unselect(struct session *s, struct lex *l)
{
	if (!lex_end(l))
		return BAD;
	session_unselect(s);
	return reply_ok(s, "Closed without expunging.");
}

const struct cmd cmds_select[] = {
	{ "SELECT", USER | FRESH, NULL, cmd_select },
	{ "EXAMINE", USER | FRESH, NULL, cmd_examine },
	{ "CHECK", SEL, NULL, cmd_check },
	{ "CLOSE", SEL, NULL, cmd_close },
	{ "UNSELECT", SEL, "UNSELECT", cmd_unselect },
	{ 0 }
};
