/* SPDX-License-Identifier: ISC */
#include "store/seek.h"

#include <stdlib.h>

#include "mime/parse.h"
#include "text/base64.h"
#include "text/qp.h"

#include "../../t.h"

/* A message in memory stands for one of the store (store/message.h), which
 * gives it in small pieces. */
struct message {
	struct span octets;
	struct digest digest;
	unsigned reads;
};

const struct digest *
message_digest(const struct message *m)
{
	return &m->digest;
}

ssize_t
message_read(struct message *m, uint64_t wire, char *p, size_t n)
{
	struct span s = span_head(span_skip(m->octets, (size_t)wire), n);

	m->reads++;
	s.n = s.n > 100 ? 100 : s.n;
	memcpy(p, s.p, s.n);
	return (ssize_t)s.n;
}

static bool
always(void *arg)
{
	(void)arg;
	return true;
}

enum where { FIELD, ADDRESS, TEXT, BODY };

/* Whether that string is found there in that message. */
static bool
found(struct span octets, enum where where, const char *name,
    const char *needle)
{
	struct message m = { .octets = octets };
	struct mime_parser *p = mime_parser_new(true);
	struct span s = span_str(needle);
	struct seek_field f = { .name = span_str(name),
		.address = where == ADDRESS, .needle = &s, .needles = 1 };
	struct seek k = { 0 };
	struct buf raw = { 0 };
	bool yes;

	mime_parser_feed(p, octets);
	mime_parser_finish(p, &raw);
	mime_parser_free(p);
	digest_open(buf_span(&raw), &m.digest);
	if (where == FIELD || where == ADDRESS) {
		k.field = &f;
		k.fields = 1;
	} else {
		k.body.needle = k.head.needle = &s;
		k.body.needles = 1;
		k.head.needles = where == TEXT;
	}
	seek_ready(&k);
	seek_begin(&k);
	seek_kept(&k, &m.digest);
	if (seek_wants(&k))
		seek_message(&k, &m, always, NULL);
	if (k.fields > 0)
		yes = f.present && scan_found(f.scan, 0);
	else
		yes = scan_found(k.body.scan, 0) ||
		    (where == TEXT && scan_found(k.head.scan, 0));
	seek_free(&k);
	buf_free(&raw);
	return yes;
}

#define GRUESSE "gr\xc3\xbc\xc3\x9f" "e"
#define PRIVET "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"
#define NIHON "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"
#define ZHONGWEN "\xe4\xb8\xad\xe6\x96\x87"

static const char header_fields[] =
    "From: =?iso-8859-1?q?J=FCrgen_M=FCller?= <jm@example.org> (home)\r\n"
    "To: a group: \"Doe, Jane\" <jane@example.net>, \"O\\\"x\"@b;\r\n"
    "Cc: <user-cc (comment)@ (comment) example.org>\r\n"
    "Subject: =?koi8-r?b?8NLJ18XU?= =?utf-8?q?_and?=\r\n more\r\n"
    "X-Raw: caf\xe9 noir\r\n"
    "X-Odd: =?nonesuch?q?W=6Frds?=\r\n"
    "X-Empty:\r\n"
    "X-Two: first\r\n"
    "x-two: second\r\n"
    "Content-Disposition: inline; filename*=utf-8''%C3%9Cber.txt\r\n"
    "\r\n"
    "the text\r\n";

static const struct {
	enum where where;
	const char *name, *needle;
	bool want;
} in_header[] = {
	{ FIELD, "from", "J\xc3\x9cRGEN m", true },
	{ FIELD, "From", "(home)", true },
	{ ADDRESS, "from", "m\xc3\xbcller <jm@example.org>", true },
	{ ADDRESS, "to", "doe, jane <jane@example.net>", true },
	{ ADDRESS, "to", "A Group", true },
	{ ADDRESS, "cc", "user-cc@example.org", true },
	{ FIELD, "cc", "user-cc@example.org", false },
	{ FIELD, "subject", PRIVET " and more", true },
	{ FIELD, "subject", "\xd0\x9f\xd0\xa0\xd0\x98", true },
	{ FIELD, "subject", "", true },
	{ FIELD, "subject", "subject", false },
	{ FIELD, "x-empty", "", true },
	{ FIELD, "x-empty", "x", false },
	{ FIELD, "x-absent", "", false },
	{ FIELD, "x-two", "first", true },
	{ FIELD, "X-TWO", "SECOND", true },
	{ FIELD, "x-two", "firstsecond", false },
	{ FIELD, "x-raw", "NOIR", true },
	{ FIELD, "x-raw", "caf\xe9", true },
	{ FIELD, "x-raw", "the text", false },
	{ FIELD, "x-odd", "words", true },
	{ FIELD, "content-disposition", "\xc3\xbc" "ber", true },
	{ TEXT, "", "SUBJECT: " PRIVET, true },
	{ TEXT, "", "the text", true },
	{ TEXT, "", "x-empty:", true },
	{ TEXT, "", "x-raw: caf", true },
	{ TEXT, "", "caf\xe9 noir", true },
	{ TEXT, "", "koi8-r", false },
	{ BODY, "", "the text", true },
	{ BODY, "", "noir", false },
};

/* The same text under every coat. */
static const struct {
	const char *charset, *octets, *needle;
} coat[] = {
	{ "us-ascii", "plain Words", "PLAIN w" },
	{ "", "plain Words", "PLAIN w" },
	{ "utf-8", "x Gr\xc3\xbc\xc3\x9f" "e x", GRUESSE },
	{ "iso-8859-1", "x Gr\xfc\xdf" "e x", GRUESSE },
	{ "iso-8859-15", "100 \xa4", "100 \xe2\x82\xac" },
	{ "windows-1252", "\x93Gr\xfc\xdf" "e\x94", "\xe2\x80\x9c" GRUESSE },
	{ "koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", PRIVET },
	{ "windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", PRIVET },
	{ "iso-2022-jp", "\x1b$BF|K\\8l\x1b(B", NIHON },
	{ "shift_jis", "\x93\xfa\x96{\x8c\xea", NIHON },
	{ "euc-jp", "\xc6\xfc\xcb\xdc\xb8\xec", NIHON },
	{ "big5", "\xa4\xa4\xa4\xe5", ZHONGWEN },
	{ "gb2312", "\xd6\xd0\xce\xc4", ZHONGWEN },
	{ "nonesuch", "x Gr\xc3\xbc\xc3\x9f" "e x", GRUESSE },
	{ "nonesuch", "a\xff" "B c", "b c" },
	{ "shift_jis", "Gr\xc3\xbc\xc3\x9f" "e \xff", GRUESSE },
	{ "utf-8", "a\xff" "B c", "b c" },
};

static void
coats(void)
{
	static const char *const encoding[] = { "8bit", "base64",
		"quoted-printable", "binary", "x-unknown" };

	for (size_t i = 0; i < COUNT(coat); i++)
		for (size_t j = 0; j < COUNT(encoding); j++) {
			struct buf b = { 0 };
			struct base64_enc b64 = { .wrap = true };
			struct qp_enc qp = { 0 };
			struct span text = span_str(coat[i].octets);

			buf_adds(&b, "Subject: x\r\nMIME-Version: 1.0\r\n"
			    "Content-Type: multipart/mixed; boundary=b\r\n"
			    "\r\n--b\r\nContent-Type: text/plain");
			if (coat[i].charset[0] != '\0')
				buf_adds(&b, "; charset=");
			buf_adds(&b, coat[i].charset);
			buf_adds(&b, "\r\nContent-Transfer-Encoding: ");
			buf_adds(&b, encoding[j]);
			buf_adds(&b, "\r\n\r\n");
			/* So that it lies across pieces. */
			for (int k = 0; k < 250 + (int)(i * 7); k++) {
				if (j == 1)
					base64_encode(&b64, SPAN("-"), &b);
				else if (j == 2)
					qp_encode(&qp, SPAN("-"), &b);
				else
					buf_addc(&b, '-');
			}
			if (j == 1) {
				base64_encode(&b64, text, &b);
				base64_encode_end(&b64, &b);
			} else if (j == 2) {
				qp_encode(&qp, text, &b);
				qp_encode_end(&qp, &b);
			} else
				buf_add(&b, text);
			buf_adds(&b, "\r\n--b--\r\n");
			ok(found(buf_span(&b), BODY, "", coat[i].needle) &&
			    !found(buf_span(&b), BODY, "", "absent"),
			    coat[i].charset);
			buf_free(&b);
		}
}

static const char parts[] =
    "Subject: outer\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n"
    "\r\n"
    "preamble\r\n"
    "--b\r\n"
    "Content-Type: application/octet-stream; name=\"photo.jpg\"\r\n"
    "\r\n"
    "binary words\r\n"
    "--b\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: =?iso-8859-1?q?inn=E9r?=\r\n"
    "\r\n"
    "inside\r\n"
    "--b\r\n"
    "\r\n"
    "end of one\r\n"
    "--b\r\n"
    "\r\n"
    "start of two\r\n"
    "--b--\r\n"
    "epilogue\r\n";

static const struct {
	enum where where;
	const char *needle;
	bool want;
	const char *name;
} in_parts[] = {
	{ BODY, "inside", true, "text of a message inside" },
	{ BODY, "INN\xc3\x89R", true, "header of a message inside" },
	{ BODY, "photo.jpg", true, "names of attachments" },
	{ BODY, "binary words", false, "octets of attachments are not" },
	{ BODY, "outer", false, "the header is not the body" },
	{ TEXT, "outer", true, "but of the text" },
	{ BODY, "one\r\nstart", false, "no match from part to part" },
};

static void
too_deep(void)
{
	struct buf b = { 0 };

	for (int i = 0; i < 150; i++)
		buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n"
		    "\r\n--b%d\r\n", i, i);
	buf_adds(&b, "\r\nneedle\r\n");
	ok(found(buf_span(&b), BODY, "", "needle"),
	    "what is too deep to be parsed is searched as it is");
	buf_free(&b);
}

static void
stops_early(void)
{
	struct buf b = { 0 }, raw = { 0 };
	struct span needle = SPAN("here");
	struct seek k = { .body = { .needle = &needle, .needles = 1 } };
	struct mime_parser *p = mime_parser_new(true);
	struct message m = { 0 };

	buf_adds(&b, "Subject: x\r\n\r\nhere\r\n");
	while (b.n < 1000000)
		buf_adds(&b, "and a lot of other text\r\n");
	m.octets = buf_span(&b);
	mime_parser_feed(p, m.octets);
	mime_parser_finish(p, &raw);
	mime_parser_free(p);
	digest_open(buf_span(&raw), &m.digest);
	seek_ready(&k);
	seek_begin(&k);
	seek_message(&k, &m, always, NULL);
	ok(scan_found(k.body.scan, 0) && m.reads < 1000,
	    "what was found is not looked for any further");
	seek_free(&k);
	buf_free(&b);
	buf_free(&raw);
}

int
main(void)
{
	struct span h = { header_fields, sizeof header_fields - 1 };

	for (size_t i = 0; i < COUNT(in_header); i++)
		ok(found(h, in_header[i].where, in_header[i].name,
		    in_header[i].needle) == in_header[i].want,
		    in_header[i].needle);
	for (size_t i = 0; i < COUNT(in_parts); i++)
		ok(found((struct span){ parts, sizeof parts - 1 },
		    in_parts[i].where, "", in_parts[i].needle) ==
		    in_parts[i].want, in_parts[i].name);
	coats();
	too_deep();
	stops_early();
	return done();
}
