/* SPDX-License-Identifier: ISC */
/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE and STATUS.
 * RFC 3501 6.3.3 to 6.3.7 and 6.3.10. */

#include "session.h"

/* The one argument of most of these. */
static bool
mailbox(struct session *s, struct lex *l, struct span *name,
    enum result *answer)
{
	lex_space(l);
	struct span wire = lex_astring(l);

	*answer = BAD;
	if (!lex_end(l))
		return false;
	*answer = NO;
	return session_name(s, wire, name);
}

static enum result
cmd_create(struct session *s, struct lex *l)
{
	enum result answer;
	struct span name;

	if (!mailbox(s, l, &name, &answer))
		return answer;
	enum store_result r = store_create(s->store, name);

	return r == STORE_OK ? reply_ok(s, "Created.") : reply_store(s, r);
}

static enum result
cmd_delete(struct session *s, struct lex *l)
{
	enum result answer;
	struct span name;

	if (!mailbox(s, l, &name, &answer))
		return answer;
	enum store_result r = store_delete(s->store, name);

	return r == STORE_OK ? reply_ok(s, "Deleted.") : reply_store(s, r);
}

static enum result
cmd_rename(struct session *s, struct lex *l)
{
	struct span from, to;

	lex_space(l);
	struct span wire_from = lex_astring(l);
	lex_space(l);
	struct span wire_to = lex_astring(l);
	if (!lex_end(l))
		return BAD;

	if (!session_name(s, wire_from, &from) ||
	    !session_name(s, wire_to, &to))
		return NO;
	enum store_result r = store_rename(s->store, from, to);

	return r == STORE_OK ? reply_ok(s, "Renamed.") : reply_store(s, r);
}

static enum result
subscribe(struct session *s, struct lex *l, bool on)
{
	enum result answer;
	struct span name;

	if (!mailbox(s, l, &name, &answer))
		return answer;
	enum store_result r = store_subscribe(s->store, name, on);

	if (r != STORE_OK)
		return reply_store(s, r);
	return reply_ok(s, on ? "Subscribed." : "Unsubscribed.");
}

static enum result
cmd_subscribe(struct session *s, struct lex *l)
{
	return subscribe(s, l, true);
}

static enum result
cmd_unsubscribe(struct session *s, struct lex *l)
{
	return subscribe(s, l, false);
}

/* What STATUS can tell, and where it is. */
enum { MESSAGES, RECENT, UIDNEXT, UIDVALIDITY, UNSEEN, ITEMS };

static const char *const items[ITEMS] = {
	"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN"
};

/* "(MESSAGES UNSEEN)" as bits. */
static unsigned
status_items(struct lex *l)
{
	unsigned want = 0;

	lex_open(l);
	do {
		struct span item = lex_atom(l);
		size_t i = 0;

		while (i < ITEMS && !span_ieq(item, span_str(items[i])))
			i++;
		if (i < ITEMS)
			want |= 1u << i;
		else
			lex_fail(l, "STATUS knows no such item");
	} while (lex_try(l, ' '));
	lex_close(l);
	return want;
}

static void
status_line(struct session *s, struct span name, unsigned want,
    const struct mailbox_status *st)
{
	const uint32_t value[ITEMS] = { st->messages, st->recent,
	    st->uidnext, st->uidvalidity, st->unseen };
	const char *between = "";

	untagged(s);
	out_adds(&s->out, "STATUS ");
	wire_mailbox(s, name);
	out_adds(&s->out, " (");
	for (size_t i = 0; i < ITEMS; i++) {
		if (!(want & 1u << i))
			continue;
		out_adds(&s->out, between);
		out_adds(&s->out, items[i]);
		out_addc(&s->out, ' ');
		out_addu(&s->out, value[i]);
		between = " ";
	}
	out_addc(&s->out, ')');
	untagged_end(s);
}

static enum result
cmd_status(struct session *s, struct lex *l)
{
	struct mailbox *mb = NULL;
	struct mailbox_status st;
	struct span name;

	lex_space(l);
	struct span wire = lex_astring(l);
	lex_space(l);
	unsigned want = status_items(l);
	if (!lex_end(l))
		return BAD;

	if (!session_name(s, wire, &name))
		return NO;
	enum store_result r = mailbox_open(s->store, name, RIGHT_READ, &mb);

	if (r == STORE_OK) {
		r = mailbox_status(mb, &st);
		mailbox_close(mb);
	}
	if (r != STORE_OK)
		return reply_store(s, r);
	status_line(s, name, want, &st);
	return reply_ok(s, "That is it.");
}

const struct cmd cmds_mailbox[] = {
	{ "CREATE", USER, NULL, cmd_create },
	{ "DELETE", USER, NULL, cmd_delete },
	{ "RENAME", USER, NULL, cmd_rename },
	{ "SUBSCRIBE", USER, NULL, cmd_subscribe },
	{ "UNSUBSCRIBE", USER, NULL, cmd_unsubscribe },
	{ "STATUS", USER, NULL, cmd_status },
	{ 0 }
};
