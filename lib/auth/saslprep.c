/* SPDX-License-Identifier: ISC */
#include "auth/saslprep.h"

#include <dlfcn.h>
#include <string.h>

#include <openssl/crypto.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include "auth/account.h"

/* ICU's functions carry its version in their names, as urename.h has it. */
#define TEXT(x) #x
#define NAME(x) TEXT(x)

struct icu {
	UStringPrepProfile *(*open)(UStringPrepProfileType, UErrorCode *);
	void (*close)(UStringPrepProfile *);
	int32_t (*prepare)(const UStringPrepProfile *, const UChar *, int32_t,
	    UChar *, int32_t, int32_t, UParseError *, UErrorCode *);
	UChar *(*from)(UChar *, int32_t, int32_t *, const char *, int32_t,
	    UErrorCode *);
	char *(*to)(char *, int32_t, int32_t *, const UChar *, int32_t,
	    UErrorCode *);
};

static bool
symbol(void *lib, const char *name, void *fn)
{
	void *p = dlsym(lib, name);

	/* ISO C has no cast from an object to a function pointer. */
	memcpy(fn, &p, sizeof p);
	return p != NULL;
}

static bool
load(struct icu *icu)
{
	/* Never closed: a process prepares one password or two. */
	void *lib = dlopen("libicuuc.so." NAME(U_ICU_VERSION_MAJOR_NUM),
	    RTLD_NOW | RTLD_LOCAL);

	return lib != NULL &&
	    symbol(lib, NAME(usprep_openByType), &icu->open) &&
	    symbol(lib, NAME(usprep_close), &icu->close) &&
	    symbol(lib, NAME(usprep_prepare), &icu->prepare) &&
	    symbol(lib, NAME(u_strFromUTF8), &icu->from) &&
	    symbol(lib, NAME(u_strToUTF8), &icu->to);
}

/* NFKC makes at most 18 units of one; longer is refused as too long. */
enum { WIDE = PASSWORD_MAX * 4 };

static enum saslprep
wide(const struct icu *icu, struct span in, struct buf *to)
{
	UErrorCode e = U_ZERO_ERROR;
	UChar raw[WIDE], done[WIDE];
	int32_t nraw = 0, ndone = 0, n = 0;
	UStringPrepProfile *p =
	    icu->open(USPREP_RFC4013_SASLPREP, &e);

	if (U_FAILURE(e))
		return SASLPREP_TEMP;
	icu->from(raw, WIDE, &nraw, in.p, (int32_t)in.n, &e);
	if (U_SUCCESS(e))
		ndone = icu->prepare(p, raw, nraw, done, WIDE,
		    USPREP_ALLOW_UNASSIGNED, NULL, &e);
	if (U_SUCCESS(e) && ndone == 0)
		e = U_ILLEGAL_ARGUMENT_ERROR;
	if (U_SUCCESS(e)) {
		char *at = buf_room(to, PASSWORD_MAX + 1);

		icu->to(at, PASSWORD_MAX, &n, done, ndone, &e);
		if (U_SUCCESS(e))
			to->n += (size_t)n;
	}
	icu->close(p);
	OPENSSL_cleanse(raw, sizeof raw);
	OPENSSL_cleanse(done, sizeof done);
	return U_SUCCESS(e) ? SASLPREP_OK : SASLPREP_BAD;
}

enum saslprep
saslprep(struct span in, struct buf *to)
{
	struct icu icu;
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
	return load(&icu) ? wide(&icu, in, to) : SASLPREP_TEMP;
}
