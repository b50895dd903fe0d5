/* SPDX-License-Identifier: ISC */
#include "tls/provider.h"

#include <stdbool.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "../../t.h"

/* All that OpenSSL has, in a world of its own, where keys are made and the
 * other side of each handshake lives. */
static OSSL_LIB_CTX *whole;

static EVP_PKEY *
make_key(const char *type, const char *curve)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(whole, type, NULL);
	EVP_PKEY *key = NULL;

	EVP_PKEY_keygen_init(c);
	if (curve != NULL)
		EVP_PKEY_CTX_set_group_name(c, curve);
	EVP_PKEY_generate(c, &key);
	EVP_PKEY_CTX_free(c);
	return key;
}

/* Key and certificate as they are in a file. */
static BIO *
make_pem(const char *type, const char *curve, const char *digest)
{
	EVP_PKEY *key = make_key(type, curve);
	X509 *cert = X509_new_ex(whole, NULL);
	EVP_MD_CTX *sign = EVP_MD_CTX_new();
	BIO *b = BIO_new(BIO_s_mem());

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	EVP_DigestSignInit_ex(sign, NULL, digest, whole, NULL, key, NULL);
	X509_sign_ctx(cert, sign);
	PEM_write_bio_PrivateKey_ex(b, key, NULL, NULL, 0, NULL, NULL, whole,
	    NULL);
	PEM_write_bio_X509(b, cert);
	EVP_MD_CTX_free(sign);
	X509_free(cert);
	EVP_PKEY_free(key);
	return b;
}

static bool
readable(BIO *pem)
{
	char *p;
	long n = BIO_get_mem_data(pem, &p);
	BIO *b = BIO_new_mem_buf(p, (int)n);
	X509 *cert = PEM_read_bio_X509(b, NULL, NULL, NULL);
	bool good = cert != NULL && X509_get0_pubkey(cert) != NULL;

	X509_free(cert);
	BIO_free(b);
	ERR_clear_error();
	return good;
}

static SSL_CTX *
context(OSSL_LIB_CTX *lib, bool server)
{
	SSL_CTX *c = SSL_CTX_new_ex(lib, NULL, server ? TLS_server_method() :
	    TLS_client_method());

	SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:"
	    "DHE+AESGCM:!aNULL:!SHA1");
	SSL_CTX_set_dh_auto(c, 1);
	return c;
}

static void
pass(SSL *from, SSL *to)
{
	char buf[16384];
	int n;

	while ((n = BIO_read(SSL_get_wbio(from), buf, sizeof buf)) > 0)
		BIO_write(SSL_get_rbio(to), buf, n);
}

static SSL *
end(SSL_CTX *c)
{
	SSL *s = SSL_new(c);

	SSL_set_bio(s, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	return s;
}

/* A handshake with that suite, or with any, of TLS up to that version. */
static bool
agree(SSL_CTX *server, SSL_CTX *client, const char *suite, int version,
    const char *group)
{
	SSL *s = end(server), *c = end(client);

	SSL_set_accept_state(s);
	SSL_set_connect_state(c);
	if (version == TLS1_3_VERSION && suite != NULL)
		SSL_set_ciphersuites(c, suite);
	else if (suite != NULL)
		SSL_set_cipher_list(c, suite);
	SSL_set_max_proto_version(c, version);
	if (group != NULL)
		SSL_set1_groups_list(c, group);
	for (int i = 0; i < 4; i++) {
		SSL_do_handshake(c);
		pass(c, s);
		SSL_do_handshake(s);
		pass(s, c);
	}
	bool good = SSL_is_init_finished(s) && SSL_is_init_finished(c) &&
	    (suite == NULL || strcmp(SSL_get_cipher_name(s), suite) == 0);

	if (!good)
		printf("# %s %s: %s\n", suite == NULL ? "any" : suite,
		    group == NULL ? "" : group,
		    ERR_reason_error_string(ERR_peek_error()));
	SSL_free(s);
	SSL_free(c);
	ERR_clear_error();
	return good;
}

static SSL_CTX *
server_with(const char *type, const char *curve, const char *digest)
{
	SSL_CTX *c = context(NULL, true);
	BIO *b = make_pem(type, curve, digest);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	X509 *cert = PEM_read_bio_X509(b, NULL, NULL, NULL);

	if (key == NULL || cert == NULL ||
	    SSL_CTX_use_certificate(c, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(c, key) != 1 ||
	    SSL_CTX_check_private_key(c) != 1)
		printf("# %s\n", ERR_reason_error_string(ERR_peek_error()));
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(b);
	return c;
}

static void
kinds_of_keys(SSL_CTX *client)
{
	static const struct {
		const char *type, *curve, *digest;
	} keys[] = {
		{ "RSA", NULL, "SHA256" }, { "RSA", NULL, "SHA512" },
		{ "RSA-PSS", NULL, "SHA256" }, { "EC", "P-256", "SHA256" },
		{ "EC", "P-384", "SHA384" }, { "EC", "P-521", "SHA512" },
		{ "ED25519", NULL, NULL }, { "ED448", NULL, NULL },
	};

	for (size_t i = 0; i < COUNT(keys); i++) {
		SSL_CTX *s = server_with(keys[i].type, keys[i].curve,
		    keys[i].digest);

		ok(agree(s, client, NULL, TLS1_3_VERSION, NULL) &&
		    agree(s, client, NULL, TLS1_2_VERSION, NULL),
		    keys[i].type);
		SSL_CTX_free(s);
	}
}

/* Whatever the list has that fits one of the two keys. */
static void
suites(SSL_CTX *client)
{
	SSL_CTX *rsa = server_with("RSA", NULL, "SHA256");
	SSL_CTX *ec = server_with("EC", "P-256", "SHA256");
	STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(client);
	int bad = 0, tried = 0;

	for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
		const SSL_CIPHER *c = sk_SSL_CIPHER_value(list, i);
		const char *name = SSL_CIPHER_get_name(c);

		/* Nobody has a certificate of DSA any more. */
		if (strstr(name, "-DSS-") != NULL)
			continue;
		tried++;
		bad += !agree(strstr(name, "ECDSA") != NULL ? ec : rsa,
		    client, name, strncmp(name, "TLS_", 4) == 0 ?
		    TLS1_3_VERSION : TLS1_2_VERSION, NULL);
	}
	ok(tried > 15 && bad == 0, "each suite works that OpenSSL has");
	ok(sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(rsa)) == tried,
	    "there is no other");
	ok(agree(ec, client, NULL, TLS1_3_VERSION, "X25519") &&
	    agree(ec, client, NULL, TLS1_3_VERSION, "X448") &&
	    agree(ec, client, NULL, TLS1_3_VERSION, "P-256") &&
	    agree(ec, client, NULL, TLS1_3_VERSION, "P-521") &&
	    agree(ec, client, NULL, TLS1_3_VERSION, "ffdhe2048"),
	    "each kind of key exchange works");
	SSL_CTX_free(rsa);
	SSL_CTX_free(ec);
}

int
main(void)
{
	provider_load(KEY_EC);
	EVP_CIPHER *odd = EVP_CIPHER_fetch(NULL, "CAMELLIA-128-CBC", NULL);

	ok(odd == NULL, "an algorithm of no use to TLS is not there");
	EVP_CIPHER_free(odd);
	ERR_clear_error();
	whole = OSSL_LIB_CTX_new();
	odd = EVP_CIPHER_fetch(whole, "CAMELLIA-128-CBC", NULL);
	ok(odd != NULL, "which elsewhere is");
	EVP_CIPHER_free(odd);
	ok(ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0,
	    SSL_R_NO_SHARED_CIPHER)) == NULL, "no texts are loaded");
	provider_reasons();
	ok(ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0,
	    SSL_R_NO_SHARED_CIPHER)) != NULL, "until they are asked for");

	BIO *rsa = make_pem("RSA", NULL, "SHA256");

	ok(!readable(rsa), "a kind of key that was not asked for is not read");
	provider_load(KEY_RSA);
	ok(readable(rsa), "but when it is later");
	BIO_free(rsa);

	SSL_CTX *client = context(whole, false);

	kinds_of_keys(client);
	suites(client);
	SSL_CTX_free(client);
	OSSL_LIB_CTX_free(whole);
	return done();
}
