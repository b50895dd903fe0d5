/* SPDX-License-Identifier: ISC */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "auth/hmac.h"

#include <string.h>

#include <openssl/crypto.h>

enum { BLOCK = 64 };		/* of both hashes */

size_t
hash_size(enum hash h)
{
	return h == HASH_SHA1 ? SHA_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;
}

static void
begin(struct hashing *s, enum hash h)
{
	s->hash = h;
	if (h == HASH_SHA1)
		SHA1_Init(&s->u.sha1);
	else
		SHA256_Init(&s->u.sha256);
}

static void
add(struct hashing *s, const void *p, size_t n)
{
	if (s->hash == HASH_SHA1)
		SHA1_Update(&s->u.sha1, p, n);
	else
		SHA256_Update(&s->u.sha256, p, n);
}

static void
finish(struct hashing *s, unsigned char *out)
{
	if (s->hash == HASH_SHA1)
		SHA1_Final(out, &s->u.sha1);
	else
		SHA256_Final(out, &s->u.sha256);
}

void
hash_of(enum hash h, struct span text, unsigned char *out)
{
	struct hashing s;

	begin(&s, h);
	add(&s, text.p, text.n);
	finish(&s, out);
	OPENSSL_cleanse(&s, sizeof s);
}

void
hmac_key(struct hmac *m, enum hash h, struct span key)
{
	unsigned char block[BLOCK] = { 0 };

	/* RFC 2104 2 */
	if (key.n > BLOCK)
		hash_of(h, key, block);
	else if (key.n > 0)
		memcpy(block, key.p, key.n);
	for (size_t i = 0; i < BLOCK; i++)
		block[i] ^= 0x36;
	begin(&m->inner, h);
	add(&m->inner, block, BLOCK);
	for (size_t i = 0; i < BLOCK; i++)
		block[i] ^= 0x36 ^ 0x5c;
	begin(&m->outer, h);
	add(&m->outer, block, BLOCK);
	OPENSSL_cleanse(block, sizeof block);
}

/* What comes after the inner hash has all its text. */
static void
wrap(const struct hmac *m, struct hashing *inner, unsigned char *out)
{
	struct hashing outer = m->outer;

	finish(inner, out);
	add(&outer, out, hash_size(outer.hash));
	finish(&outer, out);
}

void
hmac_of(const struct hmac *m, struct span text, unsigned char *out)
{
	struct hashing inner = m->inner;

	add(&inner, text.p, text.n);
	wrap(m, &inner, out);
}

void
hmac_stretch(enum hash h, struct span password, struct span salt,
    unsigned rounds, unsigned char *out)
{
	static const unsigned char first[4] = { 0, 0, 0, 1 };
	unsigned char u[HASH_MAX];
	size_t size = hash_size(h);
	struct hmac m;
	struct hashing s;

	hmac_key(&m, h, password);
	s = m.inner;
	add(&s, salt.p, salt.n);
	add(&s, first, sizeof first);
	wrap(&m, &s, u);
	memcpy(out, u, size);
	while (--rounds > 0) {
		hmac_of(&m, (struct span){ (const char *)u, size }, u);
		for (size_t i = 0; i < size; i++)
			out[i] ^= u[i];
	}
	OPENSSL_cleanse(&m, sizeof m);
	OPENSSL_cleanse(&s, sizeof s);
	OPENSSL_cleanse(u, sizeof u);
}
