/* SPDX-License-Identifier: ISC */
#include "url.h"

#define MAIL \
	"From: a@b\r\nSubject: s\r\nMIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=x\r\n\r\n" \
	"--x\r\n\r\none\r\n" \
	"--x\r\nContent-Type: text/plain\r\n\r\ntwo\r\nlines\r\n" \
	"--x\r\n\r\n\r\n--x--\r\n"

static void
sink(void *arg, struct span s)
{
	buf_add(arg, s);
}

/* The octets that the URL names, "(gone)" or "(failed)". */
static void
read_url(struct store *st, struct span text, struct view *selected,
    struct buf *b)
{
	struct resolved r = { 0 };
	struct arena a = { 0 };
	struct imap_url u;
	enum store_result e = STORE_NONEXISTENT;

	buf_clear(b);
	if (imap_url_parse(&a, text, &u) == NULL)
		e = url_resolve(st, &t_space, &u, selected, &r);
	if (e == STORE_NONEXISTENT)
		buf_adds(b, "(gone)");
	else if (e != STORE_OK || resolved_read(&r, sink, b) != 0)
		buf_adds(b, "(failed)");
	else if (b->n != r.n)
		buf_adds(b, "(another size)");
	resolved_free(&r);
	arena_free(&a);
}

static void
table(struct store *st, struct view *selected)
{
	static const struct {
		const char *url, *want;
	} t[] = {
		{ "/INBOX/;UID=1/;SECTION=1", "one" },
		{ "imap://anybody@anywhere/inbox/;UID=1/;SECTION=2",
		    "two\r\nlines" },
		{ "/INBOX/;UID=1/;SECTION=3", "" },
		{ "/INBOX/;UID=1/;SECTION=2.MIME",
		    "Content-Type: text/plain\r\n\r\n" },
		{ "/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)",
		    "Subject: s\r\n\r\n" },
		{ "/INBOX/;UID=1/;SECTION=2/;PARTIAL=3", "\r\nlines" },
		{ "/INBOX/;UID=1/;SECTION=2/;PARTIAL=1.3", "wo\r" },
		{ "/INBOX/;UID=1/;SECTION=2/;PARTIAL=5.4294967295", "lines" },
		{ "/INBOX/;UID=1/;SECTION=2/;PARTIAL=10.1", "" },
		{ "/INBOX/;UID=1/;SECTION=2/;PARTIAL=4294967295.4294967295",
		    "" },
		{ "/INBOX/;UID=1/;PARTIAL=0.9", "From: a@b" },
		{ "/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)/"
		    ";PARTIAL=9.1", "s" },
		{ "/a/Entw%C3%BCrfe/;UID=1/;SECTION=TEXT", "draft\r\n" },
		{ "/INBOX", "(gone)" }, { "/INBOX?ALL", "(gone)" },
		{ "imap://anybody@anywhere/", "(gone)" },
		{ "/INBOX/;UID=2", "(gone)" },
		{ "/INBOX/;UID=4294967295", "(gone)" },
		{ "/INBOX/;UID=1/;SECTION=4", "(gone)" },
		{ "/INBOX/;UID=1/;SECTION=1.HEADER", "(gone)" },
		{ "/INBOX;UIDVALIDITY=1/;UID=1", "(gone)" },
		{ "/none/;UID=1", "(gone)" }, { "/../;UID=1", "(gone)" },
		{ "/a%2FEntw&APw-rfe/;UID=1", "(gone)" },
		{ "/%FF/;UID=1", "(gone)" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(t); i++) {
		read_url(st, span_str(t[i].url), NULL, &b);
		is(buf_span(&b), span_str(t[i].want), t[i].url);
	}
	read_url(st, SPAN(";UID=1/;SECTION=1"), NULL, &b);
	is(buf_span(&b), SPAN("(gone)"), "no mailbox is selected");
	read_url(st, SPAN(";UID=1/;SECTION=1"), selected, &b);
	is(buf_span(&b), SPAN("one"), "a UID is of the selected mailbox");
	read_url(st, SPAN("/a/Entw%C3%BCrfe/;UID=1/;SECTION=TEXT"), selected,
	    &b);
	is(buf_span(&b), SPAN("draft\r\n"), "unless another is named");
	buf_addf(&b, "/INBOX;UIDVALIDITY=%u/;UID=1/;SECTION=1",
	    view_uidvalidity(selected));
	struct span url = span_skip(buf_span(&b), strlen("draft\r\n"));
	struct buf c = { 0 };

	read_url(st, url, NULL, &c);
	is(buf_span(&c), SPAN("one"), "its UIDVALIDITY may be said");
	buf_free(&b);
	buf_free(&c);
}

static void
changes(struct store *st, struct mailbox *mb, struct view *selected)
{
	uint64_t modseq;
	struct buf b = { 0 };

	t_is(mb, "1:1", "nothing became seen");
	t_change(selected, 1, 1, FLAGS_ADD, MSG_DELETED, NULL);
	view_expunge(selected, NULL, &modseq);
	view_tidy(selected, NULL, NULL);
	read_url(st, SPAN("/INBOX/;UID=1/;SECTION=1"), selected, &b);
	is(buf_span(&b), SPAN("(gone)"), "an expunged message is gone");
	read_url(st, SPAN(";UID=1/;SECTION=1"), selected, &b);
	is(buf_span(&b), SPAN("(gone)"), "for who has it selected, too");
	buf_free(&b);
}

int
main(void)
{
	struct mailbox *mb, *drafts;
	struct view *v;

	t_make_dir();
	struct store *st = t_store();

	mb = t_inbox(st);
	t_append(mb, MAIL, 0, NULL);
	store_create(st, SPAN("a\0Entw\xc3\xbcrfe"));
	if (mailbox_open(st, SPAN("a\0Entw\xc3\xbcrfe"),
	    RIGHT_READ | RIGHT_WRITE, &drafts) != STORE_OK ||
	    view_open(mb, &v) != STORE_OK)
		return 1;
	t_append(drafts, "Subject: d\r\n\r\ndraft\r\n", 0, NULL);
	table(st, v);
	changes(st, mb, v);
	view_close(v);
	mailbox_close(drafts);
	t_close(mb);
	t_remove_dir();
	return done();
}
