/* SPDX-License-Identifier: ISC */
#include "imap/search.h"

/* What stands after the name of a key. */
enum argument { NOTHING, STRING, DATE, NUMBER, ATOM, FIELD, SET, KEY,
	TWO_KEYS };

/* RFC 3501 9, search-key.  not: what the row says, negated. */
static const struct row {
	const char *name;
	enum search_op op;
	enum argument argument;
	uint32_t flag;
	bool not;
	const char *field;
} rows[] = {
	{ "ALL", SEARCH_ALL, NOTHING, 0, false, NULL },
	{ "ANSWERED", SEARCH_FLAG, NOTHING, FLAG_ANSWERED, false, NULL },
	{ "BCC", SEARCH_ADDRESS, STRING, 0, false, "Bcc" },
	{ "BEFORE", SEARCH_BEFORE, DATE, 0, false, NULL },
	{ "BODY", SEARCH_BODY, STRING, 0, false, NULL },
	{ "CC", SEARCH_ADDRESS, STRING, 0, false, "Cc" },
	{ "DELETED", SEARCH_FLAG, NOTHING, FLAG_DELETED, false, NULL },
	{ "DRAFT", SEARCH_FLAG, NOTHING, FLAG_DRAFT, false, NULL },
	{ "FLAGGED", SEARCH_FLAG, NOTHING, FLAG_FLAGGED, false, NULL },
	{ "FROM", SEARCH_ADDRESS, STRING, 0, false, "From" },
	{ "HEADER", SEARCH_HEADER, FIELD, 0, false, NULL },
	{ "KEYWORD", SEARCH_KEYWORD, ATOM, 0, false, NULL },
	{ "LARGER", SEARCH_LARGER, NUMBER, 0, false, NULL },
	{ "NOT", SEARCH_NOT, KEY, 0, false, NULL },
	{ "OLD", SEARCH_RECENT, NOTHING, 0, true, NULL },
	{ "ON", SEARCH_ON, DATE, 0, false, NULL },
	{ "OR", SEARCH_OR, TWO_KEYS, 0, false, NULL },
	{ "RECENT", SEARCH_RECENT, NOTHING, 0, false, NULL },
	{ "SEEN", SEARCH_FLAG, NOTHING, FLAG_SEEN, false, NULL },
	{ "SENTBEFORE", SEARCH_SENTBEFORE, DATE, 0, false, NULL },
	{ "SENTON", SEARCH_SENTON, DATE, 0, false, NULL },
	{ "SENTSINCE", SEARCH_SENTSINCE, DATE, 0, false, NULL },
	{ "SINCE", SEARCH_SINCE, DATE, 0, false, NULL },
	{ "SMALLER", SEARCH_SMALLER, NUMBER, 0, false, NULL },
	{ "SUBJECT", SEARCH_HEADER, STRING, 0, false, "Subject" },
	{ "TEXT", SEARCH_TEXT, STRING, 0, false, NULL },
	{ "TO", SEARCH_ADDRESS, STRING, 0, false, "To" },
	{ "UID", SEARCH_UIDS, SET, 0, false, NULL },
	{ "UNANSWERED", SEARCH_FLAG, NOTHING, FLAG_ANSWERED, true, NULL },
	{ "UNDELETED", SEARCH_FLAG, NOTHING, FLAG_DELETED, true, NULL },
	{ "UNDRAFT", SEARCH_FLAG, NOTHING, FLAG_DRAFT, true, NULL },
	{ "UNFLAGGED", SEARCH_FLAG, NOTHING, FLAG_FLAGGED, true, NULL },
	{ "UNKEYWORD", SEARCH_KEYWORD, ATOM, 0, true, NULL },
	{ "UNSEEN", SEARCH_FLAG, NOTHING, FLAG_SEEN, true, NULL },
};

/* A key that waits for the keys in it. */
struct open {
	struct search_key *key, **last;
	uint32_t wants;			/* keys still to come; LIST: any */
	struct open *up;
};

enum { LIST = UINT32_MAX };

struct parse {
	struct lex *l;
	struct search *to;
	struct open *top;
	size_t keys;
};

static struct search_key *
new_key(struct parse *p, enum search_op op)
{
	struct search_key *k = arena_zero(p->l->arena, sizeof *k);

	k->op = op;
	if (++p->keys > SEARCH_KEYS_MAX)
		lex_fail(p->l, "Too many search keys");
	return k;
}

static struct search_key *
negate(struct parse *p, struct search_key *k)
{
	struct search_key *n = new_key(p, SEARCH_NOT);

	n->sub = k;
	return n;
}

/* RFC 3501 6.4.4: NEW is "(RECENT UNSEEN)". */
static struct search_key *
new_messages(struct parse *p)
{
	struct search_key *both = new_key(p, SEARCH_AND);
	struct search_key *seen = new_key(p, SEARCH_FLAG);

	seen->flag = FLAG_SEEN;
	both->sub = new_key(p, SEARCH_RECENT);
	both->sub->next = negate(p, seen);
	return both;
}

/* The next key becomes part of the open one. */
static void
attach(struct parse *p, struct search_key *k)
{
	*p->top->last = k;
	p->top->last = &k->next;
	if (p->top->wants != LIST)
		p->top->wants--;
}

static void
open_key(struct parse *p, struct search_key *k, uint32_t wants)
{
	struct open *o = arena_zero(p->l->arena, sizeof *o);

	o->key = k;
	o->last = &k->sub;
	o->wants = wants;
	o->up = p->top;
	p->top = o;
}

static void
argument(struct parse *p, const struct row *r, struct search_key *k)
{
	struct lex *l = p->l;

	lex_space(l);
	switch (r->argument) {
	case NOTHING:
	case KEY:
	case TWO_KEYS:
		break;
	case FIELD:
		k->name = lex_astring(l);
		lex_space(l);
		/* FALLTHROUGH */
	case STRING:
		k->text = lex_astring(l);
		break;
	case DATE:
		k->day = lex_date(l);
		break;
	case NUMBER:
		k->number = lex_number64(l);
		break;
	case ATOM:
		k->text = lex_atom(l);
		break;
	case SET:
		k->set = lex_seqset(l);
		break;
	}
}

static const struct row *
find_row(struct span name)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (span_ieq(span_str(rows[i].name), name))
			return &rows[i];
	return NULL;
}

static void
named_key(struct parse *p)
{
	struct span name = lex_name(p->l);
	const struct row *r = find_row(name);
	struct search_key *k;

	if (span_ieq(name, SPAN("NEW"))) {
		attach(p, new_messages(p));
		return;
	}
	if (r == NULL) {
		lex_fail(p->l, "No such search key");
		return;
	}
	k = new_key(p, r->op);
	k->flag = r->flag;
	k->name = span_str(r->field);
	if (r->argument != NOTHING)
		argument(p, r, k);
	attach(p, r->not ? negate(p, k) : k);
	if (r->argument == KEY || r->argument == TWO_KEYS)
		open_key(p, k, r->argument == KEY ? 1 : 2);
}

static void
sequence(struct parse *p)
{
	struct search_key *k = new_key(p, SEARCH_NUMBERS);

	k->set = lex_seqset(p->l);
	p->to->numbers = true;
	attach(p, k);
}

/* The beginning of one key: a whole one, or one that is now open. */
static void
key(struct parse *p)
{
	struct lex *l = p->l;

	if (lex_next(l, '(')) {
		struct search_key *k = new_key(p, SEARCH_AND);

		lex_open(l);
		attach(p, k);
		open_key(p, k, LIST);
	} else if (lex_next(l, '*') ||
	    (l->in.n > 0 && ascii_digit(l->in.p[0])))
		sequence(p);
	else
		named_key(p);
}

/* Close what has all its keys. */
static void
finish(struct parse *p)
{
	struct lex *l = p->l;

	while (p->top->up != NULL) {
		if (p->top->wants == LIST && p->top->key->sub != NULL &&
		    lex_next(l, ')'))
			lex_close(l);
		else if (p->top->wants != 0)
			break;
		p->top = p->top->up;
	}
}

static void
charset(struct parse *p)
{
	struct lex *l = p->l;
	struct lex before = *l;

	/* RFC 3501 9: search = "SEARCH" [SP "CHARSET" SP astring] … */
	lex_space(l);
	if (!lex_word(l, "CHARSET")) {
		*l = before;
		return;
	}
	lex_space(l);
	p->to->charset = lex_astring(l);
}

void
search_parse(struct lex *l, struct search *to)
{
	struct parse p = { .l = l, .to = to };

	*to = (struct search){ .key = new_key(&p, SEARCH_AND) };
	charset(&p);
	open_key(&p, to->key, LIST);
	do {
		/* After NOT and OR their space is read already, after "("
		 * comes none. */
		bool begun = p.top->up != NULL && p.top->key->sub == NULL;

		if (!begun)
			lex_space(l);
		key(&p);
		if (p.top->up != NULL && p.top->key->sub == NULL)
			continue;
		finish(&p);
	} while (lex_ok(l) && (p.top->up != NULL || l->in.n > 0));
	if (!lex_ok(l))
		to->key->sub = NULL;
}
