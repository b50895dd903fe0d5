/* SPDX-License-Identifier: ISC */
#include "auth/saslprep.h"

#include <openssl/crypto.h>

#include "auth/account.h"
#include "text/icu.h"

/* NFKC makes at most 18 units of one; longer is refused as too long. */
enum { WIDE = PASSWORD_MAX * 4 };

static enum saslprep
wide(const struct icu *lib, struct span in, struct buf *to)
{
	UErrorCode e = U_ZERO_ERROR;
	UChar raw[WIDE], done[WIDE];
	int32_t nraw = 0, ndone = 0, n = 0;
	UStringPrepProfile *p =
	    lib->usprep_openByType(USPREP_RFC4013_SASLPREP, &e);

	if (U_FAILURE(e))
		return SASLPREP_TEMP;
	lib->u_strFromUTF8(raw, WIDE, &nraw, in.p, (int32_t)in.n, &e);
	if (U_SUCCESS(e))
		ndone = lib->usprep_prepare(p, raw, nraw, done, WIDE,
		    USPREP_ALLOW_UNASSIGNED, NULL, &e);
	if (U_SUCCESS(e) && ndone == 0)
		e = U_ILLEGAL_ARGUMENT_ERROR;
	if (U_SUCCESS(e)) {
		char *at = buf_room(to, PASSWORD_MAX + 1);

		lib->u_strToUTF8(at, PASSWORD_MAX, &n, done, ndone, &e);
		if (U_SUCCESS(e))
			to->n += (size_t)n;
	}
	lib->usprep_close(p);
	OPENSSL_cleanse(raw, sizeof raw);
	OPENSSL_cleanse(done, sizeof done);
	return U_SUCCESS(e) ? SASLPREP_OK : SASLPREP_BAD;
}

enum saslprep
saslprep(struct span in, struct buf *to)
{
	bool ascii = true;

	if (in.n == 0 || in.n > PASSWORD_MAX)
		return SASLPREP_BAD;
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		/* RFC 4013 2.3, by way of RFC 3454 C.2.1 */
		if (c < ' ' || c == 0x7f)
			return SASLPREP_BAD;
		if (c > 0x7f)
			ascii = false;
	}
	if (ascii) {
		buf_add(to, in);
		return SASLPREP_OK;
	}
	const struct icu *lib = icu();

	return lib == NULL ? SASLPREP_TEMP : wide(lib, in, to);
}
