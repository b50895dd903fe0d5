/* SPDX-License-Identifier: ISC */
#include "imap/reader.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#include "../../t.h"

/* A client that says all of its part at once, and what it hears. */
struct talk {
	struct in in;
	struct out out;
	struct arena arena;
	struct reader r;
	int from, to;
};

static void
begin(struct talk *t, struct span said)
{
	int in[2], out[2];

	if (pipe(in) < 0 || pipe(out) < 0 || file_write(in[1], said) < 0)
		exit(1);
	close(in[1]);
	*t = (struct talk){ .from = in[0], .to = out[0] };
	stream_open(&t->in, &t->out, in[0], out[1]);
	t->r = (struct reader){ .in = &t->in, .out = &t->out,
	    .arena = &t->arena, .line_max = 1000, .total_max = 4000,
	    .skip_max = 30000 };
}

static void
end(struct talk *t, struct span heard, const char *name)
{
	struct buf b = { 0 };

	out_flush(&t->out);
	close(t->out.fd);
	for (ssize_t n; (n = read(t->to, buf_room(&b, 4096), 4096)) > 0; )
		b.n += (size_t)n;
	is(buf_span(&b), heard, name);
	close(t->from);
	close(t->to);
	buf_free(&b);
	reader_free(&t->r);
	arena_free(&t->arena);
	stream_free(&t->in, &t->out);
}

/*
 * Every command here is "TAG LOGIN astring astring", answered by its tag and
 * "ok" or "bad"; what stands behind a literal that was refused is a command
 * again if, and only if, the client sent it as one.
 */
static void
converse(struct talk *t)
{
	enum reader_result got;
	const char *why;
	struct lex l;

	while ((got = reader_command(&t->r, &l, &why)) != READER_END) {
		struct span tag = lex_tag(&l);

		if (got == READER_BAD)
			lex_fail(&l, why);
		lex_space(&l);
		if (!lex_word(&l, "LOGIN"))
			lex_fail(&l, "No such command");
		lex_space(&l);
		struct span user = lex_astring(&l);
		lex_space(&l);
		struct span pass = lex_astring(&l);
		bool good = lex_end(&l);

		out_add(&t->out, tag);
		out_adds(&t->out, good ? " ok " : " bad");
		if (good) {
			out_add(&t->out, user);
			out_addc(&t->out, '/');
			out_add(&t->out, pass);
		}
		out_adds(&t->out, "\n");
		if (!reader_finish(&t->r)) {
			out_adds(&t->out, "bye\n");
			break;
		}
		arena_reset(&t->arena);
	}
}

static void
commands(void)
{
	const struct {
		struct span said, heard;
		const char *name;
	} t[] = {
		{ SPAN("a LOGIN u p\r\nb LOGIN \"u\" \"p\"\r\n"),
		    SPAN("a ok u/p\nb ok u/p\n"), "commands one by one" },
		{ SPAN("a LOGIN {1}\r\nu {2}\r\npq\r\nb LOGIN u p\r\n"),
		    SPAN("+ OK\r\n+ OK\r\na ok u/pq\nb ok u/p\n"),
		    "synchronising literals are asked for" },
		{ SPAN("a LOGIN {1+}\r\nu {0+}\r\n\r\nb LOGIN u p\r\n"),
		    SPAN("a ok u/\nb ok u/p\n"), "others are not" },
		{ SPAN("a LOGIN {3+}\r\n\r\n) p\r\n"),
		    SPAN("a ok \r\n)/p\n"), "a literal holds anything" },
		{ SPAN("a NOPE {13+}\r\nb LOGIN u p\r\n {1+}\r\nx\r\n"
		    "c LOGIN u p\r\n"), SPAN("a bad\nc ok u/p\n"),
		    "an unwanted literal is no command" },
		{ SPAN("a NOPE {12}\r\nb LOGIN u p\r\n"),
		    SPAN("a bad\nb ok u/p\n"),
		    "an unwanted synchronising one is not asked for" },
		{ SPAN("a LOGIN ( {13+}\r\nb LOGIN u p\r\n\r\n"
		    "c LOGIN u p\r\n"), SPAN("a bad\nc ok u/p\n"),
		    "a mistake before a literal" },
		{ SPAN("a LOGIN {1+}\r\n\0 {2+}\r\nxx\r\nb LOGIN u p\r\n"),
		    SPAN("a bad\nb ok u/p\n"), "NUL in a literal" },
		{ SPAN("a LOGIN u\0 p\r\nb LOGIN u p\r\n"),
		    SPAN("a bad\nb ok u/p\n"), "NUL in a line" },
		{ SPAN("a LOGIN {5000}\r\nb LOGIN u p\r\n"),
		    SPAN("a bad\nb ok u/p\n"), "too long a literal" },
		{ SPAN("a LOGIN {4294967296}\r\nb LOGIN u p\r\n"),
		    SPAN("a bad\nb ok u/p\n"), "a literal of 4 GiB" },
		{ SPAN("a LOGIN {4294967296+}\r\nb LOGIN u p\r\n"),
		    SPAN("a bad\nbye\n"), "one of 4 GiB that comes anyway" },
		{ SPAN("a LOGIN {99999999999999999999+}\r\nb LOGIN u p\r\n"),
		    SPAN("a bad\nb ok u/p\n"), "a number that is none" },
		{ SPAN("a LOGIN ~{1+}\r\nu p\r\n"), SPAN("a bad\n"),
		    "literal8 where none may be" },
		{ SPAN("a LOGIN {-1}\r\nb LOGIN {1+ }\r\nc LOGIN {1++}\r\n"
		    "d LOGIN {}\r\ne LOGIN {1\r\n"),
		    SPAN("a bad\nb bad\nc bad\nd bad\ne bad\n"),
		    "broken announcements" },
		{ SPAN("a LOGIN u p\nb LOGIN u p\r\n"),
		    SPAN("a bad\nb ok u/p\n"), "a bare LF ends no line" },
		{ SPAN("a LOGIN {4+}\r\nuu"), SPAN("a bad\nbye\n"),
		    "a client that vanishes in a literal" },
		{ SPAN("a LOGIN u"), SPAN(""),
		    "a client that vanishes in a line" },
		{ SPAN("a LOGIN {3000+}\r\n"), SPAN("a bad\nbye\n"),
		    "a client that vanishes before its literal" },
		{ SPAN("\r\na LOGIN u p\r\n"), SPAN(" bad\na ok u/p\n"),
		    "an empty line" },
	};

	for (size_t i = 0; i < COUNT(t); i++) {
		struct talk k;

		begin(&k, t[i].said);
		converse(&k);
		end(&k, t[i].heard, t[i].name);
	}
}

/* What does not fit is dropped, and what it announces at its end too. */
static void
bounds(void)
{
	struct buf b = { 0 };
	struct talk k;

	buf_adds(&b, "a LOGIN ");
	for (int i = 0; i < 5000; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, " {13+}\r\nb LOGIN u p\r\n\r\nc LOGIN u p\r\n");
	begin(&k, buf_span(&b));
	converse(&k);
	end(&k, SPAN("a bad\nc ok u/p\n"),
	    "a line too long with a literal at its end");

	buf_clear(&b);
	buf_adds(&b, "a LOGIN");
	for (int i = 0; i < 50; i++) {
		buf_adds(&b, " {100+}\r\n");
		for (int j = 0; j < 100; j++)
			buf_addc(&b, 'x');
	}
	buf_adds(&b, "\r\nb LOGIN u p\r\n");
	begin(&k, buf_span(&b));
	converse(&k);
	end(&k, SPAN("a bad\nb ok u/p\n"), "many literals in one command");

	/* 15 + 3980 octets leave 5 of the 4000, which is less than the next
	 * announcement takes. */
	buf_clear(&b);
	buf_adds(&b, "a LOGIN {3980+}\r\n");
	for (int i = 0; i < 3980; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, " {13+}\r\nb LOGIN u p\r\n\r\nc LOGIN u p\r\n");
	begin(&k, buf_span(&b));
	converse(&k);
	end(&k, SPAN("a bad\nc ok u/p\n"),
	    "a literal announced where nothing is left for its line");

	buf_clear(&b);
	buf_adds(&b, "a LOGIN u");
	for (int i = 0; i < 400; i++) {
		buf_adds(&b, " {100+}\r\n");
		for (int j = 0; j < 100; j++)
			buf_addc(&b, 'x');
	}
	begin(&k, buf_span(&b));
	converse(&k);
	end(&k, SPAN("a bad\nbye\n"), "all that is dropped is bounded");
	buf_free(&b);
}

static void
streaming(void)
{
	struct buf got = { 0 };
	struct lex_literal lit;
	struct talk k;
	struct lex l;
	const char *why;

	begin(&k, SPAN("a APPEND {6}\r\nhello\n {3+}\r\na\0b x\r\n"
	    "b APPEND {9+}\r\nunwanted!\r\nc LOGIN u p\r\n"));
	reader_command(&k.r, &l, &why);
	lex_tag(&l);
	lex_space(&l);
	lex_atom(&l);
	for (int i = 0; i < 2; i++) {
		lex_space(&l);
		ok(lex_announce(&l, &lit) && lit.sync == (i == 0),
		    "a literal is announced");
		reader_accept(&k.r, &lit);
		for (struct span s; (s = reader_pull(&k.r)).n > 0; )
			buf_add(&got, s);
		ok(reader_pulled(&k.r), "and pulled");
		reader_after(&k.r, &l);
	}
	is(buf_span(&got), SPAN("hello\na\0b"), "octet for octet");
	lex_space(&l);
	is(lex_atom(&l), SPAN("x"), "what follows can be read");
	ok(lex_end(&l) && reader_finish(&k.r), "and ends");
	reader_command(&k.r, &l, &why);
	lex_tag(&l);
	lex_space(&l);
	lex_atom(&l);
	lex_space(&l);
	lex_announce(&l, &lit);
	ok(reader_finish(&k.r), "a message that was not pulled is skipped");
	converse(&k);
	end(&k, SPAN("+ OK\r\nc ok u/p\n"), "and the next command is next");
	buf_free(&got);
}

int
main(void)
{
	commands();
	bounds();
	streaming();
	return done();
}
