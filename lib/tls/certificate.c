/* SPDX-License-Identifier: ISC */
#include "tls/certificate.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "tls/provider.h"

/* --- reading --- */

static int
read_file(const char *path, struct buf *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = fd < 0 ? -1 : file_read_fd(fd, CERTIFICATE_MAX, to);

	if (fd >= 0)
		close(fd);
	return r;
}

int
certificate_read(struct certificate *c, const char *certfile,
    const char *keyfile, const char **why)
{
	*c = (struct certificate){ .certfile = certfile,
	    .keyfile = keyfile == NULL ? certfile : keyfile,
	    .wrong = certfile };
	*why = "the certificate cannot be read";
	if (read_file(certfile, &c->chain) < 0)
		return -1;
	*why = "the private key cannot be read";
	c->wrong = c->keyfile;
	return keyfile == NULL ? 0 : read_file(keyfile, &c->key);
}

/* --- kinds of keys --- */

/* The octets of an object identifier, as they are in each key of a kind. */
static const struct {
	unsigned key;
	struct span oid;
} kinds[] = {
	{ KEY_EC, { "\x2a\x86\x48\xce\x3d\x02\x01", 7 } },
	{ KEY_RSA, { "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9 } },
	{ KEY_RSA, { "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9 } },
	{ KEY_EDWARDS, { "\x06\x03\x2b\x65\x70", 5 } },
	{ KEY_EDWARDS, { "\x06\x03\x2b\x65\x71", 5 } },
};

static unsigned
keys_within(struct span pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	unsigned keys = 0;
	char *name, *header;
	unsigned char *der;
	long n;

	while (b != NULL && PEM_read_bio(b, &name, &header, &der, &n) == 1) {
		struct span s = { (const char *)der, (size_t)n };

		for (size_t i = 0; i < COUNT(kinds); i++)
			if (span_find(s, kinds[i].oid) < s.n)
				keys |= kinds[i].key;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)n);
	}
	BIO_free(b);
	ERR_clear_error();
	return keys;
}

unsigned
certificate_keys(const struct certificate *c)
{
	unsigned keys = keys_within(buf_span(&c->chain)) |
	    keys_within(buf_span(&c->key));

	return keys == 0 ? KEY_ALL : keys;
}

/* --- using them --- */

/* There is nobody to ask; OpenSSL's own way asks the terminal. */
static int
no_password(char *to, int max, int writing, void *ctx)
{
	(void)to, (void)max, (void)writing, (void)ctx;
	return -1;
}

static bool
use_chain(BIO *b, SSL_CTX *ctx)
{
	X509 *x = PEM_read_bio_X509_AUX(b, NULL, no_password, NULL);
	bool good = x != NULL && SSL_CTX_use_certificate(ctx, x) == 1;

	X509_free(x);
	while (good && (x = PEM_read_bio_X509(b, NULL, no_password,
	    NULL)) != NULL) {
		good = SSL_CTX_add0_chain_cert(ctx, x) == 1;
		if (!good)
			X509_free(x);
	}
	/* That no more begins is how it ends. */
	if (good && ERR_GET_REASON(ERR_peek_last_error()) !=
	    PEM_R_NO_START_LINE)
		return false;
	if (good)
		ERR_clear_error();
	return good;
}

static bool
use_key(BIO *b, SSL_CTX *ctx, const char **why)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);

	/* OpenSSL's word for a file without one is "unsupported". */
	if (key == NULL &&
	    ERR_GET_REASON(ERR_peek_error()) == ERR_R_UNSUPPORTED)
		ERR_clear_error();
	*why = key == NULL ? "no private key in it" :
	    "the private key is not the certificate's";
	bool good = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
	    SSL_CTX_check_private_key(ctx) == 1;

	/* What was tried before the right way leaves its complaint. */
	if (good)
		ERR_clear_error();
	EVP_PKEY_free(key);
	return good;
}

bool
certificate_use(struct certificate *c, SSL_CTX *ctx,
    const char **why)
{
	const struct buf *k = c->key.n > 0 ? &c->key : &c->chain;
	BIO *chain = BIO_new_mem_buf(c->chain.p, (int)c->chain.n);
	BIO *key = BIO_new_mem_buf(k->p, (int)k->n);

	*why = "the certificate cannot be read";
	c->wrong = c->certfile;
	bool good = chain != NULL && key != NULL && use_chain(chain, ctx);

	if (good) {
		c->wrong = c->keyfile;
		good = use_key(key, ctx, why);
	}
	BIO_free(chain);
	BIO_free(key);
	return good;
}

void
certificate_free(struct certificate *c)
{
	struct buf *const files[] = { &c->chain, &c->key };

	for (size_t i = 0; i < COUNT(files); i++) {
		if (files[i]->n > 0)
			explicit_bzero(files[i]->p, files[i]->n);
		buf_free(files[i]);
	}
}
