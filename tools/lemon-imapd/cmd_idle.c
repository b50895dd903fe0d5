/* SPDX-License-Identifier: ISC */
/* IDLE.  RFC 2177. */

#include "base/clock.h"
#include "chores.h"
#include "session.h"
#include "store/bell.h"

enum { TICK_MS = 30 * 1000 };	/* a look at the directory for its own sake */

/* Look, and tell.  rescan: at the directory, not at the index only. */
static void
look(struct session *s, bool rescan)
{
	if (s->view == NULL)
		return;
	session_updates(s, true);
	if (!rescan)
		return;
	out_flush(&s->out);
	view_rescan(s->view);
	session_updates(s, true);
}

/* Tell until the client says something or was silent for too long. */
static bool
wait(struct session *s)
{
	static const int none[2] = { -1, -1 };
	const int *fds = s->bell != NULL ? bell_fds(s->bell) : none;

	for (;;) {
		int64_t left = s->in.deadline - clock_ms();

		chores(s);
		if (left <= 0 || s->closing || s->out.state != STREAM_OK)
			return false;
		unsigned woke = in_wait(&s->in, fds, 2,
		    left < TICK_MS ? left : TICK_MS);

		if (s->bell != NULL && woke != 1)
			bell_heard(s->bell);
		if (woke != 1)
			look(s, woke == 0 || woke & 4);
		if (woke & 1)
			return true;
	}
}

static enum result
finish(struct session *s)
{
	struct span line;
	const char *why = NULL;
	enum reader_result got = reader_line(&s->reader, &line, &why);

	if (got == READER_END)		/* the command loop says why */
		return ANSWERED;
	if (got == READER_OK && span_ieq(line, SPAN("DONE")))
		return reply_ok(s, "Idled.");
	return reply_bad(s, why ? why : "Expected DONE.");
}

static enum result
cmd_idle(struct session *s, struct lex *l)
{
	if (!lex_end(l))
		return BAD;
	/* Without a bell the tick still hears everything, only later. */
	if (s->view != NULL)
		bell_open(s->store, s->mailbox, &s->bell);
	look(s, true);
	out_adds(&s->out, "+ idling\r\n");
	bool said = wait(s);

	bell_close(s->bell);
	s->bell = NULL;
	if (!said && !s->closing) {
		session_bye(s, "timeout", "Idle for too long.");
		return ANSWERED;
	}
	return finish(s);
}

const struct cmd cmds_idle[] = {
	{ "IDLE", USER, "IDLE", cmd_idle },
	{ 0 }
};
