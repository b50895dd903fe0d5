/* SPDX-License-Identifier: ISC */
/* COPY and MOVE.  RFC 3501 6.4.7, RFC 4315 3, RFC 6851. */

#include <stdlib.h>

#include "session.h"

/* RFC 4315 3: "COPYUID" SP uidvalidity SP uid-set SP uid-set */
static void
copyuid(struct buf *to, const struct copied *done)
{
	buf_adds(to, "COPYUID ");
	buf_addu(to, done->uidvalidity);
	buf_addc(to, ' ');
	wire_numbers(to, done->from, done->n);
	buf_addc(to, ' ');
	wire_numbers(to, done->to, done->n);
}

/* RFC 6851 4.3: before the EXPUNGE responses, which the command loop
 * sends. */
static void
report_moved(struct session *s, const struct copied *done)
{
	struct buf line = { 0 };

	copyuid(&line, done);
	out_adds(&s->out, "* OK [");
	out_add(&s->out, buf_span(&line));
	out_adds(&s->out, "] Moved.\r\n");
	buf_free(&line);
}

static enum result
report(struct session *s, enum store_result r, const struct copied *done,
    bool move)
{
	/* Of a MOVE that fails some may be done. */
	if (move && done->n > 0)
		report_moved(s, done);
	if (r != STORE_OK)
		return reply_store(s, r);
	if (done->n == 0)
		return reply_ok(s, "There was nothing to do.");
	if (!move)
		copyuid(&s->code, done);
	return reply_ok(s, move ? "Moved." : "Copied.");
}

static bool
is_there(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	bool *all = arg;

	(void)seq, (void)digest;
	*all = m->object != 0;
	return *all;
}

/* RFC 3501 6.4.7: all or nothing; the client has not heard yet that one of
 * its sequence numbers is no message's any more. */
static bool
all_there(struct session *s, const struct set *uids)
{
	bool all = true;

	view_each(s->view, uids, 0, is_there, &all);
	return all;
}

static enum result
transfer(struct session *s, struct lex *l, bool uid, bool move)
{
	struct copied done = { 0 };
	struct mailbox *to = NULL;
	struct set *uids;
	struct span name;

	lex_space(l);
	struct seqset q = lex_seqset(l);
	lex_space(l);
	struct span wire = lex_astring(l);
	if (!lex_end(l))
		return BAD;

	if (!session_uids(s, &q, uid, &uids))
		return BAD;
	if (move && s->readonly)
		return reply_no(s, NULL, "The mailbox is open for reading.");
	if (!session_name(s, wire, &name))
		return NO;
	enum store_result r = mailbox_open(s->store, name, RIGHT_WRITE, &to);

	if (r != STORE_OK)
		return reply_target(s, r);
	if (!uid && !move && !all_there(s, uids)) {
		mailbox_close(to);
		return reply_no(s, "EXPUNGEISSUED",
		    "Some of the messages are gone.");
	}
	r = view_copy(s->view, uids, to, move, &done);
	mailbox_close(to);
	enum result answer = report(s, r, &done, move);

	free(done.from);
	free(done.to);
	return answer;
}

static enum result
cmd_copy(struct session *s, struct lex *l)
{
	return transfer(s, l, false, false);
}

static enum result
cmd_uid_copy(struct session *s, struct lex *l)
{
	return transfer(s, l, true, false);
}

static enum result
cmd_move(struct session *s, struct lex *l)
{
	return transfer(s, l, false, true);
}

static enum result
cmd_uid_move(struct session *s, struct lex *l)
{
	return transfer(s, l, true, true);
}

const struct cmd cmds_copy[] = {
	{ "COPY", SEL, NULL, cmd_copy },
	{ "UID COPY", SEL, NULL, cmd_uid_copy },
	{ "MOVE", SEL, "MOVE", cmd_move },
	{ "UID MOVE", SEL, "MOVE", cmd_uid_move },
	{ 0 }
};
