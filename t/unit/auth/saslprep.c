/* SPDX-License-Identifier: ISC */
#include "auth/saslprep.h"

#include "auth/account.h"

#include "../../t.h"

int
main(void)
{
	/* The first six are the examples of RFC 4013 3. */
	static const struct {
		const char *in, *want;	/* want NULL: refused */
	} row[] = {
		{ "I\xc2\xadX", "IX" },
		{ "user", "user" },
		{ "USER", "USER" },
		{ "\xc2\xaa", "a" },
		{ "\xe2\x85\xa8", "IX" },
		{ "\x07", NULL },
		{ "\xd8\xa7\x31", NULL },
		{ "", NULL },
		{ "pass word", "pass word" },
		{ "pass\xc2\xa0word", "pass word" },
		{ "e\xcc\x81", "\xc3\xa9" },
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "tab\there", NULL },
		{ "del\x7f", NULL },
		{ "bad\xff", NULL },
		{ "over\xc0\xaflong", NULL },
		{ "surrogate\xed\xa0\x80", NULL },
		{ "\xc2\xad", NULL },
		{ "\xee\x80\x80", NULL },
		{ "\xe2\x82\xbf", "\xe2\x82\xbf" },
	};
	char big[PASSWORD_MAX + 1];

	for (size_t i = 0; i < COUNT(row); i++) {
		struct buf b = { 0 };
		enum saslprep r = saslprep(span_str(row[i].in), &b);

		if (row[i].want == NULL)
			ok(r == SASLPREP_BAD && b.n == 0, row[i].in);
		else
			is(buf_span(&b), span_str(row[i].want), row[i].in);
		buf_free(&b);
	}
	struct buf b = { 0 };

	ok(saslprep((struct span){ "a\0b", 3 }, &b) == SASLPREP_BAD,
	    "NUL is refused");
	memset(big, 'x', sizeof big);
	ok(saslprep((struct span){ big, PASSWORD_MAX }, &b) == SASLPREP_OK &&
	    b.n == PASSWORD_MAX, "the longest password passes");
	ok(saslprep((struct span){ big, sizeof big }, &b) == SASLPREP_BAD,
	    "a longer one does not");
	buf_clear(&b);
	/* U+FDFA becomes 18 characters. */
	for (size_t i = 0; i + 3 <= PASSWORD_MAX; i += 3)
		memcpy(big + i, "\xef\xb7\xba", 3);
	ok(saslprep((struct span){ big, PASSWORD_MAX - 1 }, &b) ==
	    SASLPREP_BAD, "one that grows too long is refused");
	buf_free(&b);
	return done();
}
