/* SPDX-License-Identifier: ISC */
#include "imap/mailbox.h"

#include "../../t.h"

/* RFC 5092 8: in URLs names are UTF-8.  And back. */
static void
urls(void)
{
	static const struct {
		const char *ns, *text, *want;
	} t[] = {
		{ "/", "inbox", "INBOX" },
		{ "/", "Lists/C/", "Lists|C" },
		{ "/", "Entw\xc3\xbcrfe", "Entw\xc3\xbcrfe" },
		{ "/", "R&D &AOk-", "R&D &AOk-" },
		{ "INBOX. .", "INBOX.a.b", "a|b" },
		{ "INBOX. .", "a", NULL },
		{ "/", "a\xff", NULL },
		{ "/", "a/../b", NULL },
		{ "/", "a//b", NULL },
		{ "/", "", NULL },
	};
	struct buf name = { 0 }, back = { 0 };
	struct imap_space ns;

	for (size_t i = 0; i < COUNT(t); i++) {
		buf_clear(&name);
		buf_clear(&back);
		bool good = imap_space_parse(span_str(t[i].ns), &ns) &&
		    imap_mailbox_utf8(&ns, span_str(t[i].text), &name);

		if (good) {
			imap_mailbox_text(&ns, buf_span(&name), &back);
			ok(span_istarts(span_str(t[i].text),
			    buf_span(&back)), "and back");
		}
		for (size_t j = 0; j < name.n; j++)
			if (name.p[j] == '\0')
				name.p[j] = '|';
		is(good ? buf_span(&name) : SPAN("(none)"),
		    span_str(t[i].want ? t[i].want : "(none)"), t[i].text);
	}
	ok(!imap_mailbox_text(&ns, SPAN("a\0b/c"), &back),
	    "a delimiter in a component cannot be written");
	buf_free(&back);
	buf_free(&name);
}

int
main(void)
{
	/* want: components with "|" between them; NULL: no name. */
	static const struct {
		const char *ns, *wire, *want;
		bool oneway;	/* it is written another way back */
	} t[] = {
		{ "/", "INBOX", "INBOX", false },
		{ "/", "inbox", "INBOX", true },
		{ "/", "Lists/C", "Lists|C", false },
		{ "/", "Lists/C/", "Lists|C", true },
		{ "/", "a.b/c", "a.b|c", false },
		{ "/", "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
		    "~peter|mail|\xe5\x8f\xb0\xe5\x8c\x97|"
		    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", false },
		{ "/", "Entw&APw-rfe", "Entw\xc3\xbcrfe", false },
		{ "/", "R&-D", "R&D", false },
		{ "/", "", NULL, false },
		{ "/", "/", NULL, false },
		{ "/", "/a", NULL, false },
		{ "/", "a//b", NULL, false },
		{ "/", "a//", NULL, false },
		{ "/", "..", NULL, false },
		{ "/", "../x", NULL, false },
		{ "/", "a/../b", NULL, false },
		{ "/", "a/./b", NULL, false },
		{ "/", "&AC8-", NULL, false },
		{ "/", "a&AC8-b", NULL, false },
		{ "/", "&AAA-", NULL, false },
		{ "/", "a&AAAALg-", NULL, false },
		{ "/", "&AC4ALg-", NULL, false },
		{ "/", "&Jjo", NULL, false },
		{ "/", "&Jjo-&Jjo-", NULL, false },
		{ "/", "&2AA-", NULL, false },
		{ "/", "&!-", NULL, false },
		{ "/", "caf\xc3\xa9", NULL, false },
		{ "/", "a\tb", NULL, false },
		{ "/", "a\x7f", NULL, false },
		{ "INBOX. .", "INBOX", "INBOX", false },
		{ "INBOX. .", "INBOX.Sent", "Sent", false },
		{ "INBOX. .", "inbox.Sent", "Sent", true },
		{ "INBOX. .", "INBOX.a.b", "a|b", false },
		{ "INBOX. .", "INBOX.a&AC4-b", "a.b", false },
		{ "INBOX. .", "INBOX.", NULL, false },
		{ "INBOX. .", "Sent", NULL, false },
		{ "INBOX. .", "INBOX.a/b", NULL, false },
		{ "INBOX..", "INBOX.x", "x", false },
		{ "mail/ /", "mail/x", "x", false },
		{ "mail/ /", "Mail/x", NULL, false },
	};
	struct buf name = { 0 }, wire = { 0 };
	struct imap_space ns;

	for (size_t i = 0; i < COUNT(t); i++) {
		buf_clear(&name);
		buf_clear(&wire);
		bool good = imap_space_parse(span_str(t[i].ns), &ns) &&
		    imap_mailbox_decode(&ns, span_str(t[i].wire), &name);

		if (good)
			imap_mailbox_encode(&ns, buf_span(&name), &wire);
		for (size_t j = 0; j < name.n; j++)
			if (name.p[j] == '\0')
				name.p[j] = '|';
		is(good ? buf_span(&name) : SPAN("(none)"),
		    span_str(t[i].want ? t[i].want : "(none)"), t[i].wire);
		if (good && !t[i].oneway)
			is(buf_span(&wire), span_str(t[i].wire),
			    "and back again");
	}
	ok(!imap_mailbox_decode(&ns, SPAN("mail/a\0b"), &name),
	    "NUL is in no name");
	ok(!imap_space_parse(SPAN(""), &ns) &&
	    !imap_space_parse(SPAN("x"), &ns) &&
	    !imap_space_parse(SPAN("INBOX ."), &ns) &&
	    !imap_space_parse(SPAN("INBOX/ ."), &ns) &&
	    !imap_space_parse(SPAN(". ."), &ns),
	    "a namespace is a delimiter and perhaps a prefix that ends in it");
	urls();
	buf_free(&name);
	buf_free(&wire);
	return done();
}
