/* SPDX-License-Identifier: ISC */
#include "imap/urlauth.h"

#include <openssl/crypto.h>

#include "auth/hmac.h"

enum { VERSION = 1, MAC = 32 };

void
urlauth_token(const unsigned char key[URLAUTH_KEY], struct span rump,
    struct buf *hex)
{
	unsigned char keyed[1 + URLAUTH_KEY] = { VERSION };
	unsigned char token[1 + MAC] = { VERSION };
	struct hmac m;

	memcpy(keyed + 1, key, URLAUTH_KEY);
	hmac_key(&m, HASH_SHA256,
	    (struct span){ (const char *)keyed, sizeof keyed });
	hmac_of(&m, rump, token + 1);
	OPENSSL_cleanse(&m, sizeof m);
	OPENSSL_cleanse(keyed, sizeof keyed);
	buf_addhex(hex, token, sizeof token);
}

bool
urlauth_valid(const unsigned char key[URLAUTH_KEY], struct span rump,
    struct span token)
{
	struct buf right = { 0 };
	bool same;

	urlauth_token(key, rump, &right);
	same = token.n == right.n &&
	    CRYPTO_memcmp(right.p, token.p, right.n) == 0;
	buf_wipe(&right);
	buf_free(&right);
	return same;
}
