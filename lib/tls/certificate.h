/* SPDX-License-Identifier: ISC */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include <openssl/ssl.h>

#include "base/buf.h"

/* A server's certificate, its chain and its key, as they are in files. */
struct certificate {
	struct buf chain, key;		/* PEM; key.n is 0 if it is in chain */
	const char *certfile, *keyfile;	/* where that is from; borrowed */
	const char *wrong;		/* after a failure: which of them */
};

enum { CERTIFICATE_MAX = 1024 * 1024 };	/* octets of a file */

/* Read the files; keyfile is NULL where the key is in certfile.  0, or -1 and
 * *why. */
int certificate_read(struct certificate *c, const char *certfile,
    const char *keyfile, const char **why);

/* Which kinds of keys may be in there, a set of provider.h: no fewer than
 * there are.  After provider_init, before provider_load. */
unsigned certificate_keys(const struct certificate *c);

/* Have a context use them.  A key that is encrypted is refused.  False and
 * *why, a fixed sentence that OpenSSL's own reason, if it has one, may
 * replace. */
bool certificate_use(struct certificate *c, SSL_CTX *ctx,
    const char **why);

/* Wipe the key. */
void certificate_free(struct certificate *c);

#endif
