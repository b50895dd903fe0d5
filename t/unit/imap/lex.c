/* SPDX-License-Identifier: ISC */
#include "imap/lex.h"

#include "../../t.h"

static struct arena arena;

static struct lex
lex(struct span in)
{
	return (struct lex){ .in = in, .arena = &arena };
}

static void
strings(void)
{
	const struct {
		struct span in, want;
		bool good;
	} t[] = {
		{ SPAN("abc"), SPAN("abc"), true },
		{ SPAN("a]c"), SPAN("a]c"), true },
		{ SPAN("\"\""), SPAN(""), true },
		{ SPAN("\"a b\""), SPAN("a b"), true },
		{ SPAN("\"a\\\"b\\\\\""), SPAN("a\"b\\"), true },
		{ SPAN("\"caf\xc3\xa9\""), SPAN("caf\xc3\xa9"), true },
		{ SPAN("\"a\\b\""), SPAN(""), false },
		{ SPAN("\"a"), SPAN(""), false },
		{ SPAN("\"a\\\""), SPAN(""), false },
		{ SPAN("\"a\\"), SPAN(""), false },
		{ SPAN("\""), SPAN(""), false },
		{ SPAN("\"a\0b\""), SPAN(""), false },
		{ SPAN("\"a\rb\""), SPAN(""), false },
		{ SPAN(""), SPAN(""), false },
		{ SPAN("caf\xc3\xa9"), SPAN("caf"), false },
		{ SPAN("a\0b"), SPAN("a"), false },
		{ SPAN("a*"), SPAN("a"), false },
		{ SPAN("a%"), SPAN("a"), false },
		{ SPAN("a(b"), SPAN("a"), false },
		{ SPAN("{3}"), SPAN(""), false },
	};

	for (size_t i = 0; i < COUNT(t); i++) {
		struct lex l = lex(t[i].in);
		struct span s = lex_astring(&l);
		bool good = lex_end(&l) == t[i].good &&
		    (!t[i].good || span_eq(s, t[i].want));

		t_ok(good, t[i].in);
	}
	struct lex l = lex(SPAN("NIL"));

	ok(lex_nstring(&l).p == NULL && lex_end(&l), "NIL is no string");
	l = lex(SPAN("\"NIL\""));
	is(lex_nstring(&l), SPAN("NIL"), "\"NIL\" is one");
}

static void
numbers(void)
{
	static const struct {
		const char *in;
		uint64_t want;
		bool nz, good, good64;
	} t[] = {
		{ "1", 1, true, true, true },
		{ "0", 0, false, true, true },
		{ "01", 1, false, true, true },
		{ "4294967295", 4294967295, true, true, true },
		{ "4294967296", 4294967296, false, false, true },
		{ "9223372036854775807", INT64_MAX, false, false, true },
		{ "9223372036854775808", 0, false, false, false },
		{ "18446744073709551616", 0, false, false, false },
		{ "99999999999999999999999", 0, false, false, false },
		{ "-1", 0, false, false, false },
		{ "+1", 0, false, false, false },
		{ "", 0, false, false, false },
		{ "1x", 0, false, false, false },
	};

	for (size_t i = 0; i < COUNT(t); i++) {
		struct lex a = lex(span_str(t[i].in)), b = a, c = a;
		uint32_t nz = lex_nz_number(&a), n = lex_number(&b);
		uint64_t w = lex_number64(&c);

		ok(lex_end(&a) == t[i].nz && lex_end(&b) == t[i].good &&
		    lex_end(&c) == t[i].good64 &&
		    (!t[i].nz || nz == t[i].want) &&
		    (!t[i].good || n == t[i].want) &&
		    (!t[i].good64 || w == t[i].want), t[i].in);
	}
}

static void
sets(void)
{
	static const struct {
		const char *in;
		uint32_t star, max;
		const char *want;	/* NULL: no set; "!": above max */
	} t[] = {
		{ "1", 9, 9, "1" },
		{ "2,4:7,9,12:*", 15, 15, "2,4:7,9,12:15" },
		{ "*:4,5:7", 10, 10, "4:10" },
		{ "7,3:9,3", 9, 9, "3:9" },
		{ "9:7", 9, 9, "7:9" },
		{ "*", 3, 3, "3" },
		{ "*", 0, 0, "!" },
		{ "1:*", 0, 0, "!" },
		{ "*", 0, UINT32_MAX, "" },
		{ "559:*", 500, UINT32_MAX, "500:559" },
		{ "10", 9, 9, "!" },
		{ "1:10", 9, 9, "!" },
		{ "4294967295", 1, UINT32_MAX, "4294967295" },
		{ "0", 9, 9, NULL },
		{ "1:0", 9, 9, NULL },
		{ "4294967296", 9, 9, NULL },
		{ "1,", 9, 9, NULL },
		{ ",1", 9, 9, NULL },
		{ "1:", 9, 9, NULL },
		{ "1:2:3", 9, 9, NULL },
		{ "1**", 9, 9, NULL },
		{ "", 9, 9, NULL },
	};
	struct set s = { 0 };
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(t); i++) {
		struct lex l = lex(span_str(t[i].in));
		struct seqset q = lex_seqset(&l);
		bool good = lex_end(&l);

		set_clear(&s);
		buf_clear(&b);
		if (!good)
			buf_adds(&b, "?");
		else if (!seqset_add(&q, t[i].star, t[i].max, &s))
			buf_adds(&b, "!");
		else
			set_print(&s, &b);
		is(buf_span(&b), span_str(t[i].want ? t[i].want : "?"),
		    t[i].in);
	}
	set_free(&s);
	buf_free(&b);
}

static void
flags(void)
{
	static const struct {
		const char *in;
		bool bare, good;
		uint32_t system;
		size_t keywords;
	} t[] = {
		{ "()", false, true, 0, 0 },
		{ "(\\Seen \\deleted)", false, true,
		    FLAG_SEEN | FLAG_DELETED, 0 },
		{ "(\\Draft $Forwarded a A b)", false, true, FLAG_DRAFT, 3 },
		{ "\\Flagged \\Answered x", true, true,
		    FLAG_FLAGGED | FLAG_ANSWERED, 1 },
		{ "(x)", true, true, 0, 1 },
		{ "x", false, false, 0, 0 },
		{ "", true, false, 0, 0 },
		{ "(\\Recent)", false, false, 0, 0 },
		{ "(\\Seenx)", false, false, 0, 0 },
		{ "(\\*)", false, false, 0, 0 },
		{ "(a  b)", false, false, 0, 0 },
		{ "(a )", false, false, 0, 0 },
		{ "(a", false, false, 0, 0 },
		{ "(\"a\")", false, false, 0, 0 },
		{ "(a])", false, false, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(t); i++) {
		struct lex l = lex(span_str(t[i].in));
		struct flags f = lex_flags(&l, t[i].bare);
		bool good = lex_end(&l) == t[i].good;

		if (good && t[i].good)
			good = f.system == t[i].system &&
			    f.keywords == t[i].keywords;
		ok(good, t[i].in);
	}
	struct buf b = { 0 };

	for (int i = 0; i <= LEX_FLAGS_MAX; i++)
		buf_addf(&b, "%sf%d", i == 0 ? "(" : " ", i);
	buf_addc(&b, ')');
	struct lex l = lex(buf_span(&b));

	lex_flags(&l, false);
	ok(!lex_end(&l), "the number of flags in a list is bounded");
	buf_free(&b);
}

static void
dates(void)
{
	static const struct {
		const char *in;
		int64_t want;
		bool good;
	} date[] = {
		{ "1-Feb-1994", 8797, true },
		{ "\"01-feb-1994\"", 8797, true },
		{ "1-Jan-1970", 0, true },
		{ "29-Feb-2000", 11016, true },
		{ "29-Feb-1900", 0, false },
		{ "31-Apr-2000", 0, false },
		{ "0-Jan-2000", 0, false },
		{ "1-Foo-2000", 0, false },
		{ "1-Jan-20000", 0, false },
		{ "1-Jan-99", 0, false },
		{ "\"1-Jan-2000", 0, false },
		{ " 1-Jan-2000", 0, false },
		{ "", 0, false },
	}, time[] = {
		{ "\" 7-Feb-1994 21:52:25 -0800\"", 760686745, true },
		{ "\"17-Jul-1996 02:44:25 -0700\"", 837596665, true },
		{ "\"01-Jan-1970 00:00:00 +0000\"", 0, true },
		{ "\"01-Jan-1970 05:30:00 +0530\"", 0, true },
		{ "\"19-Jan-2038 03:14:08 +0000\"", 2147483648, true },
		{ "\"1-Jan-1970 00:00:00 +0000\"", 0, false },
		{ "\"01-Jan-1970 24:00:00 +0000\"", 0, false },
		{ "\"01-Jan-1970 00:60:00 +0000\"", 0, false },
		{ "\"01-Jan-1970 00:00:00 0000\"", 0, false },
		{ "\"01-Jan-1970 00:00:00 UTC\"", 0, false },
		{ "\"01-Jan-1970 00:00:00\"", 0, false },
		{ "01-Jan-1970 00:00:00 +0000", 0, false },
	};

	for (size_t i = 0; i < COUNT(date); i++) {
		struct lex l = lex(span_str(date[i].in));
		int64_t v = lex_date(&l);

		ok(lex_end(&l) == date[i].good &&
		    (!date[i].good || v == date[i].want),
		    date[i].in);
	}
	for (size_t i = 0; i < COUNT(time); i++) {
		struct lex l = lex(span_str(time[i].in));
		int64_t v = lex_date_time(&l);

		ok(lex_end(&l) == time[i].good &&
		    (!time[i].good || v == time[i].want),
		    time[i].in);
	}
}

static void
words(void)
{
	struct lex l = lex(SPAN("uid FETCH 1 BODY[HEADER.FIELDS (a)]"));

	ok(lex_word(&l, "UID"), "a word has no case");
	lex_space(&l);
	ok(!lex_word(&l, "FET") && lex_word(&l, "FETCH"),
	    "a word is the whole word");
	lex_space(&l);
	lex_nz_number(&l);
	lex_space(&l);
	is(lex_name(&l), SPAN("BODY"), "an item's name ends before [");
	ok(lex_try(&l, '[') && !lex_try(&l, ']'), "one character is tried");
	is(lex_name(&l), SPAN("HEADER.FIELDS"), "names hold periods");
	lex_space(&l);
	lex_open(&l);
	ok(!lex_end(&l), "an open parenthesis is a mistake at the end");
	is(lex_atom(&l), SPAN(""), "the first mistake sticks");

	struct buf b = { 0 };

	for (int i = 0; i < 100000; i++)
		buf_addc(&b, '(');
	l = lex(buf_span(&b));
	for (int i = 0; i < 100000; i++)
		lex_open(&l);
	ok(l.depth > LEX_DEPTH_MAX && !lex_ok(&l),
	    "parentheses are bounded in depth");
	buf_free(&b);
	l = lex(SPAN("a+1 "));
	is(lex_tag(&l), SPAN("a"), "a tag has no plus");
	ok(!lex_end(&l), "so a+1 is none");
}

int
main(void)
{
	strings();
	numbers();
	sets();
	flags();
	dates();
	words();
	arena_free(&arena);
	return done();
}
