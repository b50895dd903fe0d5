/* SPDX-License-Identifier: ISC */
#include "tls/certificate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/file.h"
#include "tls/provider.h"
#include "../../t.h"

static char dir[] = "/tmp/lemon-certificate-XXXXXX";
static struct buf path;

/* A file of that name, of what the shell commands print in the directory. */
static const char *
made(const char *name, const char *commands)
{
	struct buf b = { 0 };

	buf_addf(&b, "cd %s && { %s\n} >'%s' 2>/dev/null", dir, commands,
	    name);
	int r = system(buf_cstr(&b));

	buf_clear(&path);
	buf_addf(&path, "%s/%s", dir, name);
	buf_free(&b);
	return r == 0 ? buf_cstr(&path) : "/nonexistent";
}

#define SELF(key) "openssl req -x509 -newkey " key " -nodes -keyout k " \
	"-subj /CN=localhost -days 2 -out c && cat k c"

static bool
works(const char *name, const char *commands, unsigned keys)
{
	struct certificate c;
	const char *why = "";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool good = certificate_read(&c, made(name, commands), NULL,
	    &why) == 0 && certificate_keys(&c) == keys &&
	    certificate_use(&c, ctx, &why) && ERR_peek_error() == 0;

	if (!good)
		printf("# %s: %s, %s\n", name, why == NULL ? "" : why,
		    ERR_reason_error_string(ERR_peek_error()));
	certificate_free(&c);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

static void
kinds(void)
{
	ok(works("ec", SELF("ec -pkeyopt ec_paramgen_curve:P-256"), KEY_EC),
	    "ECDSA, the key first");
	ok(works("sec1", "openssl ecparam -name secp384r1 -genkey -out k && "
	    "openssl req -x509 -key k -subj /CN=l && cat k", KEY_EC),
	    "the older form of an EC key, behind its parameters");
	ok(works("rsa", SELF("rsa:2048"), KEY_RSA), "RSA");
	ok(works("pkcs1", "openssl genrsa -traditional -out k 2048 && "
	    "openssl req -x509 -key k -subj /CN=l && cat k", KEY_RSA),
	    "the older form of an RSA key");
	ok(works("ed25519", SELF("ed25519"), KEY_EDWARDS), "Ed25519");
	ok(works("ed448", SELF("ed448"), KEY_EDWARDS), "Ed448");
	ok(works("mixed", "openssl genrsa -out ca.key 2048 && "
	    "openssl req -x509 -key ca.key -subj /CN=CA -out ca.pem && "
	    "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	    "-keyout k -subj /CN=l -out csr && openssl x509 -req -in csr "
	    "-CA ca.pem -CAkey ca.key -CAcreateserial && cat ca.pem k",
	    KEY_EC | KEY_RSA), "a chain of two kinds");
}

/* Certificates as authorities issue them; nothing else of OpenSSL has made
 * names known before. */
static void
signatures(void)
{
	static const char *const digests[] = { "sha224", "sha256", "sha384",
		"sha512" };

	for (size_t i = 0; i < COUNT(digests); i++) {
		struct buf b = { 0 };

		buf_addf(&b, "openssl x509 -req -in csr -CA ca.pem "
		    "-CAkey ca.key -CAcreateserial -%s && cat ca.pem k",
		    digests[i]);
		ok(works(digests[i], buf_cstr(&b), KEY_EC | KEY_RSA),
		    "a certificate that an authority signed");
		buf_free(&b);

		BIO *pem = BIO_new_file(buf_cstr(&path), "r");
		X509 *cert = PEM_read_bio_X509(pem, NULL, NULL, NULL);
		X509 *authority = PEM_read_bio_X509(pem, NULL, NULL, NULL);

		ok(X509_verify(cert, X509_get0_pubkey(authority)) == 1,
		    "whose signature can be checked");
		X509_free(cert);
		X509_free(authority);
		BIO_free(pem);
	}
}

/* What becomes of it, and the sentence. */
static void
fails(const char *name, const char *commands, const char *sentence)
{
	struct certificate c;
	const char *why = "";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool good = certificate_read(&c, made(name, commands), NULL,
	    &why) == 0 && certificate_use(&c, ctx, &why);

	ok(!good && strcmp(why, sentence) == 0 && c.wrong == c.certfile,
	    name);
	certificate_free(&c);
	SSL_CTX_free(ctx);
	ERR_clear_error();
}

static void
two_files(void)
{
	struct certificate c;
	const char *why = "";
	struct buf key = { 0 };
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	buf_adds(&key, made("k2", "openssl ecparam -name prime256v1 -genkey"));
	ok(certificate_read(&c, made("c2", "openssl req -x509 -key k2 "
	    "-subj /CN=l"), buf_cstr(&key), &why) == 0 &&
	    certificate_keys(&c) == KEY_EC &&
	    certificate_use(&c, ctx, &why), "a key in a file of its own");
	certificate_free(&c);
	ok(certificate_read(&c, buf_cstr(&path), "/nonexistent", &why) < 0 &&
	    strcmp(why, "the private key cannot be read") == 0,
	    "and one that is not there");
	certificate_free(&c);
	buf_free(&key);
	SSL_CTX_free(ctx);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	provider_load(KEY_ALL);
	kinds();
	signatures();
	fails("no file", "false", "the certificate cannot be read");
	fails("empty", "true", "the certificate cannot be read");
	fails("a key alone", "openssl ecparam -name prime256v1 -genkey",
	    "the certificate cannot be read");
	fails("no key", "cat ec | sed '/BEGIN PRIV/,/END PRIV/d'",
	    "no private key in it");
	fails("a key of another certificate", "sed '/BEGIN PRIV/,/END PRIV/d' ec; "
	    "openssl ecparam -name prime256v1 -genkey -noout",
	    "the private key is not the certificate's");
	fails("an encrypted key, for which nobody is asked",
	    "sed '/BEGIN PRIV/,/END PRIV/d' ec; openssl pkey -in ec -aes128 "
	    "-passout pass:secret", "no private key in it");
	fails("a chain that is torn", "cat ec; head -n 4 ec | tail -n 2 && "
	    "echo -----BEGIN CERTIFICATE----- && echo MIIB",
	    "the certificate cannot be read");
	two_files();
	buf_clear(&path);
	buf_addf(&path, "rm -r %s", dir);
	if (system(buf_cstr(&path)) != 0)
		return 1;
	buf_free(&path);
	return done();
}
