/* SPDX-License-Identifier: ISC */
/* EXPUNGE and UID EXPUNGE.  RFC 3501 6.4.3, RFC 4315 2.1. */

#include "session.h"

static enum result
expunge(struct session *s, const struct set *uids)
{
	uint64_t modseq;

	if (s->readonly)
		return reply_no(s, NULL, "The mailbox is open for reading.");
	enum store_result r = view_expunge(s->view, uids, &modseq);

	if (r != STORE_OK)
		return reply_store(s, r);
	return reply_ok(s, "Expunged.");
}

static enum result
cmd_expunge(struct session *s, struct lex *l)
{
	if (!lex_end(l))
		return BAD;
	return expunge(s, NULL);
}

static enum result
cmd_uid_expunge(struct session *s, struct lex *l)
{
	struct set *uids;

	lex_space(l);
	struct seqset q = lex_seqset(l);
	if (!lex_end(l))
		return BAD;
	if (!session_uids(s, &q, true, &uids))
		return BAD;
	return expunge(s, uids);
}

const struct cmd cmds_expunge[] = {
	{ "EXPUNGE", SEL, NULL, cmd_expunge },
	{ "UID EXPUNGE", SEL, "UIDPLUS", cmd_uid_expunge },
	{ 0 }
};
