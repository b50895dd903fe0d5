/* SPDX-License-Identifier: ISC */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "net/provider.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/cryptoerr_legacy.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/sslerr_legacy.h>

#include "base/span.h"

enum { CALLS_MAX = 16, OPERATION_MAX = 64 };

/* The default provider's own entry, which is there where OpenSSL is linked
 * statically. */
extern OSSL_provider_init_fn ossl_default_provider_init __attribute__((weak));

/* First names of what is kept.  MD5 and SHA-1 are asked for by SSL_CTX_new,
 * SHA-1 for looking up issuers as well, SHAKE-256 by Ed448, AES-256-ECB by
 * the random generator. */
static const char *const kept[] = {
	"MD5", "SHA1", "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512",
	"SHAKE-256",
	"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-128-CBC",
	"AES-256-CBC", "AES-128-CCM", "AES-256-CCM", "AES-256-CTR",
	"AES-256-ECB",
	"HMAC", "HKDF", "TLS13-KDF", "TLS1-PRF", "CTR-DRBG",
	"RSA", "RSA-PSS", "EC", "ECDH", "ECDSA", "DH", "X25519", "X448",
	"ED25519", "ED448", "DER",
};

static OSSL_FUNC_provider_query_operation_fn *query_all;

static bool
keeps(const char *names)
{
	struct span rest = span_str(names), first = span_cut(&rest, ':');

	for (size_t i = 0; i < COUNT(kept); i++)
		if (span_eq(first, span_str(kept[i])))
			return true;
	return false;
}

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	static OSSL_ALGORITHM some[OSSL_OP__HIGHEST + 1][OPERATION_MAX];
	const OSSL_ALGORITHM *all = query_all(provider, operation, no_cache);
	size_t n = 0;

	if (all == NULL || operation == OSSL_OP_STORE || operation < 0 ||
	    operation > OSSL_OP__HIGHEST)
		return all;
	OSSL_ALGORITHM *list = some[operation];

	if (list[0].algorithm_names == NULL)
		for (; all->algorithm_names != NULL; all++)
			if (keeps(all->algorithm_names) &&
			    n < OPERATION_MAX - 1)
				list[n++] = *all;
	return list;
}

static int
start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provider)
{
	static OSSL_DISPATCH calls[CALLS_MAX];
	const OSSL_DISPATCH *all;

	if (ossl_default_provider_init(handle, in, &all, provider) != 1)
		return 0;
	for (size_t n = 0; all[n].function_id != 0; n++) {
		if (n == CALLS_MAX - 1)
			return 0;
		calls[n] = all[n];
		if (all[n].function_id == OSSL_FUNC_PROVIDER_QUERY_OPERATION) {
			query_all = OSSL_FUNC_provider_query_operation(all + n);
			calls[n].function = (void (*)(void))query;
		}
	}
	*out = calls;
	return query_all != NULL;
}

void
provider_load(void)
{
	static OSSL_PROVIDER *ours;	/* held until the process ends */

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS |
	    OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT,
	    NULL);
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_NO_LOAD_SSL_STRINGS, NULL);
	/* Where this fails, the default provider is loaded at first use. */
	if (ossl_default_provider_init != NULL && ours == NULL &&
	    OSSL_PROVIDER_add_builtin(NULL, "lemon", start) == 1)
		ours = OSSL_PROVIDER_load(NULL, "lemon");
}

void
provider_reasons(void)
{
	ERR_load_SSL_strings();
	ERR_load_PEM_strings();
	ERR_load_ASN1_strings();
	ERR_load_X509_strings();
	ERR_load_EVP_strings();
	ERR_load_EC_strings();
	ERR_load_RSA_strings();
}
