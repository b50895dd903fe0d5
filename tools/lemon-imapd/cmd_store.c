/* SPDX-License-Identifier: ISC */
/* STORE and UID STORE.  RFC 3501 6.4.6. */

#include "updates.h"

/* RFC 3501 9: store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) … */
static bool
store_name(struct lex *l, enum flag_op *op)
{
	*op = FLAGS_SET;
	if (lex_try(l, '+'))
		*op = FLAGS_ADD;
	else if (lex_try(l, '-'))
		*op = FLAGS_REMOVE;
	struct span name = lex_name(l);

	if (span_ieq(name, SPAN("FLAGS.SILENT")))
		return true;
	if (!span_ieq(name, SPAN("FLAGS")))
		lex_fail(l, "No such STORE item");
	return false;
}

static enum result
store(struct session *s, struct lex *l, bool uid)
{
	struct flag_change c = { .unchangedsince = UINT64_MAX };
	struct set *uids, *done = session_set(s), *failed = session_set(s);
	uint64_t modseq;

	lex_space(l);
	struct seqset q = lex_seqset(l);
	lex_space(l);
	bool silent = store_name(l, &c.op);
	lex_space(l);
	struct flags f = lex_flags(l, true);
	if (!lex_end(l))
		return BAD;

	if (!session_uids(s, &q, uid, &uids))
		return BAD;
	if (s->readonly)
		return reply_no(s, NULL, "The mailbox is open for reading.");
	c.flags = f.system;
	c.keyword = f.keyword;
	c.keywords = f.keywords;
	enum store_result r = view_store(s->view, uids, &c, done, failed,
	    &modseq);

	if (r != STORE_OK) {
		/* Of many, some may have been done before (RFC 3501 6.4.6:
		 * the client is told how they are). */
		updates_fetch_flags(s, uids);
		return reply_store(s, r);
	}
	updates_keywords(s);
	if (!silent)
		r = updates_fetch_flags(s, done);
	if (r != STORE_OK)
		return reply_store(s, r);
	/* All of uids are in the view, if they were sequence numbers. */
	if (!uid && set_count(done) < set_count(uids))
		return reply_no(s, "EXPUNGEISSUED",
		    "Some of the messages are gone.");
	return reply_ok(s, "Stored.");
}

static enum result
cmd_store(struct session *s, struct lex *l)
{
	return store(s, l, false);
}

static enum result
cmd_uid_store(struct session *s, struct lex *l)
{
	return store(s, l, true);
}

const struct cmd cmds_store[] = {
	{ "STORE", SEL | NOEXPUNGE, NULL, cmd_store },
	{ "UID STORE", SEL, NULL, cmd_uid_store },
	{ 0 }
};
