/* SPDX-License-Identifier: ISC */
#include "imap/search.h"

#include <stdlib.h>

#include "../../t.h"

static const char *const words[] = {
	[SEARCH_ALL] = "all", [SEARCH_AND] = "and", [SEARCH_OR] = "or",
	[SEARCH_NOT] = "not", [SEARCH_NUMBERS] = "seq", [SEARCH_UIDS] = "uid",
	[SEARCH_FLAG] = "flag", [SEARCH_RECENT] = "recent",
	[SEARCH_KEYWORD] = "keyword", [SEARCH_BEFORE] = "before",
	[SEARCH_ON] = "on", [SEARCH_SINCE] = "since",
	[SEARCH_SENTBEFORE] = "sentbefore", [SEARCH_SENTON] = "senton",
	[SEARCH_SENTSINCE] = "sentsince", [SEARCH_LARGER] = "larger",
	[SEARCH_SMALLER] = "smaller", [SEARCH_HEADER] = "header",
	[SEARCH_ADDRESS] = "address", [SEARCH_BODY] = "body",
	[SEARCH_TEXT] = "text",
};

/* The tree as one reads it; only small ones. */
static void
print(const struct search_key *k, struct buf *b)
{
	buf_adds(b, words[k->op]);
	for (size_t i = 0; i < k->set.n; i++)
		buf_addf(b, "%s%u:%u", i == 0 ? " " : ",",
		    (unsigned)k->set.r[i].lo, (unsigned)k->set.r[i].hi);
	if (k->op == SEARCH_FLAG)
		buf_addf(b, " %u", (unsigned)k->flag);
	if (k->op >= SEARCH_BEFORE && k->op <= SEARCH_SENTSINCE)
		buf_addf(b, " %ld", (long)k->day);
	if (k->op == SEARCH_LARGER || k->op == SEARCH_SMALLER)
		buf_addf(b, " %lu", (unsigned long)k->number);
	if (k->op == SEARCH_HEADER || k->op == SEARCH_ADDRESS) {
		buf_addc(b, ' ');
		buf_add(b, k->name);
	}
	if (k->op >= SEARCH_HEADER || k->op == SEARCH_KEYWORD) {
		buf_adds(b, " '");
		buf_add(b, k->text);
		buf_addc(b, '\'');
	}
	if (k->op < SEARCH_AND || k->op > SEARCH_NOT)
		return;
	buf_addc(b, '(');
	for (const struct search_key *s = k->sub; s != NULL; s = s->next) {
		print(s, b);
		if (s->next != NULL)
			buf_adds(b, ", ");
	}
	buf_addc(b, ')');
}

static const struct {
	const char *in, *want;	/* NULL: a mistake */
} row[] = {
	/* RFC 3501 6.4.4 */
	{ " FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
	    "and(flag 4, since 8797, not(address From 'Smith'))" },
	{ " TEXT \"string not in mailbox\"",
	    "and(text 'string not in mailbox')" },
	/* Every key. */
	{ " ALL", "and(all)" }, { " all", "and(all)" },
	{ " ANSWERED UNANSWERED", "and(flag 2, not(flag 2))" },
	{ " DELETED UNDELETED", "and(flag 8, not(flag 8))" },
	{ " DRAFT UNDRAFT", "and(flag 16, not(flag 16))" },
	{ " FLAGGED UNFLAGGED", "and(flag 4, not(flag 4))" },
	{ " SEEN UNSEEN", "and(flag 1, not(flag 1))" },
	{ " RECENT OLD", "and(recent, not(recent))" },
	{ " NEW", "and(and(recent, not(flag 1)))" },
	{ " BCC a CC b TO \"c\" FROM d", "and(address Bcc 'a', "
	    "address Cc 'b', address To 'c', address From 'd')" },
	{ " SUBJECT x BODY y TEXT z",
	    "and(header Subject 'x', body 'y', text 'z')" },
	{ " HEADER X-Spam-Flag \"\"", "and(header X-Spam-Flag '')" },
	{ " HEADER \"a\" NIL", "and(header a 'NIL')" },
	{ " KEYWORD $Forwarded UNKEYWORD b",
	    "and(keyword '$Forwarded', not(keyword 'b'))" },
	{ " BEFORE 2-Jan-1970 ON \"3-Jan-1970\" SINCE 04-Jan-1970",
	    "and(before 1, on 2, since 3)" },
	{ " SENTBEFORE 2-Jan-1970 SENTON 3-Jan-1970 SENTSINCE 4-jan-1970",
	    "and(sentbefore 1, senton 2, sentsince 3)" },
	{ " LARGER 0 SMALLER 4294967296",
	    "and(larger 0, smaller 4294967296)" },
	{ " UID 1:3,*", "and(uid 1:3,0:0)" },
	{ " 2,4:7,9,12:*", "and(seq 2:2,4:7,9:9,12:0)" },
	{ " *:3 5", "and(seq 0:3, seq 5:5)" },
	/* Keys in keys. */
	{ " OR SEEN DRAFT ALL", "and(or(flag 1, flag 16), all)" },
	{ " OR NOT SEEN OR DRAFT (ALL 1) UNSEEN",
	    "and(or(not(flag 1), or(flag 16, and(all, seq 1:1))), "
	    "not(flag 1))" },
	{ " NOT NOT NOT NEW", "and(not(not(not(and(recent, "
	    "not(flag 1))))))" },
	{ " ((SEEN) (DRAFT (1)))",
	    "and(and(and(flag 1), and(flag 16, and(seq 1:1))))" },
	{ " NOT (OR SEEN DRAFT)", "and(not(and(or(flag 1, flag 16))))" },
	{ " CHARSET UTF-8 ALL", "and(all)" },
	{ " charset \"utf-8\" ALL", "and(all)" },
	/* Mistakes. */
	{ "", NULL }, { " ", NULL }, { " CHARSET", NULL },
	{ " CHARSET UTF-8", NULL }, { " CHARSET UTF-8 ", NULL },
	{ " NOSUCH", NULL }, { " CHARSETS", NULL }, { "ALL", NULL },
	{ " ALL ", NULL }, { "  ALL", NULL }, { " ()", NULL },
	{ " ( ALL)", NULL }, { " (ALL )", NULL }, { " (ALL", NULL },
	{ " ALL)", NULL }, { " NOT", NULL }, { " NOT ", NULL },
	{ " OR ALL", NULL }, { " OR ALL ", NULL }, { " (OR ALL)", NULL },
	{ " (NOT) ALL", NULL }, { " SUBJECT", NULL }, { " HEADER x", NULL },
	{ " KEYWORD \\Seen", NULL }, { " KEYWORD \"x\"", NULL },
	{ " ON 31-Feb-1994", NULL }, { " ON 1994-01-01", NULL },
	{ " LARGER -1", NULL }, { " LARGER x", NULL },
	{ " SMALLER 99999999999999999999", NULL }, { " 0", NULL },
	{ " 1:", NULL }, { " 1,,2", NULL }, { " UID 0", NULL },
	{ " UID", NULL }, { " $", NULL }, { " SEEN(ALL)", NULL },
	{ " 4294967296", NULL }, { " ON", NULL }, { " ALL,ALL", NULL },
};

static bool
parse(struct arena *a, struct span in, struct search *s)
{
	struct lex l = { .in = in, .arena = a };

	search_parse(&l, s);
	return lex_end(&l);
}

static void
depth(void)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct search s;

	for (int i = 0; i < 9000; i++)
		buf_adds(&b, " NOT");
	buf_adds(&b, " ALL");
	ok(parse(&a, buf_span(&b), &s), "nine thousand NOTs");
	buf_clear(&b);
	for (int i = 0; i < 4000; i++)
		buf_adds(&b, " OR ALL");
	buf_adds(&b, " ALL");
	ok(parse(&a, buf_span(&b), &s), "four thousand ORs in each other");
	for (int i = 0; i < 3000; i++)
		buf_adds(&b, " NOT ALL");
	ok(!parse(&a, buf_span(&b), &s), "more than ten thousand keys");
	buf_clear(&b);
	buf_addc(&b, ' ');
	for (int i = 0; i < LEX_DEPTH_MAX + 1; i++)
		buf_addc(&b, '(');
	buf_adds(&b, "ALL");
	for (int i = 0; i < LEX_DEPTH_MAX + 1; i++)
		buf_addc(&b, ')');
	ok(!parse(&a, buf_span(&b), &s), "too many parentheses");
	buf_free(&b);
	arena_free(&a);
}

int
main(void)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct search s;

	for (size_t i = 0; i < COUNT(row); i++) {
		bool good = parse(&a, span_str(row[i].in), &s);

		if (row[i].want == NULL) {
			ok(!good && s.key->sub == NULL, row[i].in);
			continue;
		}
		buf_clear(&b);
		print(s.key, &b);
		ok(good, "is no mistake");
		is(buf_span(&b), span_str(row[i].want), row[i].in);
		arena_reset(&a);
	}
	parse(&a, SPAN(" CHARSET koi8-r NOT (OR 5 ALL)"), &s);
	is(s.charset, SPAN("koi8-r"), "the charset");
	ok(s.numbers, "sequence numbers are noticed wherever they are");
	parse(&a, SPAN(" UID 5"), &s);
	ok(s.charset.p == NULL && !s.numbers, "UIDs are not sequence numbers");
	depth();
	buf_free(&b);
	arena_free(&a);
	return done();
}
