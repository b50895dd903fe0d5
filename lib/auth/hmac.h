/* SPDX-License-Identifier: ISC */
#ifndef AUTH_HMAC_H
#define AUTH_HMAC_H

#include <openssl/sha.h>

#include "base/buf.h"

/*
 * The two hashes of SCRAM, keyed (RFC 2104) and iterated (RFC 8018 5.2).
 * By OpenSSL's older calls: they need nothing of it but themselves, while
 * the newer ones first set up a library, read its settings and look for
 * providers, which a process for one connection would pay at each login.
 */
enum hash { HASH_SHA1, HASH_SHA256, HASHES };

enum { HASH_MAX = 32 };		/* octets of the longest */

/* A hash with what went into it so far. */
struct hashing {
	enum hash hash;
	union {
		SHA_CTX sha1;
		SHA256_CTX sha256;
	} u;
};

/* A key, in the form that each of its uses begins with.  It is as secret as
 * the key: OPENSSL_cleanse it. */
struct hmac {
	struct hashing inner, outer;
};

/* Octets of a hash: 20 or 32. */
size_t hash_size(enum hash h);

/* The hash of text, to out (hash_size octets). */
void hash_of(enum hash h, struct span text, unsigned char *out);

/* Set *m to a key of any length. */
void hmac_key(struct hmac *m, enum hash h, struct span key);

/* The code of text under the key, to out (hash_size octets), which may be
 * where text is. */
void hmac_of(const struct hmac *m, struct span text, unsigned char *out);

/* PBKDF2 with hash_size octets of result, to out.  The work depends on the
 * rounds, and not on the password. */
void hmac_stretch(enum hash h, struct span password, struct span salt,
    unsigned rounds, unsigned char *out);

#endif
