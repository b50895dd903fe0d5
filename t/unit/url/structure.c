/* SPDX-License-Identifier: ISC */
#include "url.h"

#include "url/structure.h"

#define MAIL \
	"From: a@b\r\nMIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=x\r\n\r\n" \
	"--x\r\nContent-Type: text/plain; name=\"a \\\"(b\"\r\n" \
	"Content-Description: {3} )(\r\n\r\none\r\n" \
	"--x\r\nContent-Type: message/rfc822\r\n\r\n" \
	"Subject: \"in (\r\nFrom: \"x \\\" y\" <a@b>\r\n" \
	"Content-Type: multipart/x; boundary=y\r\n\r\n" \
	"--y\r\nContent-Type: text/html\r\n" \
	"Content-Description: \xfc )(\"\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\nYQ0KYg==\r\n" \
	"--y\r\nContent-Type: message/rfc822\r\n\r\n" \
	"Subject: deep\r\n\r\nz\r\n--y--\r\n" \
	"--x\r\nContent-Type: image/gif\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\nR0lGODlh\r\n--x--\r\n"

#define HTML(e, n) "(\"text\" \"html\" NIL NIL {5}\r\n\xfc )(\" " \
	e " " n ")"
#define DEEP "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL " \
	"\"7bit\" 1 0)"

static const struct {
	const char *url;
	bool binary;
	const char *want;
} t[] = {
	{ "/;SECTION=1", false, "(\"text\" \"plain\" (\"name\" \"a \\\"(b\" "
	    "\"charset\" \"us-ascii\") "
	    "NIL \"{3} )(\" \"7bit\" 3 0)" },
	{ "/;SECTION=1/;PARTIAL=1", false, "(\"text\" \"plain\" (\"name\" "
	    "\"a \\\"(b\" \"charset\" \"us-ascii\") NIL \"{3} )(\" \"7bit\" 2 0)" },
	{ "/;SECTION=2.1", false, HTML("\"base64\"", "8 0") },
	{ "/;SECTION=2.1", true, HTML("\"BINARY\"", "4 1") },
	{ "/;SECTION=2.1/;PARTIAL=0.2", true, HTML("\"BINARY\"", "2 0") },
	{ "/;SECTION=2.2.1", false, DEEP },
	{ "/;SECTION=2.2.1", true, DEEP },
	{ "/;SECTION=2.2.TEXT", false, DEEP },
	{ "/;SECTION=3", true, "(\"image\" \"gif\" NIL NIL NIL \"BINARY\" "
	    "6)" },
	{ "/;SECTION=3.MIME", false, "(\"text\" \"rfc822-headers\" NIL NIL "
	    "NIL \"8bit\" 62 3)" },
};

static void
structure(struct store *st, const char *url, bool binary, struct buf *b)
{
	struct resolved r = { 0 };
	struct arena a = { 0 };
	struct imap_url u;

	buf_clear(b);
	buf_adds(b, "/INBOX/;UID=1");
	buf_adds(b, url);
	struct span text = arena_dup(&a, buf_span(b));

	buf_clear(b);
	if (imap_url_parse(&a, text, &u) != NULL ||
	    url_resolve(st, &t_space, &u, NULL, &r) != STORE_OK ||
	    (binary && resolved_decode(&r, &u) != STORE_OK) ||
	    !url_structure(&u, &r, b))
		buf_adds(b, "(failed)");
	resolved_free(&r);
	arena_free(&a);
}

int
main(void)
{
	struct buf b = { 0 }, whole = { 0 };

	t_make_dir();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	t_append(mb, MAIL, 0, NULL);
	for (size_t i = 0; i < COUNT(t); i++) {
		structure(st, t[i].url, t[i].binary, &b);
		is(buf_span(&b), span_str(t[i].want), t[i].url);
	}
	structure(st, "", false, &whole);
	structure(st, "/;SECTION=2.TEXT", false, &b);
	ok(span_ends(buf_span(&whole), SPAN("\"mixed\")")) &&
	    span_find(buf_span(&whole), buf_span(&b)) < whole.n &&
	    span_ends(buf_span(&b), SPAN("\"x\")")),
	    "a message has its own, and that of one in it is a part of it");
	structure(st, "/;SECTION=2", false, &b);
	ok(span_starts(buf_span(&b), SPAN("(\"message\" \"rfc822\"")) &&
	    span_find(buf_span(&whole), buf_span(&b)) < whole.n,
	    "as a part it is a message");
	t_close(mb);
	buf_free(&b);
	buf_free(&whole);
	t_remove_dir();
	return done();
}
