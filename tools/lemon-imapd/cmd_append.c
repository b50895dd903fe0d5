/* SPDX-License-Identifier: ISC */
/* APPEND, one message or several, all or nothing.  RFC 3501 6.3.11,
 * RFC 3502, RFC 3516 4.4, RFC 4315 3, RFC 7888. */

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "chores.h"
#include "session.h"
#include "store/draft.h"

enum { APPEND_MAX = 1000 };	/* messages in one command */

struct append {
	struct session *s;
	struct mailbox *mb;
	struct draft **draft;	/* [n], the last may be unfinished */
	size_t n, cap;
};

static void
append_free(struct append *a)
{
	for (size_t i = 0; i < a->n; i++)
		draft_free(a->draft[i]);
	free(a->draft);
	mailbox_close(a->mb);
}

/* RFC 3501 9: append = … [SP flag-list] [SP date-time] SP literal */
static void
parse_info(struct lex *l, struct draft_info *info,
    struct lex_literal *literal)
{
	*info = (struct draft_info){ .internaldate = INT64_MIN };
	if (lex_next(l, '(')) {
		struct flags f = lex_flags(l, false);

		/* FLAG_* and MSG_* are the same numbers. */
		info->flags = f.system;
		info->keyword = f.keyword;
		info->keywords = f.keywords;
		lex_space(l);
	}
	if (lex_next(l, '"')) {
		info->internaldate = lex_date_time(l);
		lex_space(l);
	}
	lex_announce(l, literal);
}

/* What can be said of a message before its first octet. */
static bool
acceptable(struct append *a, const struct lex_literal *literal)
{
	struct session *s = a->s;
	uint64_t max = s->message_max > 0 && s->message_max < UINT32_MAX ?
	    s->message_max : UINT32_MAX;

	/* RFC 3501 9: number, and so a literal and RFC822.SIZE, is below
	 * 2^32.  RFC 3502 6.3.11: a message without octets cancels the append. */
	if (literal->n == 0)
		reply_no(s, NULL, "A message has at least one octet.");
	else if (literal->n > max)
		reply_no(s, "TOOBIG", "That message is too big.");
	else if (a->n >= APPEND_MAX)
		reply_no(s, "LIMIT", "Too many messages at once.");
	else
		return true;
	return false;
}

/* Take the octets of the literal to the end, whatever becomes of them. */
static enum result
take(struct append *a, struct draft *d, bool binary)
{
	struct session *s = a->s;
	enum store_result r = STORE_OK;
	struct span some;
	bool nul = false;

	while ((some = reader_pull(&s->reader)).n > 0) {
		/* RFC 3501 9: CHAR8 = %x01-ff; RFC 3516 7: *OCTET */
		nul = nul || (!binary &&
		    memchr(some.p, '\0', some.n) != NULL);
		if (!nul && r == STORE_OK)
			r = draft_write(d, some);
	}
	if (!reader_pulled(&s->reader))
		return reply_bad(s, "The message did not come to its end.");
	if (nul)
		return reply_bad(s, "NUL in a literal");
	if (r == STORE_OK)
		r = draft_finish(d, NULL);
	return r == STORE_OK ? OK : reply_store(s, r);
}

/* One message: what precedes it, its octets, and the line after them. */
static enum result
one(struct append *a, struct lex *l)
{
	struct lex_literal literal;
	struct draft_info info;
	struct draft *d;

	parse_info(l, &info, &literal);
	if (!lex_ok(l))
		return BAD;
	if (!acceptable(a, &literal))
		return NO;
	enum store_result r = draft_open(a->mb, &info, &d);

	if (r != STORE_OK)
		return reply_store(a->s, r);
	if (a->n == a->cap) {
		a->cap = a->cap == 0 ? 4 : 2 * a->cap;
		a->draft = xrealloc(a->draft, a->cap * sizeof(*a->draft));
	}
	a->draft[a->n++] = d;
	reader_accept(&a->s->reader, &literal);
	enum result answer = take(a, d, literal.binary);

	if (answer == OK)
		reader_after(&a->s->reader, l);
	return answer;
}

/* RFC 4315 3: "APPENDUID" SP uidvalidity SP uid-set */
static enum result
place(struct append *a)
{
	uint32_t *uids = xcalloc(a->n, sizeof(*uids)), uidvalidity;
	struct session *s = a->s;
	enum store_result r = mailbox_place(a->mb, a->draft, a->n, false,
	    uids, &uidvalidity);

	if (r == STORE_OK) {
		buf_adds(&s->code, "APPENDUID ");
		buf_addu(&s->code, uidvalidity);
		buf_addc(&s->code, ' ');
		wire_numbers(&s->code, uids, a->n);
		s->count.appended += a->n;
	}
	free(uids);
	return r == STORE_OK ? reply_ok(s, "Appended.") :
	    reply_target(s, r);
}

static enum result
cmd_append(struct session *s, struct lex *l)
{
	struct append a = { .s = s };
	enum result answer = OK;
	struct span name;

	lex_space(l);
	struct span wire = lex_astring(l);
	lex_space(l);
	if (!lex_ok(l))
		return BAD;
	if (!session_name(s, wire, &name))
		return NO;
	enum store_result r = mailbox_open(s->store, name, RIGHT_WRITE,
	    &a.mb);

	/* RFC 3501 6.3.11: before the client sends the message, and never
	 * made by us. */
	if (r != STORE_OK)
		return reply_target(s, r);
	chores_make_room(s);
	do
		answer = one(&a, l);
	while (answer == OK && lex_try(l, ' '));
	if (answer == OK)
		answer = lex_end(l) ? place(&a) : BAD;
	append_free(&a);
	return answer;
}

const struct cmd cmds_append[] = {
	{ "APPEND", USER, "MULTIAPPEND", cmd_append },
	{ 0 }
};
