/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "chores.h"
#include "commands.h"
#include "net/trace.h"
#include "stop.h"

enum {
	LOGIN_ALL = 3,			/* times login_ms, from the greeting */
	LAST_WORDS_MS = 5 * 1000,	/* to be told that it was too slow */
	MISTAKES_MAX = 10,
	COMMANDS_MAX = 100		/* whatever they are, before login */
};

static void
set_deadline(struct session *s)
{
	int64_t now = clock_ms();

	int64_t all = s->started + LOGIN_ALL * s->login_ms;

	s->reader.patience = s->state == ANON ? 0 : s->idle_ms;
	s->in.deadline = now + (s->state == ANON ? s->login_ms : s->idle_ms);
	if (s->state == ANON && s->in.deadline > all)
		s->in.deadline = all;
	/* A client that reads an octet now and then is slow as well. */
	s->out.deadline = s->state == ANON ?
	    s->in.deadline + LAST_WORDS_MS : 0;
}

/* The command's name, "UID FETCH" as one. */
static struct span
command_name(struct session *s, struct lex *l)
{
	struct span name = lex_atom(l);

	if (!span_ieq(name, SPAN("UID")))
		return name;
	struct buf both = { 0 };

	lex_space(l);
	buf_adds(&both, "UID ");
	buf_add(&both, lex_atom(l));
	name = arena_dup(&s->arena, buf_span(&both));
	buf_free(&both);
	return name;
}

static const char *
wrong_state(const struct session *s)
{
	if (s->state == ANON)
		return "Log in first.";
	if (s->cmd->when & ANON)
		return "Already logged in.";
	return "Select a mailbox first.";
}

/* Empty if what stands there is none. */
static struct span
read_tag(struct lex *l)
{
	struct span tag = lex_tag(l);

	return lex_ok(l) && (l->in.n == 0 || lex_next(l, ' ')) ? tag :
	    SPAN("");
}

static enum result
run(struct session *s, struct lex *l)
{
	s->tag = read_tag(l);
	lex_space(l);
	struct span name = command_name(s, l);

	if (!lex_ok(l))
		return BAD;
	s->cmd = command_find(name);
	if (s->cmd == NULL)
		return reply_bad(s, "No such command.");
	if (!(s->cmd->when & s->state))
		return reply_bad(s, wrong_state(s));
	return s->cmd->run(s, l);
}

/* RFC 3501 7.1: without a tag that could be read, BAD is untagged. */
static void
answer(struct session *s, enum result r, const char *error)
{
	static const char *const words[] = { "OK", "NO", "BAD" };
	const char *text = s->text ? s->text : error ? error : "Wrong.";

	out_add(&s->out, s->tag.n > 0 ? s->tag : SPAN("*"));
	out_addc(&s->out, ' ');
	out_adds(&s->out, words[r]);
	out_addc(&s->out, ' ');
	if (s->code.n > 0) {
		out_addc(&s->out, '[');
		out_add(&s->out, buf_span(&s->code));
		out_adds(&s->out, "] ");
	}
	out_adds(&s->out, text);
	out_adds(&s->out, "\r\n");
}

static void
ended(struct session *s)
{
	if (stop_asked())
		session_bye(s, "stopped", "The server is going down.");
	else if (s->in.state == STREAM_TIMEOUT)
		session_bye(s, "timeout", s->state == ANON ?
		    "Too slow." : "Idle for too long.");
	else if (s->bye == NULL)
		s->bye = s->in.state == STREAM_EOF ? "eof" : "error";
	s->closing = true;
}

bool
command_next(struct session *s)
{
	const char *why = NULL;
	struct lex l;
	enum result r = BAD;

	session_reset(s);
	if (stop_asked()) {
		ended(s);
		return false;
	}
	set_deadline(s);
	enum reader_result got = reader_command(&s->reader, &l, &why);

	if (got == READER_END) {
		ended(s);
		return false;
	}
	s->count.commands++;
	if (got == READER_BAD) {
		s->tag = read_tag(&l);
		lex_fail(&l, why);
	} else
		r = run(s, &l);
	/* Whatever it was, there may be a password in it. */
	if (r == BAD && (s->state == ANON || got == READER_BAD ||
	    (s->cmd != NULL && s->cmd->when == ANON)))
		trace_redact(s->in.trace, 0);
	if (r == ANSWERED)
		return !s->closing;
	if (s->state == ANON && r == BAD && ++s->mistakes >= MISTAKES_MAX)
		session_bye(s, "mistakes", "Too many mistakes.");
	else if (s->state == ANON && s->count.commands >= COMMANDS_MAX)
		session_bye(s, "commands", "Too many commands.");
	if (!s->closing && !reader_finish(&s->reader)) {
		if (s->in.state != STREAM_OK) {
			ended(s);
			return false;
		}
		session_bye(s, "too-big", "That literal is too big.");
	}
	if (r != BAD && s->cmd != NULL && !(s->cmd->when & FRESH))
		session_updates(s, !(s->cmd->when & NOEXPUNGE) &&
		    !s->numbers);
	answer(s, r, l.error);
	chores(s);
	return !s->closing;
}
