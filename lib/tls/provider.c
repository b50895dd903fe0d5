/* SPDX-License-Identifier: ISC */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls/provider.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/cryptoerr_legacy.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/sslerr_legacy.h>

#include "base/span.h"

enum { CALLS_MAX = 16, OPERATION_MAX = 48 };

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
	"ED25519", "ED448",
};

/* What reads keys, and of which kinds. */
static const struct {
	const char *name, *input;
	unsigned keys;
} readers[] = {
	{ "DER", "input=pem", KEY_ALL },
	{ "EC", "structure=PrivateKeyInfo", KEY_EC },
	{ "EC", "structure=SubjectPublicKeyInfo", KEY_EC },
	{ "EC", "structure=type-specific", KEY_EC },
	{ "RSA", "structure=PrivateKeyInfo", KEY_RSA },
	{ "RSA", "structure=SubjectPublicKeyInfo", KEY_RSA },
	{ "RSA", "structure=type-specific", KEY_RSA },
	{ "RSA-PSS", "structure=PrivateKeyInfo", KEY_RSA },
	{ "RSA-PSS", "structure=SubjectPublicKeyInfo", KEY_RSA },
	{ "ED25519", "structure=PrivateKeyInfo", KEY_EDWARDS },
	{ "ED25519", "structure=SubjectPublicKeyInfo", KEY_EDWARDS },
	{ "ED448", "structure=PrivateKeyInfo", KEY_EDWARDS },
	{ "ED448", "structure=SubjectPublicKeyInfo", KEY_EDWARDS },
};

/* Of the groups those that are in use. */
static const char *const groups[] = {
	"x25519", "secp256r1", "secp384r1", "secp521r1", "x448",
	"ffdhe2048", "ffdhe3072", "ffdhe4096",
};

/* What a provider of ours shows: the first what was asked for first, the
 * second, if more is asked for later, all. */
static struct part {
	OSSL_PROVIDER *loaded;
	void *provider;			/* as its functions know it */
	unsigned keys;
	OSSL_ALGORITHM some[OSSL_OP__HIGHEST + 1][OPERATION_MAX];
} parts[2];

static OSSL_FUNC_provider_query_operation_fn *query_all;
static OSSL_FUNC_provider_get_capabilities_fn *capabilities_all;

/* Whether that is the first of the names, which have colons between them. */
static bool
is_first(const char *names, const char *name)
{
	size_t n = strlen(name);

	return names[0] == name[0] && strncmp(names, name, n) == 0 &&
	    (names[n] == '\0' || names[n] == ':');
}

static bool
keeps(const OSSL_ALGORITHM *a)
{
	for (size_t i = 0; i < COUNT(kept); i++)
		if (is_first(a->algorithm_names, kept[i]))
			return true;
	return false;
}

static bool
reads(const struct part *p, const OSSL_ALGORITHM *a)
{
	for (size_t i = 0; i < COUNT(readers); i++)
		if ((readers[i].keys & p->keys) != 0 &&
		    is_first(a->algorithm_names, readers[i].name) &&
		    strstr(a->property_definition, readers[i].input) != NULL)
			return true;
	return false;
}

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	const OSSL_ALGORITHM *all = query_all(provider, operation, no_cache);
	struct part *p = parts[0].provider == provider ? &parts[0] :
	    &parts[1];
	size_t n = 0;

	if (all == NULL || operation == OSSL_OP_STORE || operation < 0 ||
	    operation > OSSL_OP__HIGHEST)
		return all;
	OSSL_ALGORITHM *list = p->some[operation];

	if (list[0].algorithm_names == NULL)
		for (; all->algorithm_names != NULL; all++)
			if ((operation == OSSL_OP_DECODER ? reads(p, all) :
			    keeps(all)) && n < OPERATION_MAX - 1)
				list[n++] = *all;
	return list;
}

/* Whom a capability is told. */
struct listener {
	OSSL_CALLBACK *tell;
	void *arg;
};

static int
capability(const OSSL_PARAM *params, void *arg)
{
	const struct listener *l = arg;
	const OSSL_PARAM *name = OSSL_PARAM_locate_const(params,
	    OSSL_CAPABILITY_TLS_GROUP_NAME);

	for (size_t i = 0; name != NULL && i < COUNT(groups); i++)
		if (strcmp(name->data, groups[i]) == 0)
			return l->tell(params, l->arg);
	return 1;
}

static int
capabilities(void *provider, const char *what, OSSL_CALLBACK *tell,
    void *arg)
{
	struct listener l = { tell, arg };

	if (strcmp(what, "TLS-GROUP") != 0)
		return capabilities_all(provider, what, tell, arg);
	return capabilities_all(provider, what, capability, &l);
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
		switch (all[n].function_id) {
		case OSSL_FUNC_PROVIDER_QUERY_OPERATION:
			query_all = OSSL_FUNC_provider_query_operation(all + n);
			calls[n].function = (void (*)(void))query;
			break;
		case OSSL_FUNC_PROVIDER_GET_CAPABILITIES:
			capabilities_all =
			    OSSL_FUNC_provider_get_capabilities(all + n);
			calls[n].function = (void (*)(void))capabilities;
			break;
		}
	}
	parts[parts[0].provider != NULL].provider = *provider;
	*out = calls;
	return query_all != NULL && capabilities_all != NULL;
}

/* Both stay until the process ends. */
static void
add_part(unsigned keys)
{
	static const char *const names[] = { "lemon", "lemon-all" };
	size_t i = parts[0].keys != 0;

	if ((parts[0].keys & keys) == keys || parts[1].keys != 0)
		return;
	parts[i].keys = i == 0 ? keys : KEY_ALL;
	if (OSSL_PROVIDER_add_builtin(NULL, names[i], start) == 1)
		parts[i].loaded = OSSL_PROVIDER_load(NULL, names[i]);
}

void
provider_init(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS |
	    OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT,
	    NULL);
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_NO_LOAD_SSL_STRINGS, NULL);
	/* A signature in a certificate names its digest. */
	EVP_add_digest(EVP_sha1());
	EVP_add_digest(EVP_sha224());
	EVP_add_digest(EVP_sha256());
	EVP_add_digest(EVP_sha384());
	EVP_add_digest(EVP_sha512());
}

void
provider_load(unsigned keys)
{
	provider_init();
	/* Where this fails, the default provider is loaded at first use. */
	if (ossl_default_provider_init != NULL)
		add_part(keys);
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
