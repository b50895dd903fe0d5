/* SPDX-License-Identifier: ISC */
#include "tls/ticket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/file.h"

enum { TICKETS_FILE_MAX = 4096 };

static int
parse(struct tickets *t, struct span s)
{
	t->n = 0;
	while (s.n > 0) {
		struct span line = span_trim(span_cut(&s, '\n'));

		if (line.n == 0)
			continue;
		if (t->n == TICKET_KEYS || !span_unhex(line,
		    &t->key[t->n], sizeof t->key[0])) {
			errno = EINVAL;
			return -1;
		}
		t->n++;
	}
	if (t->n == 0)
		errno = EINVAL;
	return t->n == 0 ? -1 : 0;
}

int
tickets_load(struct tickets *t, const char *path)
{
	struct buf b = { 0 };
	int r = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	_Static_assert(sizeof t->key[0] == 80, "a key has no padding");
	t->n = 0;
	if (fd < 0)
		return -1;
	if (file_read_fd(fd, TICKETS_FILE_MAX, &b) == 0)
		r = parse(t, buf_span(&b));
	int saved = errno;

	close(fd);
	if (b.cap > 0)
		explicit_bzero(b.p, b.cap);
	buf_free(&b);
	errno = saved;
	return r;
}

static bool
set_mac(EVP_MAC_CTX *mac, const struct ticket_key *k)
{
	char digest[] = "SHA256";
	OSSL_PARAM p[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
		    (void *)(uintptr_t)k->hmac, sizeof k->hmac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		    digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, p) == 1;
}

/* OpenSSL's contract: -1 failure, 0 do a full handshake, 1 fine, 2 fine but
 * give the client a new one. */
static int
with_key(SSL *ssl, const EVP_CIPHER *aes, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	const struct tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (encrypt) {
		const struct ticket_key *k = &t->key[0];

		memcpy(name, k->name, sizeof k->name);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
		    EVP_EncryptInit_ex2(cipher, aes, k->aes, iv, NULL) != 1 ||
		    !set_mac(mac, k))
			return -1;
		return 1;
	}
	for (unsigned i = 0; i < t->n; i++) {
		const struct ticket_key *k = &t->key[i];

		if (memcmp(name, k->name, sizeof k->name) != 0)
			continue;
		if (!set_mac(mac, k) || EVP_DecryptInit_ex2(cipher, aes,
		    k->aes, iv, NULL) != 1)
			return -1;
		/* RFC 8446 C.4: a ticket is used once, so each one that is
		 * used brings a new one. */
		return i == 0 && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
	}
	return 0;
}

static int
ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	EVP_CIPHER *aes = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	int r = aes == NULL ? -1 : with_key(ssl, aes, name, iv, cipher, mac,
	    encrypt);

	EVP_CIPHER_free(aes);
	return r;
}

void
tickets_use(struct tickets *t, SSL_CTX *ctx)
{
	SSL_CTX_set_app_data(ctx, t);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key);
}

void
tickets_free(struct tickets *t)
{
	explicit_bzero(t, sizeof *t);
}
