/* SPDX-License-Identifier: ISC */
/* The parser and its digest, over messages made here and over all files of
 * t/data/mail.  With arguments: one line per part of each file, for
 * t/mime_parts.py. */
#include "mime/parse.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/file.h"
#include "../../t.h"

#include <fcntl.h>

static void
parse(struct span in, bool raw, size_t step, struct buf *to)
{
	struct mime_parser *p = mime_parser_new(raw);

	buf_clear(to);
	for (size_t i = 0; in.n > 0; i++) {
		/* step 0: pieces of many sizes */
		struct span s = span_head(in, step > 0 ? step :
		    1 + i * 7919 % 97);

		mime_parser_feed(p, s);
		in = span_skip(in, s.n);
	}
	mime_parser_finish(p, to);
	mime_parser_free(p);
}

/* --- the structure, as text --- */

static const struct {
	const char *name, *in, *body;
} shapes[] = {
	{ "no header field at all", "\r\nhello\r\n",
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "7 1)" },
	{ "an empty message", "",
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "0 0)" },
	{ "no header but text", "hello\nworld\n",
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "14 2)" },
	{ "a header without a body", "Subject: x",
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "0 0)" },
	{ "a From_ line and a type", "From a@b Mon\nContent-Type: TEXT/HTML; "
	    "Charset=UTF-8\n\nx",
	    "(\"text\" \"html\" (\"Charset\" \"UTF-8\") NIL NIL \"7bit\" 1 0)"
	},
	{ "a type that is none", "Content-Type: text\n\nx\n",
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "3 1)" },
	{ "a leaf that is no text", "Content-Type: image/png; name=\"a\\\"b\""
	    "\nContent-ID: <1@x>\nContent-Description: d\nContent-Transfer-"
	    "Encoding: BASE64\n\nAAAA\n",
	    "(\"image\" \"png\" (\"name\" \"a\\\"b\") \"<1@x>\" \"d\" "
	    "\"base64\" 6)" },
	{ "a multipart", "Content-Type: multipart/mixed; boundary=b\n\n"
	    "preamble\n--b\n\none\n--b\nContent-Type: text/x\n\ntwo\n\n--b--"
	    "\nepilogue\n--b\n",
	    "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "3 0)(\"text\" \"x\" NIL NIL NIL \"7bit\" 5 1) \"mixed\")" },
	{ "a multipart without a boundary parameter",
	    "Content-Type: multipart/mixed\n\n--b\n\none\n",
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "12 3)" },
	{ "a multipart without a part",
	    "Content-Type: multipart/mixed; boundary=b\n\nnothing\n",
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "9 1)" },
	{ "a multipart that is never closed",
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n",
	    "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "5 1) \"mixed\")" },
	{ "boundaries that begin each other",
	    "Content-Type: multipart/a; boundary=b\n\n--b\nContent-Type: "
	    "multipart/c; boundary=bb\n\n--bb\n\none\n--bb--\n--b--\n",
	    "(((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
	    "\"7bit\" 3 0) \"c\") \"a\")" },
	{ "an inner multipart that only the outer boundary ends",
	    "Content-Type: multipart/a; boundary=b\n\n--b\nContent-Type: "
	    "multipart/c; boundary=i\n\n--i\n\none\n--b\n\ntwo\n--b--\n",
	    "(((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
	    "\"7bit\" 3 0) \"c\")(\"text\" \"plain\" (\"charset\" "
	    "\"us-ascii\") NIL NIL \"7bit\" 3 0) \"a\")" },
	{ "a part whose header the boundary ends",
	    "Content-Type: multipart/a; boundary=b\n\n--b\nContent-Type: a/b\n"
	    "--b--\n", "((\"a\" \"b\" NIL NIL NIL \"7bit\" 0) \"a\")" },
	{ "a digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\n"
	    "Subject: in\n\nx\n--b--\n",
	    "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 16 (NIL \"in\" NIL "
	    "NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" (\"charset\" "
	    "\"us-ascii\") NIL NIL \"7bit\" 1 0) 2) \"digest\")" },
	{ "a message in a message", "Content-Type: message/rfc822\n\nFrom: "
	    "a@b\nContent-Type: multipart/x; boundary=b\n\n--b\n\none\n--b--"
	    "\n",
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 71 (NIL NIL ((NIL "
	    "NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\"))"
	    " NIL NIL NIL NIL NIL) ((\"text\" \"plain\" (\"charset\" "
	    "\"us-ascii\") NIL NIL \"7bit\" 3 0) \"x\") 7)" },
};

static void
test_shapes(void)
{
	struct buf got = { 0 };
	struct digest d;

	for (size_t i = 0; i < COUNT(shapes); i++) {
		parse(span_str(shapes[i].in), false, 4096, &got);
		if (ok(digest_open(buf_span(&got), &d), shapes[i].name))
			is(d.body, span_str(shapes[i].body), shapes[i].name);
	}
	buf_free(&got);
}

static void
test_extension(void)
{
	struct buf got = { 0 };
	struct digest d;

	parse(SPAN("Content-Type: text/plain; charset=x; name*0*=utf-8''a%20;"
	    " name*1=b\r\nContent-MD5: Q2hlY2s=\r\nContent-Disposition: "
	    "attachment; filename=\"a b\"\r\nContent-Language: en, de (x)\r\n"
	    "Content-Location: http://x/\r\n\r\nx"), false, 4096, &got);
	digest_open(buf_span(&got), &d);
	is(d.bodystructure, SPAN("(\"text\" \"plain\" (\"charset\" \"x\" "
	    "\"name*0*\" \"utf-8''a%20\" \"name*1\" \"b\") NIL NIL \"7bit\" 1 "
	    "0 \"Q2hlY2s=\" (\"attachment\" (\"filename\" \"a b\")) (\"en\" "
	    "\"de\") \"http://x/\")"), "the extension data of a leaf");
	parse(SPAN("Content-Type: multipart/mixed; boundary=\"a b\"; x=y\n"
	    "Content-Disposition: inline\n\n--a b\n\n--a b--\n"), false, 1,
	    &got);
	digest_open(buf_span(&got), &d);
	is(d.bodystructure, SPAN("((\"text\" \"plain\" (\"charset\" "
	    "\"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL) \"mixed\" "
	    "(\"boundary\" \"a b\" \"x\" \"y\") (\"inline\" NIL) NIL NIL)"),
	    "the extension data of a multipart");
	buf_free(&got);
}

static void
test_envelope(void)
{
	struct buf got = { 0 }, field = { 0 };
	struct digest d;

	parse(SPAN("Date: Fri, 21 Nov 1997 09:55:06 -0600\nSubject: a\n"
	    " \"b\\\n\nFrom: none\n"), false, 3, &got);
	digest_open(buf_span(&got), &d);
	is(d.envelope, SPAN("(\"Fri, 21 Nov 1997 09:55:06 -0600\" \"a "
	    "\\\"b\\\\\" NIL NIL NIL NIL NIL NIL NIL NIL)"),
	    "folds go, quotes and backslashes are escaped");
	ok(d.date == 880127706 && d.date_zone == -360, "the date is read");

	parse(SPAN("From: A <a@x>, @ \nTo: g: b@y, C <c@z>;\nTo: d@w\nCc: \n"
	    "Subject: \xe4\nSubject: two\nReply-To: r@x\nIn-Reply-To:\n"
	    "Message-ID: <1@x>\nX: 1\n\n"), false, 4096, &got);
	digest_open(buf_span(&got), &d);
	is(d.envelope, SPAN("(NIL {1}\r\n\xe4 ((\"A\" NIL \"a\" \"x\")) "
	    "((\"A\" NIL \"a\" \"x\")) ((NIL NIL \"r\" \"x\")) ((NIL NIL "
	    "\"g\" NIL)(NIL NIL \"b\" \"y\")(\"C\" NIL \"c\" \"z\")(NIL NIL "
	    "NIL NIL)(NIL NIL \"d\" \"w\")) NIL NIL \"\" \"<1@x>\")"),
	    "groups, defaults, literals, the first of two, all of To");
	ok(d.date == INT64_MIN, "no date");
	digest_field(&d, SPAN("TO"), &field);
	is(buf_span(&field), SPAN("To: g: b@y, C <c@z>;\r\nTo: d@w\r\n"),
	    "kept fields are in wire form");
	ok(digest_keeps(SPAN("x-tuid")) && digest_keeps(SPAN("Subject")) &&
	    !digest_keeps(SPAN("Received")) && !digest_keeps(SPAN("")),
	    "it is known which are kept");
	buf_free(&got);
	buf_free(&field);
}

static void
test_sections(void)
{
	static const struct {
		uint32_t path[3];
		size_t n;
		const char *text;	/* NULL: there is none */
		bool body_of;
	} rows[] = {
		{ { 1 }, 1, "one", false },
		{ { 2 }, 1, "Content-Type: multipart/y; boundary=c\n\n--c\n\n"
		    "two\n--c--", false },
		{ { 2, 1 }, 2, "two", false },
		{ { 3 }, 1, "Subject: in\n\nthree", false },
		{ { 3, 1 }, 2, "three", true },
		{ { 4 }, 1, NULL, false }, { { 0 }, 1, NULL, false },
		{ { 1, 1 }, 2, NULL, false }, { { 3, 2 }, 2, NULL, false },
		{ { 3, 1, 1 }, 3, NULL, false },
	};
	const struct span in = SPAN("Content-Type: multipart/x; boundary=b\n\n"
	    "--b\n\none\n--b\nContent-Type: message/rfc822\n\nContent-Type: "
	    "multipart/y; boundary=c\n\n--c\n\ntwo\n--c--\n--b\nContent-Type: "
	    "message/rfc822\n\nSubject: in\n\nthree\n--b--\n");
	struct buf got = { 0 };
	struct digest d;

	parse(in, false, 4096, &got);
	digest_open(buf_span(&got), &d);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool body_of;
		const struct digest_part *p = digest_find(&d, rows[i].path,
		    rows[i].n, &body_of);
		struct span text = { NULL, 0 };

		if (p != NULL)
			text = (struct span){ in.p + p->file_body,
			    p->file_end - p->file_body };
		ok((p == NULL) == (rows[i].text == NULL) &&
		    span_eq(text, span_str(rows[i].text)) &&
		    (p == NULL || body_of == rows[i].body_of),
		    rows[i].text == NULL ? "no such section" : rows[i].text);
	}
	parse(SPAN("Subject: x\n\ntext"), false, 4096, &got);
	digest_open(buf_span(&got), &d);
	bool body_of;

	ok(digest_find(&d, (uint32_t[]){ 1 }, 1, &body_of) == d.part &&
	    body_of, "1 of a plain message is its body");
	ok(digest_find(&d, NULL, 0, &body_of) == d.part && !body_of,
	    "no number is the message");
	buf_free(&got);
}

/* --- any message --- */

/* Parentheses, strings and literals of a wire form fit. */
static bool
balanced(struct span s)
{
	size_t depth = 0, i = 0;

	while (i < s.n) {
		if (s.p[i] == '"') {
			for (i++; i < s.n && s.p[i] != '"'; i++)
				if (s.p[i] == '\\')
					i++;
				else if (s.p[i] <= 0 || s.p[i] == '\r' ||
				    s.p[i] == '\n')
					return false;
		} else if (s.p[i] == '{') {
			size_t close = span_chr(span_skip(s, i), '}');
			uint64_t n;

			if (!span_u64((struct span){ s.p + i + 1, close - 1 },
			    s.n, &n) ||
			    !span_starts(span_skip(s, i + close),
			    SPAN("}\r\n")))
				return false;
			i += close + 2 + n;
		} else if (s.p[i] == '(') {
			depth++;
		} else if (s.p[i] == ')' && depth-- == 0) {
			return false;
		}
		i++;
		if (depth == 0)
			break;
	}
	return depth == 0 && i == s.n;
}

/* Wire offsets are what counting gives, and parts are inside each other and
 * beside each other. */
static bool
consistent(struct span in, const struct digest *d)
{
	uint64_t *wire = calloc(in.n + 1, sizeof *wire);
	bool good = d->file_size == in.n;

	for (size_t i = 0; i < in.n; i++)
		wire[i + 1] = wire[i] + 1 + (!d->raw_eol && in.p[i] == '\n' &&
		    (i == 0 || in.p[i - 1] != '\r'));
	good = good && d->wire_size == wire[in.n];
	for (uint32_t i = 0; good && i < d->parts; i++) {
		const struct digest_part *p = &d->part[i];
		const struct digest_part *up = &d->part[p->parent];
		uint32_t lines = 0;

		for (uint64_t k = p->file_body; k < p->file_end; k++)
			lines += in.p[k] == '\n';
		good = p->wire_header == wire[p->file_header] &&
		    p->wire_body == wire[p->file_body] &&
		    p->wire_end == wire[p->file_end] && p->lines == lines;
		if (i > 0)
			good = good && p->file_header >= up->file_body &&
			    p->file_end <= up->file_end;
		if (p->next != 0)
			good = good && p->file_end <=
			    d->part[p->next].file_header;
	}
	for (uint64_t w = 0; good && w <= d->wire_size; w += 1009) {
		uint64_t at, f = digest_file_offset(d, w, &at);

		good = f <= in.n && wire[f] == at && at <= w &&
		    w - at <= 2 * MIME_CHECKPOINT + 2;
	}
	free(wire);
	return good;
}

static void
try_message(struct span in, const char *name)
{
	static const size_t steps[] = { 1, 0, 4097 };
	struct buf whole = { 0 }, got = { 0 };
	struct digest d;

	for (int raw = 0; raw < 2; raw++) {
		bool same = true;

		parse(in, raw, in.n + 1, &whole);
		for (size_t i = 0; i < COUNT(steps); i++) {
			parse(in, raw, steps[i], &got);
			same = same &&
			    span_eq(buf_span(&got), buf_span(&whole));
		}
		ok(same && digest_open(buf_span(&whole), &d) &&
		    consistent(in, &d) && balanced(d.envelope) &&
		    balanced(d.body) && balanced(d.bodystructure), name);
	}
	buf_free(&whole);
	buf_free(&got);
}

static void
each_file(const char *dir, int depth)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		struct buf path = { 0 }, text = { 0 };

		if (names[i]->d_name[0] != '.') {
			buf_adds(&path, dir);
			buf_addc(&path, '/');
			buf_adds(&path, names[i]->d_name);
			if (file_read(AT_FDCWD, buf_cstr(&path), 1 << 24,
			    &text) == 0)
				try_message(buf_span(&text), path.p);
			else if (depth > 0)
				each_file(buf_cstr(&path), depth - 1);
		}
		buf_free(&path);
		buf_free(&text);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* --- limits and cost --- */

static void
repeat(struct buf *b, const char *s, size_t n)
{
	while (n-- > 0)
		buf_adds(b, s);
}

static double
seconds_of(struct span in, struct digest *d, struct buf *got)
{
	clock_t t = clock();

	parse(in, false, 65536, got);
	t = clock() - t;
	digest_open(buf_span(got), d);
	return (double)t / CLOCKS_PER_SEC;
}

static void
test_limits(void)
{
	struct buf in = { 0 }, got = { 0 };
	struct digest d;

	repeat(&in, "Content-Type: message/rfc822\n\n", 100000);
	ok(seconds_of(buf_span(&in), &d, &got) < 1.0 &&
	    d.parts == MIME_DEPTH_MAX + 1 &&
	    (d.part[MIME_DEPTH_MAX].flags & PART_TRUNCATED) != 0 &&
	    span_find(d.body, SPAN("\"octet-stream\"")) < d.body.n,
	    "a hundred thousand messages in messages are cut at the limit");
	buf_clear(&in);
	for (int i = 0; i < 100000; i++)
		buf_addf(&in, "Content-Type: multipart/x; boundary=b%d\n\n"
		    "--b%d\n", i, i);
	ok(seconds_of(buf_span(&in), &d, &got) < 1.0 &&
	    d.parts == MIME_DEPTH_MAX + 1, "as are multiparts");
	buf_clear(&in);
	buf_adds(&in, "Content-Type: multipart/x; boundary=b\n\n");
	repeat(&in, "--b\n", 1000000);
	ok(seconds_of(buf_span(&in), &d, &got) < 2.0 &&
	    d.parts == MIME_PARTS_MAX, "a million parts are cut at theirs");
	buf_clear(&in);
	for (int i = 0; i < 99; i++)
		buf_addf(&in, "Content-Type: multipart/x; boundary=b%d\n\n"
		    "--b%d\n", i, i);
	repeat(&in, "--b0\n", 1000);
	repeat(&in, "--bx\n", 2000000);
	ok(seconds_of(buf_span(&in), &d, &got) < 2.0,
	    "lines like boundaries are cheap with many open");
	buf_clear(&in);
	buf_adds(&in, "To: ");
	repeat(&in, "a@b, ", 1000000);
	ok(seconds_of(buf_span(&in), &d, &got) < 2.0 && !d.fields_whole,
	    "a header of 5 MB is cut at 1 MB");
	ok(got.n < 16 * 1024 * 1024, "and so is its digest");
	buf_clear(&in);
	repeat(&in, "X: y\n", 1000000);
	ok(seconds_of(buf_span(&in), &d, &got) < 1.0 && d.part->file_body ==
	    in.n, "a million fields are one header");
	buf_free(&in);
	buf_free(&got);
}

static void
test_memory(void)
{
	struct mime_parser *p = mime_parser_new(false);
	struct buf piece = { 0 }, got = { 0 };
	struct rusage before, after;
	struct digest d;

	mime_parser_feed(p, SPAN("Subject: x\n\n"));
	repeat(&piece, "a line of a very long message\n", 2000);
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 2000; i++)
		mime_parser_feed(p, buf_span(&piece));
	getrusage(RUSAGE_SELF, &after);
	ok(after.ru_maxrss - before.ru_maxrss < 1024,
	    "120 MB of body take no memory");
	mime_parser_finish(p, &got);
	mime_parser_free(p);
	ok(digest_open(buf_span(&got), &d) && got.n < 65536,
	    "and a small digest");
	buf_free(&piece);
	buf_free(&got);
}

static void
test_damage(void)
{
	struct buf good = { 0 }, bad = { 0 };
	struct digest d;
	unsigned seed = 1;

	parse(SPAN("Content-Type: multipart/x; boundary=b\n\n--b\n\none\n--b\n"
	    "Content-Type: message/rfc822\n\nSubject: x\n\ny\n--b--\n"), false,
	    4096, &good);
	ok(digest_open(buf_span(&good), &d), "a digest opens");
	for (size_t n = 0; n < good.n; n++)
		digest_open(span_head(buf_span(&good), n), &d);
	for (int i = 0; i < 20000; i++) {
		bool body_of;
		uint64_t at;

		buf_clear(&bad);
		buf_add(&bad, buf_span(&good));
		for (int k = 0; k < 3; k++) {
			seed = seed * 1103515245 + 12345;
			bad.p[seed / 65536 % bad.n] = (char)(seed >> 8);
		}
		if (!digest_open(buf_span(&bad), &d))
			continue;
		digest_find(&d, (uint32_t[]){ 2, 1 }, 2, &body_of);
		digest_file_offset(&d, 20, &at);
		for (uint32_t k = 0; k < d.parts; k++)
			span_chr(digest_string(&d, d.part[k].type), 'x');
	}
	ok(true, "a damaged one does no harm");
	parse(SPAN("a: b\n\nx"), false, 1, &good);
	buf_clear(&bad);
	buf_addc(&bad, 'x');
	buf_add(&bad, buf_span(&good));
	ok(digest_open(span_skip(buf_span(&bad), 1), &d) &&
	    d.part->file_body == 6, "it may lie at any address");
	buf_free(&good);
	buf_free(&bad);
}

static int
print(char **files)
{
	static const char *const kinds[] = { "leaf", "multipart", "message" };

	for (; *files != NULL; files++) {
		struct buf text = { 0 }, got = { 0 };
		struct digest d;

		if (file_read(AT_FDCWD, *files, 1 << 28, &text) != 0)
			return 1;
		parse(buf_span(&text), false, text.n + 1, &got);
		digest_open(buf_span(&got), &d);
		printf("file %s\n", *files);
		for (uint32_t i = 0; i < d.parts; i++) {
			const struct digest_part *p = &d.part[i];
			struct span a = digest_string(&d, p->type);
			struct span b = digest_string(&d, p->subtype);

			printf("%s %.*s/%.*s %ju %ju %ju\n", kinds[p->kind],
			    (int)a.n, a.p, (int)b.n, b.p,
			    (uintmax_t)p->file_header,
			    (uintmax_t)p->file_body, (uintmax_t)p->file_end);
		}
		buf_free(&text);
		buf_free(&got);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return print(argv + 1);
	test_shapes();
	test_extension();
	test_envelope();
	test_sections();
	try_message(SPAN("A: b\r\r\n\rC\r\n\n\r\n\0\x80\r"), "odd line ends");
	try_message(SPAN("From x\r\n\r\n\r\n"), "only a From_ line");
	test_limits();
	test_memory();
	test_damage();
	each_file("t/data/mail", 1);
	return done();
}
