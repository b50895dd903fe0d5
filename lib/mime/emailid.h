/* SPDX-License-Identifier: ISC */
#ifndef MIME_EMAILID_H
#define MIME_EMAILID_H

/* OpenSSL 3 wants SHA-256 through EVP, which loads providers and reads a
 * configuration file at its first use: a millisecond that each delivery
 * would pay.  The plain functions are the same code without that. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "text/crlf.h"

/*
 * EMAILID (RFC 8474 5.1): the first 128 bits of SHA-256 over a message's
 * octets as they are on the wire: emailid_init, emailid_feed with the octets
 * of the file in pieces of any size, emailid_end.
 */
struct emailid {
	SHA256_CTX sha;
	bool raw;		/* octets are on the wire as they come */
	struct crlf eol;
	size_t n;
	char line[8192];	/* wire octets to be hashed */
};

void emailid_init(struct emailid *e, bool raw);
void emailid_feed(struct emailid *e, struct span octets);
void emailid_end(struct emailid *e, uint8_t id[16]);

#endif
