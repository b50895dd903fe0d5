/* SPDX-License-Identifier: ISC */
#include "session.h"

enum result
reply_ok(struct session *s, const char *text)
{
	s->text = text;
	return OK;
}

enum result
reply_no(struct session *s, const char *code, const char *text)
{
	buf_clear(&s->code);
	if (code != NULL)
		buf_adds(&s->code, code);
	s->text = text;
	return NO;
}

enum result
reply_bad(struct session *s, const char *text)
{
	buf_clear(&s->code);
	s->text = text;
	return BAD;
}

/* RFC 5530 3, and HASCHILDREN of RFC 9051 7.1. */
static const char *
code_of(enum store_result r)
{
	switch (r) {
	case STORE_NONEXISTENT:
	case STORE_CHANGED:
		return "NONEXISTENT";
	case STORE_EXISTS:
		return "ALREADYEXISTS";
	case STORE_CANNOT:
		return "CANNOT";
	case STORE_INUSE:
		return "INUSE";
	case STORE_HASCHILDREN:
		return "HASCHILDREN";
	case STORE_FULL:
		return "OVERQUOTA";
	case STORE_LIMIT:
		return "LIMIT";
	case STORE_EXPUNGED:
		return "EXPUNGEISSUED";
	case STORE_DENIED:
		return "NOPERM";
	default:
		return "UNAVAILABLE";
	}
}

enum result
reply_store(struct session *s, enum store_result r)
{
	if (r == STORE_ERROR || r == STORE_DENIED || r == STORE_FULL)
		session_warn(s, s->cmd ? s->cmd->name : "login");
	return reply_no(s, code_of(r), store_text(r));
}

enum result
reply_target(struct session *s, enum store_result r)
{
	if (r == STORE_NONEXISTENT)
		return reply_no(s, "TRYCREATE", "No such mailbox.");
	return reply_store(s, r);
}

void
untagged(struct session *s)
{
	out_adds(&s->out, "* ");
}

void
untagged_end(struct session *s)
{
	out_adds(&s->out, "\r\n");
}
