/* SPDX-License-Identifier: ISC */
/*
 * What OpenSSL does for any program, and a process for one connection, of
 * which one thread only speaks with the client, need not have done.  Where
 * the object is linked, each function here takes the place of the one that
 * it is named after (ld's --wrap); without this file all works the same, and
 * slower.
 */
#include <stdbool.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "base/span.h"
#include "tls/session.h"

/* --- threads: none but the first may come here, and what a crew does
 * (base/crew.h) calls nothing of lib/tls --- */

int __wrap_CRYPTO_THREAD_read_lock(CRYPTO_RWLOCK *lock);
int __wrap_CRYPTO_THREAD_write_lock(CRYPTO_RWLOCK *lock);
int __wrap_CRYPTO_THREAD_unlock(CRYPTO_RWLOCK *lock);
int __wrap_CRYPTO_THREAD_run_once(CRYPTO_ONCE *once, void (*init)(void));

int
__wrap_CRYPTO_THREAD_read_lock(CRYPTO_RWLOCK *lock)
{
	return lock != NULL;
}

int
__wrap_CRYPTO_THREAD_write_lock(CRYPTO_RWLOCK *lock)
{
	return lock != NULL;
}

int
__wrap_CRYPTO_THREAD_unlock(CRYPTO_RWLOCK *lock)
{
	return lock != NULL;
}

int
__wrap_CRYPTO_THREAD_run_once(CRYPTO_ONCE *once, void (*init)(void))
{
	if (*once == CRYPTO_ONCE_STATIC_INIT) {
		*once = !CRYPTO_ONCE_STATIC_INIT;
		init();
	}
	return 1;
}

/* --- errors: a reason will do, the sentence about it is never read --- */

void __real_ERR_set_error(int library, int reason, const char *fmt, ...);
void __wrap_ERR_set_error(int library, int reason, const char *fmt, ...);

void
__wrap_ERR_set_error(int library, int reason, const char *fmt, ...)
{
	(void)fmt;
	__real_ERR_set_error(library, reason, NULL);
}

/* --- algorithms: SSL_CTX_new asks for each that there ever was --- */

static bool
is_absent(const char *name)
{
	static const char *const absent[] = {
		"DES-CBC", "DES-EDE3-CBC", "RC4", "RC2-CBC", "IDEA-CBC",
		"SEED-CBC", "CAMELLIA-128-CBC", "CAMELLIA-256-CBC",
		"ARIA-128-GCM", "ARIA-256-GCM", "gost89-cnt", "gost89-cnt-12",
		"magma-ctr-acpkm", "kuznyechik-ctr-acpkm", "md_gost94",
		"md_gost12_256", "md_gost12_512", "gost-mac", "gost-mac-12",
		"magma-mac", "kuznyechik-mac", "DSA",
	};

	for (size_t i = 0; i < COUNT(absent); i++)
		if (strcmp(name, absent[i]) == 0)
			return true;
	return false;
}

extern __typeof__(EVP_CIPHER_fetch) __real_EVP_CIPHER_fetch,
    __wrap_EVP_CIPHER_fetch;
extern __typeof__(EVP_MD_fetch) __real_EVP_MD_fetch, __wrap_EVP_MD_fetch;
extern __typeof__(EVP_KEYMGMT_fetch) __real_EVP_KEYMGMT_fetch,
    __wrap_EVP_KEYMGMT_fetch;
extern __typeof__(EVP_SIGNATURE_fetch) __real_EVP_SIGNATURE_fetch,
    __wrap_EVP_SIGNATURE_fetch;

EVP_CIPHER *
__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *c, const char *name, const char *query)
{
	return is_absent(name) ? NULL :
	    __real_EVP_CIPHER_fetch(c, name, query);
}

EVP_MD *
__wrap_EVP_MD_fetch(OSSL_LIB_CTX *c, const char *name, const char *query)
{
	return is_absent(name) ? NULL : __real_EVP_MD_fetch(c, name, query);
}

EVP_KEYMGMT *
__wrap_EVP_KEYMGMT_fetch(OSSL_LIB_CTX *c, const char *name, const char *query)
{
	return is_absent(name) ? NULL :
	    __real_EVP_KEYMGMT_fetch(c, name, query);
}

EVP_SIGNATURE *
__wrap_EVP_SIGNATURE_fetch(OSSL_LIB_CTX *c, const char *name,
    const char *query)
{
	return is_absent(name) ? NULL :
	    __real_EVP_SIGNATURE_fetch(c, name, query);
}

/* --- lists of ciphers: ours at once, so that they are sorted once --- */

const char *__wrap_OSSL_default_ciphersuites(void);
const char *__wrap_OSSL_default_cipher_list(void);

const char *
__wrap_OSSL_default_ciphersuites(void)
{
	return CIPHERSUITES;
}

const char *
__wrap_OSSL_default_cipher_list(void)
{
	return CIPHERS;
}

/* --- tables for programs that look up by name: never read --- */

void __wrap_openssl_add_all_ciphers_int(void);
void __wrap_openssl_add_all_digests_int(void);
int __wrap_ossl_err_load_crypto_strings(void);

void
__wrap_openssl_add_all_ciphers_int(void)
{
}

void
__wrap_openssl_add_all_digests_int(void)
{
}

int
__wrap_ossl_err_load_crypto_strings(void)
{
	return 1;
}
