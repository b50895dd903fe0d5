/* SPDX-License-Identifier: ISC */
#include "imap/urlauth.h"

#include "../../t.h"

#define RUMP "imap://joe@example.com/INBOX/;uid=20/;section=1.2;" \
	"urlauth=submit+fred"

/*
 * Worked out with
 *     printf %s RUMP | openssl dgst -sha256 -mac HMAC \
 *         -macopt hexkey:01000102…1f
 */
#define TOKEN "01" \
	"66a942e809a70d1232d40bda53a6a397c074058f9151875d2e699ca55be97f60"

int
main(void)
{
	static const struct span rump = SPAN_INIT(RUMP);
	unsigned char key[URLAUTH_KEY], other[URLAUTH_KEY] = { 0 };
	struct buf token = { 0 };

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (unsigned char)i;
	urlauth_token(key, rump, &token);
	is(buf_span(&token), SPAN(TOKEN),
	    "the token is the version and the HMAC-SHA-256 of the rump");
	ok(token.n == URLAUTH_TOKEN, "of 66 digits");
	ok(urlauth_valid(key, rump, buf_span(&token)), "it is valid");
	ok(!urlauth_valid(other, rump, buf_span(&token)),
	    "it is not under another key");
	ok(!urlauth_valid(key, SPAN(""), buf_span(&token)),
	    "it is not for another rump");
	ok(!urlauth_valid(key, rump, SPAN("")), "no token is not valid");
	buf_free(&token);
	return done();
}
