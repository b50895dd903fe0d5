/* SPDX-License-Identifier: ISC */
/* SEARCH and UID SEARCH.  RFC 3501 6.4.4. */

#include "imap/search.h"
#include "session.h"
#include "store/query.h"
#include "text/charset.h"

/* Turning what the client wrote into what the store is asked. */
struct turn {
	struct session *s;
	struct charset *charset;
	struct buf utf8;
	struct todo {
		const struct search_key *key;
		struct query *into;
	} *todo;		/* whose children are still to be turned */
	size_t n, cap;
	const char *error;
};

static const enum query_op ops[] = {
	[SEARCH_ALL] = QUERY_ALL, [SEARCH_AND] = QUERY_AND,
	[SEARCH_OR] = QUERY_OR, [SEARCH_NOT] = QUERY_NOT,
	[SEARCH_NUMBERS] = QUERY_UIDS, [SEARCH_UIDS] = QUERY_UIDS,
	[SEARCH_FLAG] = QUERY_FLAGS, [SEARCH_RECENT] = QUERY_UIDS,
	[SEARCH_KEYWORD] = QUERY_KEYWORD, [SEARCH_BEFORE] = QUERY_BEFORE,
	[SEARCH_ON] = QUERY_ON, [SEARCH_SINCE] = QUERY_SINCE,
	[SEARCH_SENTBEFORE] = QUERY_SENTBEFORE,
	[SEARCH_SENTON] = QUERY_SENTON,
	[SEARCH_SENTSINCE] = QUERY_SENTSINCE,
	[SEARCH_LARGER] = QUERY_LARGER, [SEARCH_SMALLER] = QUERY_SMALLER,
	[SEARCH_HEADER] = QUERY_HEADER, [SEARCH_ADDRESS] = QUERY_ADDRESS,
	[SEARCH_BODY] = QUERY_BODY, [SEARCH_TEXT] = QUERY_TEXT,
};

static struct span
text(struct turn *t, struct span in)
{
	buf_clear(&t->utf8);
	charset_decode(t->charset, in, &t->utf8);
	charset_decode_end(t->charset, &t->utf8);
	if (charset_failed(t->charset))
		t->error = "A string is not in the charset.";
	return arena_dup(&t->s->arena, buf_span(&t->utf8));
}

static const struct set *
uids(struct turn *t, const struct search_key *k)
{
	struct set *set;

	if (k->op == SEARCH_RECENT)
		return view_recent(t->s->view);
	if (!session_uids(t->s, &k->set, k->op == SEARCH_UIDS, &set))
		t->error = t->s->text;
	return set;
}

static struct query *
turn_one(struct turn *t, const struct search_key *k)
{
	struct query *q = arena_zero(&t->s->arena, sizeof *q);

	q->op = ops[k->op];
	q->flags = k->flag;
	q->number = k->number;
	q->name = k->name;
	if (q->op == QUERY_UIDS)
		q->uids = uids(t, k);
	else if (k->op == SEARCH_KEYWORD)
		q->text = k->text;
	else if (k->op >= SEARCH_BEFORE && k->op <= SEARCH_SENTSINCE)
		q->number = (uint64_t)k->day;
	else if (k->op >= SEARCH_HEADER)
		q->text = text(t, k->text);
	if (k->sub != NULL) {
		t->todo = arena_grow(&t->s->arena, t->todo, &t->cap, t->n + 1,
		    sizeof *t->todo);
		t->todo[t->n++] = (struct todo){ k, q };
	}
	return q;
}

/* The whole tree, however deep, without recursion. */
static struct query *
turn_all(struct turn *t, const struct search_key *key)
{
	struct query *top = turn_one(t, key);

	for (size_t i = 0; i < t->n && t->error == NULL; i++) {
		struct todo now = t->todo[i];
		struct query **last = &now.into->sub;

		for (const struct search_key *k = now.key->sub; k != NULL;
		    k = k->next) {
			*last = turn_one(t, k);
			last = &(*last)->next;
		}
	}
	return top;
}

/* RFC 3501 7.2.5; nothing but the word if nothing was found.  A form with
 * result options (RFC 4731) would be written here too.  All UIDs found are in
 * the view, so the numbers of a range of them are a range. */
static void
print(struct session *s, const struct set *hits, bool uid)
{
	untagged(s);
	out_adds(&s->out, "SEARCH");
	for (size_t i = 0; i < hits->n; i++) {
		const struct range *r = &hits->r[i];
		uint32_t n = uid ? r->lo : view_seq(s->view, r->lo);

		for (uint32_t k = 0; k <= r->hi - r->lo; k++) {
			out_addc(&s->out, ' ');
			out_addu(&s->out, n + k);
		}
	}
	untagged_end(s);
}

static enum result
search(struct session *s, struct lex *l, bool uid)
{
	struct turn t = { .s = s };
	struct search p;
	struct set *hits = session_set(s);

	search_parse(l, &p);
	if (!lex_end(l))
		return BAD;

	/* Octets above 127 without a charset can only be meant as UTF-8. */
	t.charset = charset_open(p.charset.p == NULL ? SPAN("utf-8") :
	    p.charset);
	if (t.charset == NULL || (p.charset.p != NULL && p.charset.n == 0)) {
		charset_close(t.charset);
		return reply_no(s, "BADCHARSET (US-ASCII UTF-8)",
		    "No such charset.");
	}
	s->numbers = p.numbers;
	struct query *q = turn_all(&t, p.key);

	charset_close(t.charset);
	buf_free(&t.utf8);
	if (t.error != NULL)
		return reply_bad(s, t.error);

	enum store_result r = view_search(s->view, q, session_tick, s, hits);

	if (r != STORE_OK)
		return reply_store(s, r);
	print(s, hits, uid);
	return reply_ok(s, "Searched.");
}

static enum result
cmd_search(struct session *s, struct lex *l)
{
	return search(s, l, false);
}

static enum result
cmd_uid_search(struct session *s, struct lex *l)
{
	return search(s, l, true);
}

const struct cmd cmds_search[] = {
	{ "SEARCH", SEL | NOEXPUNGE, NULL, cmd_search },
	{ "UID SEARCH", SEL, NULL, cmd_uid_search },
	{ 0 }
};
