/* SPDX-License-Identifier: ISC */
#include "mime/addr.h"

#include <stdlib.h>

#include "cost.h"

/* Each address as [name|route|local|domain], groups as {name and }. */
static const struct {
	const char *in, *want;
} rows[] = {
	{ "", "" },
	{ "alice@example.org", "[||alice|example.org]" },
	{ "<alice@example.org>", "[||alice|example.org]" },
	{ "Alice <a@x>, Bob <b@y>", "[Alice||a|x][Bob||b|y]" },
	{ "\"Smith, J.\" <j@x>", "[Smith, J.||j|x]" },
	{ "\"a \\\"b\\\" c\" <j@x>", "[a \"b\" c||j|x]" },
	{ "John Q. Public <j@x>", "[John Q. Public||j|x]" },
	{ "=?utf-8?q?J=C3=B6rg?= <j@x>", "[=?utf-8?q?J=C3=B6rg?=||j|x]" },
	{ "a@x (Full Name)", "[Full Name||a|x]" },
	{ "a@x (nested (comment) here)", "[nested (comment) here||a|x]" },
	{ "a@x (ends in \\)", "[||a|x][||ends in \\|]" },
	{ "john . doe @ example . org", "[||john.doe|example.org]" },
	{ "\"john doe\"@x", "[||john doe|x]" },
	{ "\"john\\\"doe\"@x", "[||john\"doe|x]" },
	{ "<@a,@b:c@d>", "[|@a,@b|c|d]" },
	{ "N <@a.example:c@d>", "[N|@a.example|c|d]" },
	{ "a@[127.0.0.1]", "[||a|[127.0.0.1]]" },
	{ "undisclosed-recipients:;", "{undisclosed-recipients}" },
	{ "Team: a@x, B <b@y>;, c@z", "{Team[||a|x][B||b|y]}[||c|z]" },
	{ "Team: a@x", "{Team[||a|x]}" },
	{ "A Group:;", "{A Group}" },
	{ "g: h: a@x;", "{g[||a|x]}" },
	{ "a@x; b@y", "[||a|x][||b|y]" },
	{ "a@x, , ,b@y,", "[||a|x][||b|y]" },
	{ "alice", "[||alice|]" },
	{ "Name <>", "[Name|||]" },
	{ "<>", "" },
	{ "Smith, John <j@x>", "[||Smith|][John||j|x]" },
	{ "a@x <a@x>", "[a@x||a|x]" },
	{ "A <a@x> B <b@y>", "[A||a|x][B||b|y]" },
	{ "A <a@x", "[A||a|x]" },
	{ "<a@b@c>", "[||a@b|c]" },
	{ "\"open <a@x>", "[\"open||a|x]" },
	{ "(open <a@x>", "[open||a|x]" },
	{ "[list] Name <a@x>", "[[list] Name||a|x]" },
	{ "a@x,\r\n b@y", "[||a|x][||b|y]" },
	{ "J\xc3\xb6rg <j@x>", "[J\xc3\xb6rg||j|x]" },
	{ "(only a comment)", "" },
	{ "a(c).b@x", "[c||a.b|x]" },
};

static void
show(struct span in, struct buf *to)
{
	struct addr_list l = { .rest = in };
	struct addr a;

	while (addr_next(&l, &a)) {
		if (a.kind == ADDR_GROUP_END) {
			buf_addc(to, '}');
			continue;
		}
		buf_addc(to, a.kind == ADDR_GROUP ? '{' : '[');
		buf_add(to, a.name);
		if (a.kind == ADDR_GROUP)
			continue;
		buf_addc(to, '|');
		buf_add(to, a.route);
		buf_addc(to, '|');
		buf_add(to, a.local);
		buf_addc(to, '|');
		buf_add(to, a.domain);
		buf_addc(to, ']');
	}
	addr_list_free(&l);
}

static void
test_lists(void)
{
	struct buf got = { 0 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&got);
		show(span_str(rows[i].in), &got);
		is(buf_span(&got), span_str(rows[i].want), rows[i].in);
	}
	buf_free(&got);
}

static void
test_writing(void)
{
	struct buf b = { 0 };

	addr_add(&b, SPAN("john.doe"), SPAN("x.org"));
	is(buf_span(&b), SPAN("john.doe@x.org"), "dot-atoms go as they are");
	buf_clear(&b);
	addr_add(&b, SPAN("john doe"), SPAN("x"));
	is(buf_span(&b), SPAN("\"john doe\"@x"), "other local parts quoted");
	buf_clear(&b);
	addr_add(&b, SPAN("a\r\nBcc: b"), SPAN("x\r\ny"));
	is(buf_span(&b), SPAN("\"a  Bcc: b\"@xy"), "no line end gets out");
	buf_clear(&b);
	addr_add_name(&b, SPAN("John Doe"));
	is(buf_span(&b), SPAN("John Doe"), "words go as they are");
	buf_clear(&b);
	addr_add_name(&b, SPAN("Doe, \"J\""));
	is(buf_span(&b), SPAN("\"Doe, \\\"J\\\"\""), "specials are quoted");
	buf_free(&b);
}

/* What everybody reads alike, and what somebody may not. */
static void
test_odd(void)
{
	static const struct {
		const char *in;
		bool odd;
	} t[] = {
		{ "", false }, { " a@b , , c@d\r\n\t,", false },
		{ "A B <a@b>", false }, { "\"A, (\\\"\" <a@b> (c (d))", false },
		{ "G: a@b, C <c@d>; , e@f", false }, { "G:;", false },
		{ "A. B <a . b @ c . d>", false }, { "<\"a b\"@[1.2.3.4]>", false },
		{ "a@b <A@b>", false }, { "[x] y <a@b>", false }, { "a", false },
		{ "c@d <a@b>", true }, { "<a@b c@d>", true }, { "<a c@d", true },
		{ "<a@b@c>", true }, { "<@c:a@b>", true }, { "a@b c@d", true },
		{ "<a@b> c", true }, { "<a@b> <c@d>", true }, { "a@b;c@d", true },
		{ "a@b)", true }, { "\"a@b", true }, { "(a@b", true },
		{ "<a@b>, \"", true }, { "a\\@b", true }, { "a@b\\c", true },
		{ "G:a@b;c@d", false }, { "G:H:a@b;", true }, { "a@b>", true },
		{ ":a@b", true }, { "<a>", true }, { "<>", true },
	};

	for (size_t i = 0; i < COUNT(t); i++) {
		struct addr_list l = { .rest = span_str(t[i].in) };
		struct addr a;

		while (addr_next(&l, &a))
			;
		ok(l.odd == t[i].odd, t[i].in);
		addr_list_free(&l);
	}
	struct addr_list l = { .rest = { "a\0@b", 4 } };
	struct addr a;

	while (addr_next(&l, &a))
		;
	ok(l.odd, "a NUL is odd");
	addr_list_free(&l);
}

int
main(void)
{
	static const char *const units[] = { "(", "\"", "<", "a@b,", ":",
		"(()", "\\", "a@b <", "\"a\" ", ";", "@", "[", "@a," };

	test_lists();
	test_writing();
	test_odd();
	for (size_t i = 0; i < COUNT(units); i++)
		t_cost(show, "", units[i]);
	return done();
}
