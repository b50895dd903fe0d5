/* SPDX-License-Identifier: ISC */
#include "text/icu.h"

#include "text/charset.h"
#include "text/collation.h"
#include "text/header.h"

#include "../../t.h"

/* Whether the library is mapped into this process. */
static bool
mapped(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	bool yes = false;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		yes |= strstr(line, "libicu") != NULL;
	if (f != NULL)
		fclose(f);
	return yes;
}

int
main(void)
{
	struct buf b = { 0 };

	charset_to_utf8(SPAN("utf-8"), SPAN("gr\xc3\xbc\xc3\x9f" "e"), &b);
	charset_to_utf8(SPAN("iso-8859-15"), SPAN("\xa4"), &b);
	charset_to_utf8(SPAN("windows-1252"), SPAN("\x80"), &b);
	header_decode(SPAN("=?iso-8859-1?q?=E9?= =?us-ascii?q?a?="), &b);
	/* Latin, Greek, Cyrillic, Han, kana, Hangul, dashes and emoji. */
	collation_contains(COLLATE_UNICODE_CASEMAP, SPAN(
	    "\xc3\x89\xce\xa3\xd0\x9f\xe4\xb8\xad\xe3\x81\x8c\xed\x95\x9c"
	    "\xe2\x80\x94\xf0\x9f\x98\x80"), SPAN("\xc3\xa9"));
	ok(!mapped(), "what most mail needs does not load ICU");
	charset_to_utf8(SPAN("koi8-r"), SPAN("\xf0"), &b);
	ok(mapped(), "other charsets do");
	buf_free(&b);
	ok(icu() != NULL, "ICU of the version compiled with is found");
	ok(icu() == icu(), "it is opened once");
	ok(icu()->u_totitle('a') == 'A', "and works");
	return done();
}
