/* SPDX-License-Identifier: ISC */
#include "text/header.h"

#include "../../t.h"

#define BAD "\xef\xbf\xbd"

static const struct {
	const char *in, *out;
	bool whole;
} row[] = {
	/* RFC 2047 8 */
	{ "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
	    "Keith Moore <moore@cs.utk.edu>", true },
	{ "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>",
	    "Keld J\xc3\xb8rn Simonsen <keld@dkuug.dk>", true },
	{ "=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>",
	    "Andr\xc3\xa9 Pirard <PIRARD@vm1.ulg.ac.be>", true },
	{ "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
	    " =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
	    "If you can read this you understand the example.", true },
	{ "=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>",
	    "Patrik F\xc3\xa4ltstr\xc3\xb6m <paf@nada.kth.se>", true },
	{ "Nathaniel Borenstein <nsb@thumper.bellcore.com>\r\n"
	    "    (=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)",
	    "Nathaniel Borenstein <nsb@thumper.bellcore.com>    ("
	    "\xd7\x9d\xd7\x95\xd7\x9c\xd7\xa9 \xd7\x9f\xd7\x91 "
	    "\xd7\x99\xd7\x9c\xd7\x98\xd7\xa4\xd7\xa0)", true },
	{ "(=?ISO-8859-1?Q?a?=)", "(a)", true },
	{ "(=?ISO-8859-1?Q?a?= b)", "(a b)", true },
	{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)", true },
	{ "(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)", true },
	{ "(=?ISO-8859-1?Q?a?=\r\n       =?ISO-8859-1?Q?b?=)", "(ab)", true },
	{ "(=?ISO-8859-1?Q?a_b?=)", "(a b)", true },
	{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)", true },
	/* RFC 2231 5 */
	{ "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore", true },
	/* Folds, and what is no encoded word. */
	{ " a\r\n b\r\n\tc\r\n", " a b\tc", true },
	{ "a\n b", "a b", true },
	{ "=? =?? =?a?= =?a?q?x", "=? =?? =?a?= =?a?q?x", true },
	{ "a =?utf-8?q?b c?= d", "a =?utf-8?q?b c?= d", true },
	{ "=?=?utf-8?q?b?=", "=?b", true },
	/* Cut characters, and charsets with shifts. */
	{ "=?utf-8?q?=C3?= =?UTF-8?b?qQ==?=", "\xc3\xa9", true },
	{ "=?iso-2022-jp?B?GyRCRnwbKEI=?= =?iso-2022-jp?B?GyRCS1wbKEI=?=",
	    "\xe6\x97\xa5\xe6\x9c\xac", true },
	{ "=?utf-8?q?=C3?= x =?utf-8?q?=A9?=", BAD " x " BAD, false },
	/* Written wrongly, and kept. */
	{ "=?utf-8?q?a=4?=", "=?utf-8?q?a=4?=", false },
	{ "=?utf-8?q?a=zz?=", "=?utf-8?q?a=zz?=", false },
	{ "=?utf-8?b?a*b?=", "=?utf-8?b?a*b?=", false },
	{ "=?utf-8?b?YWJjZ?=", "=?utf-8?b?YWJjZ?=", false },
	{ "=?utf-8?b?YQ?=", "a", true },
	{ "=?utf-8?x?a?=", "=?utf-8?x?a?=", true },
	{ "=?nonesuch?q?a?=", "=?nonesuch?q?a?=", false },
	{ "=?utf-8?q?a?= =?nonesuch?q?b?= =?utf-8?q?c?=",
	    "a =?nonesuch?q?b?= c", false },
	{ "=?utf-8?q?\?=", "", true },
	{ "\"=?utf-8?q?a?=\" x=?utf-8?q?b?=y", "\"a\" xby", true },
	/* Octets above 127. */
	{ "gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e", true },
	{ "gr\xfc" "e", "gr" BAD "e", false },
	{ "=?utf-8?q?a=FF?=", "a" BAD, false },
	{ "", "", true },
};

/* reliability.md: headers that cost other programs minutes. */
static void
cost(void)
{
	static const char *const part[] = { "=?", "=?a?q?", "=?utf-8?q?",
		"=?utf-8?q?a?= ", "=?utf-8?q?=C3?=", "=?a", "=?x?b?=",
		"=?utf-8?b?YQ?=\r\n ", "=?koi8-r?q?a?= =?koi8-u?q?a?= " };

	for (size_t i = 0; i < COUNT(part); i++) {
		struct buf in = { 0 }, out = { 0 };

		while (in.n < 1024 * 1024)
			buf_adds(&in, part[i]);
		header_decode(buf_span(&in), &out);
		ok(out.n <= 3 * in.n, part[i]);
		buf_free(&in);
		buf_free(&out);
	}
}

int
main(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(row); i++) {
		buf_clear(&b);
		ok(header_decode(span_str(row[i].in), &b) == row[i].whole,
		    "and whether all was understood");
		is(buf_span(&b), span_str(row[i].out), row[i].in);
	}
	buf_clear(&b);
	header_octets(SPAN("=?nonesuch?q?a=FF?= =?koi8-r?b?8A==?=\r\n b\xe9"),
	    &b);
	is(buf_span(&b), SPAN("a\xff\xf0 b\xe9"), "words without charsets");
	buf_free(&b);
	cost();
	return done();
}
