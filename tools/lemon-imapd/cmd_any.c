/* SPDX-License-Identifier: ISC */
/* CAPABILITY, NOOP, LOGOUT and ID.  RFC 3501 6.1, RFC 2971. */

#include "base/log.h"
#include "commands.h"

static enum result
cmd_capability(struct session *s, struct lex *l)
{
	struct buf list = { 0 };

	if (!lex_end(l))
		return BAD;
	capability_list(s, &list);
	untagged(s);
	out_adds(&s->out, "CAPABILITY ");
	out_add(&s->out, buf_span(&list));
	untagged_end(s);
	buf_free(&list);
	return reply_ok(s, "That is all.");
}

/* The answer is what the command loop tells after every command. */
static enum result
cmd_noop(struct session *s, struct lex *l)
{
	if (!lex_end(l))
		return BAD;
	if (s->view != NULL)
		view_rescan(s->view);
	return reply_ok(s, "Done.");
}

static enum result
cmd_logout(struct session *s, struct lex *l)
{
	if (!lex_end(l))
		return BAD;
	session_unselect(s);
	session_bye(s, "logout", "Good bye.");
	return reply_ok(s, "Logged out.");
}

/* RFC 2971 3: at most 30 pairs; names up to 30 octets, values up to 1024. */
static enum result
cmd_id(struct session *s, struct lex *l)
{
	struct span name = { 0 }, value;
	unsigned pairs = 0;

	lex_space(l);
	if (!lex_word(l, "NIL")) {
		lex_open(l);
		while (lex_ok(l) && !lex_next(l, ')')) {
			if (pairs++ > 0)
				lex_space(l);
			struct span key = lex_string(l);
			lex_space(l);
			value = lex_nstring(l);
			if (pairs > 30 || key.n > 30 || value.n > 1024)
				lex_fail(l, "Too much identity");
			if (span_ieq(key, SPAN("name")))
				name = value;
		}
		lex_close(l);
	}
	if (!lex_end(l))
		return BAD;
	struct log line;

	log_begin(&line, "id");
	log_kv(&line, "user", span_str(s->mail.account.name));
	log_ks(&line, "rip", peer_shown(&s->peer));
	log_kv(&line, "client", name);
	log_end(&line);
	out_adds(&s->out, "* ID (\"name\" \"lemon\")\r\n");
	return reply_ok(s, "Pleased to meet you.");
}

const struct cmd cmds_any[] = {
	{ "CAPABILITY", ANY, NULL, cmd_capability },
	{ "NOOP", ANY, NULL, cmd_noop },
	{ "LOGOUT", ANY, NULL, cmd_logout },
	{ "ID", ANY, "ID", cmd_id },
	{ 0 }
};
