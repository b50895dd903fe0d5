/* SPDX-License-Identifier: ISC */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include "base/buf.h"

/*
 * SCRAM verifiers (RFC 5802, RFC 7677): what a server keeps to check a
 * password, and from which the password cannot be computed.  As text
 * SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY, all three in base64; the
 * form that libsasl2 calls authPassword (RFC 5803).
 */
enum scram_hash { SCRAM_SHA1, SCRAM_SHA256, SCRAM_HASHES };

enum {
	SCRAM_KEY_MAX = 32,
	SCRAM_SALT_MAX = 64,
	SCRAM_SALT = 16,		/* octets of a new one */
	SCRAM_ROUNDS = 4096,		/* of a new one; RFC 7677 4 */
	SCRAM_ROUNDS_MAX = 65536	/* Cyrus clients refuse more */
};

struct scram {
	enum scram_hash hash;
	unsigned rounds;
	unsigned nsalt;
	unsigned char salt[SCRAM_SALT_MAX];
	unsigned char stored[SCRAM_KEY_MAX];	/* scram_size octets */
	unsigned char server[SCRAM_KEY_MAX];
};

/* "SCRAM-SHA-1" or "SCRAM-SHA-256", and the octets of a key. */
const char *scram_name(enum scram_hash h);
size_t scram_size(enum scram_hash h);

/* Compute the keys for a prepared password (auth/saslprep.h); hash, rounds
 * and salt are set by the caller. */
void scram_make(struct scram *s, struct span password);

/* Read a verifier.  False, with *s undefined, unless all of it is one. */
bool scram_parse(struct scram *s, struct span text);
void scram_print(const struct scram *s, struct buf *to);

/* Whether that prepared password belongs to it.  The work depends on the
 * rounds only. */
bool scram_check(const struct scram *s, struct span password);

/*
 * Make up the verifier of a user who does not exist: always the same for
 * the same secret and name, so that asking twice tells nothing, and no
 * password fits (RFC 5802 9 wants no oracle for names).
 */
void scram_fake(struct scram *s, enum scram_hash h, struct span secret,
    struct span name);

#endif
