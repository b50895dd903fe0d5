/* SPDX-License-Identifier: ISC */
#include "imap/url.h"

#include <stdlib.h>

#include "../../t.h"

#define TOKEN "91354a473744909de610943775f92038"
#define JOE "imap://joe@example.com/INBOX/;uid=20"
#define CANON "imap://joe@example.com/INBOX/;UID=20"

/* want: as imap_url_add writes what was understood, but for the rump; NULL:
 * it is none. */
static const struct {
	const char *text, *want;
} t[] = {
	/* RFC 5092 9 */
	{ "imap://minbari.example.org/gray-council;UIDVALIDITY=385759045/"
	    ";UID=20/;PARTIAL=0.1024", "=" },
	{ "imap://psicorp.example.org/~peter/%E6%97%A5%E6%9C%AC%E8%AA%9E/"
	    "%E5%8F%B0%E5%8C%97", "=" },
	{ "imap://;AUTH=GSSAPI@minbari.example.org/gray-council/;uid=20/"
	    ";section=1.2", "imap://;AUTH=GSSAPI@minbari.example.org/"
	    "gray-council/;UID=20/;SECTION=1.2" },
	{ "imap://;AUTH=*@minbari.example.org/gray%20council?"
	    "SUBJECT%20shadows", "=" },
	{ "imap://john;AUTH=*@minbari.example.org/babylon5/personel?"
	    "charset%20UTF-8%20SUBJECT%20%7B14+%7D%0D%0A%D0%98%D0%B2"
	    "%D0%B0%D0%BD%D0%BE%D0%B2%D0%B0", "=" },
	/* RFC 5092 9.1 */
	{ "/foo/;UID=20/..", NULL },
	{ "/foo", "=" },
	{ ";UID=20", "=" },
	{ "..;UIDVALIDITY=385759045/;UID=20", NULL },
	{ ";section=1.4", NULL },
	/* RFC 4467 1, 7 */
	{ "imap://fred@example.com/INBOX/;uid=20",
	    "imap://fred@example.com/INBOX/;UID=20" },
	{ JOE "/;section=1.2;urlauth=submit+fred:internal:" TOKEN,
	    CANON "/;SECTION=1.2;URLAUTH=submit+fred:internal:" TOKEN },
	{ "imap://example.com/Shared/;uid=20/;section=1.2;"
	    "urlauth=submit+fred", "imap://example.com/Shared/;UID=20/"
	    ";SECTION=1.2;URLAUTH=submit+fred" },
	/* servers */
	{ "imap://example.com", "=" },
	{ "imap://example.com/", "imap://example.com" },
	{ "IMAP://Example.com:143/", "imap://Example.com:143" },
	{ "//example.com/x", "imap://example.com/x" },
	{ "imap://[::1]:1143/x", "=" },
	{ "imap://127.0.0.1/x", "=" },
	{ "imap://joe%40example.org@example.com/x", "=" },
	{ "imap://joe@example.com.", "=" },
	{ "imap://", NULL }, { "imap:///x", NULL }, { "imap:/x", NULL },
	{ "imaps://h/x", NULL }, { "http://h/x", NULL }, { "", NULL },
	{ "imap://@h/x", NULL }, { "imap://a@b@h/x", NULL },
	{ "imap://joe;AUTH=@h/x", NULL }, { "imap://joe;@h/x", NULL },
	{ "imap://joe:secret@h/x", NULL }, { "imap://;AUTH=*/x", NULL },
	{ "imap://h:0/x", NULL }, { "imap://h:65536/x", NULL },
	{ "imap://h:/x", NULL }, { "imap://h:143:143/x", NULL },
	{ "imap://%68/x", NULL }, { "imap://h%00.org/x", NULL },
	{ "imap://[::1/x", NULL }, { "imap://[]/x", NULL },
	{ "imap://[h]/x", NULL }, { "imap://h\\@i/x", NULL },
	{ "imap://h#i/x", NULL }, { "imap://h /x", NULL },
	{ "imap://h?x", NULL },
	/* mailboxes */
	{ "/a/b/;UID=4294967295", "=" },
	{ "/INBOX;UIDVALIDITY=1", "=" },
	{ "/a%2Fb/;UID=1", "/a/b/;UID=1" },
	{ "/%2Fa%2F/;UID=1", "=" },
	{ "/a//;UID=1", "/a%2F/;UID=1" },
	{ "/a:b@c=d&e", "/a%3Ab%40c%3Dd%26e" },
	{ "/a;b", NULL }, { "/a b", NULL }, { "/a%", NULL },
	{ "/a%2", NULL }, { "/a%2x", NULL }, { "/a%00", NULL },
	{ "/caf\xc3\xa9", NULL }, { "/a\tb", NULL }, { "/a\"b", NULL },
	{ "/", NULL }, { "/;UID=1", NULL }, { "//;UID=1", NULL },
	{ "/a?", NULL }, { "a/;UID=1", NULL }, { "?x", NULL },
	/* messages */
	{ "/a/;UID=0", NULL }, { "/a/;UID=", NULL }, { "/a/;UID=01", NULL },
	{ "/a/;UID=4294967296", NULL }, { "/a/;UID=-1", NULL },
	{ "/a/;UID=1.", NULL }, { "/a;UID=1", NULL }, { "/a/;UID=1/", NULL },
	{ "/a/;UIDVALIDITY=1/;UID=1", NULL },
	{ "/a;UIDVALIDITY=0/;UID=1", NULL },
	{ "/a;UIDVALIDITY=1/", NULL }, { "/a;UIDVALIDITY=1;UID=1", NULL },
	{ "/a;UIDVALIDITY=1/;SECTION=1", NULL },
	{ "/a/;UID=1?x", NULL }, { "/a/;UID=1/;UID=2", NULL },
	/* sections */
	{ "/a/;UID=1/;SECTION=HEADER.FIELDS%20(From%20To)", "=" },
	{ "/a/;UID=1/;section=2.header.fields.not%20(%22a%20b%22)",
	    "/a/;UID=1/;SECTION=2.HEADER.FIELDS.NOT%20(%22a%20b%22)" },
	{ "/a/;UID=1/;SECTION=1.2.MIME", "=" },
	{ "/a/;UID=1/;SECTION=TEXT/;PARTIAL=0.10", "=" },
	{ ";UID=1/;SECTION=1", "=" },
	{ "/a/;UID=1/;SECTION=", NULL }, { "/a/;UID=1/;SECTION=0", NULL },
	{ "/a/;UID=1/;SECTION=MIME", NULL },
	{ "/a/;UID=1/;SECTION=1]", NULL }, { "/a/;UID=1/;SECTION=]", NULL },
	{ "/a/;UID=1/;SECTION=1/", NULL }, { "/a/;UID=1;SECTION=1", NULL },
	{ "/a/;UID=1/;SECTION=HEADER.FIELDS%20(%7B3%7D%0D%0Aabc)", NULL },
	{ "/a/;UID=1/;SECTION=1/;SECTION=2", NULL },
	{ "/a/;UID=1/;PARTIAL=1/;SECTION=2", NULL },
	/* CVE-2015-8077, CVE-2015-8078 */
	{ "/a/;UID=1/;PARTIAL=0", "=" },
	{ "/a/;UID=1/;PARTIAL=4294967295.4294967295", "=" },
	{ "/a/;UID=1/;PARTIAL=4294967296", NULL },
	{ "/a/;UID=1/;PARTIAL=0.4294967296", NULL },
	{ "/a/;UID=1/;PARTIAL=18446744073709551616", NULL },
	{ "/a/;UID=1/;PARTIAL=-1", NULL }, { "/a/;UID=1/;PARTIAL=0.0", NULL },
	{ "/a/;UID=1/;PARTIAL=.1", NULL }, { "/a/;UID=1/;PARTIAL=", NULL },
	{ "/a/;UID=1/;PARTIAL=0.1.1", NULL },
	/* URLAUTH */
	{ JOE ";URLAUTH=anonymous", CANON ";URLAUTH=anonymous" },
	{ JOE ";UrlAuth=AUTHUSER", CANON ";URLAUTH=authuser" },
	{ JOE ";URLAUTH=user+a%2Bb", CANON ";URLAUTH=user+a+b" },
	{ JOE ";EXPIRE=2006-01-02T15:04:05Z;URLAUTH=anonymous",
	    CANON ";EXPIRE=2006-01-02T15:04:05Z;URLAUTH=anonymous" },
	{ JOE ";expire=2006-01-02t15:04:05.999+05:30;urlauth=anonymous",
	    CANON ";EXPIRE=2006-01-02T09:34:05Z;URLAUTH=anonymous" },
	{ JOE ";EXPIRE=2005-12-31T23:59:60-00:01;URLAUTH=anonymous",
	    CANON ";EXPIRE=2006-01-01T00:01:00Z;URLAUTH=anonymous" },
	{ JOE ";EXPIRE=9999-12-31T23:59:59Z;URLAUTH=anonymous",
	    CANON ";EXPIRE=9999-12-31T23:59:59Z;URLAUTH=anonymous" },
	{ JOE ";EXPIRE=1969-12-31T23:59:59Z;URLAUTH=anonymous",
	    CANON ";EXPIRE=1969-12-31T23:59:59Z;URLAUTH=anonymous" },
	{ JOE ";EXPIRE=2006-02-29T00:00:00Z;URLAUTH=anonymous", NULL },
	{ JOE ";EXPIRE=2006-01-02T15:04:05;URLAUTH=anonymous", NULL },
	{ JOE ";EXPIRE=2006-01-02T24:00:00Z;URLAUTH=anonymous", NULL },
	{ JOE ";EXPIRE=2006-01-02%2015:04:05Z;URLAUTH=anonymous", NULL },
	{ JOE ";EXPIRE=2006-01-02T15:04:05.Z;URLAUTH=anonymous", NULL },
	{ JOE ";EXPIRE=2006-01-02T15:04:05Zx;URLAUTH=anonymous", NULL },
	{ JOE ";EXPIRE=2006-01-02T15:04:05Z", NULL },
	{ JOE ";URLAUTH=anonymous;EXPIRE=2006-01-02T15:04:05Z", NULL },
	{ JOE ";URLAUTH=", NULL }, { JOE ";URLAUTH=anonymousx", NULL },
	{ JOE ";URLAUTH=anonymous+joe", NULL },
	{ JOE ";URLAUTH=submit", NULL }, { JOE ";URLAUTH=submit+", NULL },
	{ JOE ";URLAUTH=role+joe", NULL }, { JOE "/;URLAUTH=anonymous", NULL },
	{ JOE ";URLAUTH=anonymous;URLAUTH=anonymous", NULL },
	{ JOE ";URLAUTH=anonymous:", NULL },
	{ JOE ";URLAUTH=anonymous:INTERNAL", NULL },
	{ JOE ";URLAUTH=anonymous:INTERNAL:", NULL },
	{ JOE ";URLAUTH=anonymous::" TOKEN, NULL },
	{ JOE ";URLAUTH=anonymous:IN TERNAL:" TOKEN, NULL },
	{ JOE ";URLAUTH=anonymous:INTERNAL:0123456789abcdef0123456789abcde",
	    NULL },
	{ JOE ";URLAUTH=anonymous:INTERNAL:" TOKEN "g", NULL },
	{ JOE ";URLAUTH=anonymous:X-2.0:" TOKEN "ABCDEF",
	    CANON ";URLAUTH=anonymous:X-2.0:" TOKEN "ABCDEF" },
	{ "//joe@example.com/INBOX/;uid=20;URLAUTH=anonymous", NULL },
	{ "imap://joe@example.com/INBOX;URLAUTH=anonymous", NULL },
	{ "imap://joe@example.com/INBOX?x;URLAUTH=anonymous", NULL },
	{ "/INBOX/;UID=20;URLAUTH=anonymous", "=" },
};

static void
table(void)
{
	struct buf printed = { 0 }, again = { 0 };
	struct arena a = { 0 };
	struct imap_url u;

	for (size_t i = 0; i < COUNT(t); i++) {
		struct span text = span_str(t[i].text);
		const char *why = imap_url_parse(&a, text, &u);
		const char *want = t[i].want == NULL ? "(none)" :
		    t[i].want[0] == '=' ? t[i].text : t[i].want;

		buf_clear(&printed);
		buf_clear(&again);
		u.rump.p = NULL;
		if (why == NULL)
			imap_url_add(&printed, &u);
		is(why == NULL ? buf_span(&printed) : SPAN("(none)"),
		    span_str(want), t[i].text);
		if (why != NULL)
			continue;
		if (imap_url_parse(&a, buf_span(&printed), &u) == NULL) {
			u.rump.p = NULL;
			imap_url_add(&again, &u);
		}
		is(buf_span(&again), buf_span(&printed),
		    "and what is written is read alike");
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&printed);
	buf_free(&again);
}

static void
fields(void)
{
	static const struct span text = SPAN_INIT(
	    "imap://j%6fe;AUTH=PLAIN@example.com:1430/Entw%C3%BCrfe"
	    ";UIDVALIDITY=7/;uid=20/;section=1.2/;Partial=3.4;expire="
	    "1970-01-01T00:01:00Z;urlauth=submit+fr%65d:internal:" TOKEN);
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct imap_url u;

	ok(imap_url_parse(&a, text, &u) == NULL && u.absolute,
	    "a URL with everything in it is one");
	is(u.user, SPAN("joe"), "its user is decoded");
	is(u.mech, SPAN("PLAIN"), "its way to log in");
	is(u.host, SPAN("example.com"), "its server");
	is(u.mailbox, SPAN("Entw\xc3\xbcrfe"), "its mailbox is decoded");
	is(u.access_user, SPAN("fred"), "who may use it is decoded");
	is(u.rump, span_head(text, span_find(text, SPAN(":internal"))),
	    "its rump is as it was written");
	is(u.auth_mech, SPAN("internal"), "its mechanism");
	is(u.token, SPAN(TOKEN), "its token");
	ok(u.port == 1430 && u.uidvalidity == 7 && u.uid == 20 &&
	    u.section.depth == 2 && u.section.path[1] == 2 && u.partial &&
	    u.offset == 3 && u.length == 4 && u.expire == 60 &&
	    u.access == URL_SUBMIT, "its numbers");
	imap_url_add(&b, &u);
	is(buf_span(&b), text, "with its rump it is written as it was");
	ok(imap_url_parse(&a, SPAN(JOE), &u) == NULL && u.rump.p == NULL &&
	    u.token.p == NULL && u.expire == INT64_MAX &&
	    u.access == URL_NONE, "a URL without an access has no rump");
	arena_free(&a);
	buf_free(&b);
}

static void
limits(void)
{
	static char text[IMAP_URL_MAX + 2] = "imap://h/";
	size_t n = strlen(text);
	struct arena a = { 0 };
	struct imap_url u;

	memset(text + n, 'x', sizeof text - n);
	ok(imap_url_parse(&a, (struct span){ text, IMAP_URL_MAX }, &u) ==
	    NULL, "the longest URL is one");
	ok(imap_url_parse(&a, (struct span){ text, IMAP_URL_MAX + 1 }, &u) !=
	    NULL, "a longer one is none");
	arena_reset(&a);
	imap_url_parse(&a, (struct span){ text, IMAP_URL_MAX }, &u);
	ok(a.total < 2 * IMAP_URL_MAX, "it takes memory like its length");
	arena_free(&a);
}

int
main(void)
{
	table();
	fields();
	limits();
	return done();
}
