/* SPDX-License-Identifier: ISC */
#include "auth/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "../../t.h"

static const EVP_MD *
md(enum hash h)
{
	return h == HASH_SHA1 ? EVP_sha1() : EVP_sha256();
}

static void
is_hex(const unsigned char *got, size_t n, const char *want, const char *name)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		buf_addc(&b, "0123456789abcdef"[got[i] >> 4]);
		buf_addc(&b, "0123456789abcdef"[got[i] & 15]);
	}
	is(buf_span(&b), span_str(want), name);
	buf_free(&b);
}

/* RFC 6070 2, RFC 7914 11 and, for the count that SCRAM has, a vector well
 * known. */
static const struct {
	enum hash hash;
	const char *password, *salt;
	unsigned rounds;
	const char *out;
} stretched[] = {
	{ HASH_SHA1, "password", "salt", 1,
	    "0c60c80f961f0e71f3a9b524af6012062fe037a6" },
	{ HASH_SHA1, "password", "salt", 4096,
	    "4b007901b765489abead49d926f721d065a429c1" },
	{ HASH_SHA256, "passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605"
	    "f94185216dde0465e68b9d57c20dacbc" },
	{ HASH_SHA256, "password", "salt", 4096, "c5e478d59288c841aa530db6845c"
	    "4c8d962893a001ce4e11a4963873aa98134a" },
};

static void
known(void)
{
	/* RFC 4231 4.3, RFC 2202 3 */
	static const struct {
		enum hash hash;
		const char *out;
	} jefe[] = {
		{ HASH_SHA1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ HASH_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739"
		    "839dec58b964ec3843" },
	};
	unsigned char out[HASH_MAX];
	struct hmac m;

	for (size_t i = 0; i < COUNT(jefe); i++) {
		hmac_key(&m, jefe[i].hash, SPAN("Jefe"));
		hmac_of(&m, SPAN("what do ya want for nothing?"), out);
		is_hex(out, hash_size(jefe[i].hash), jefe[i].out,
		    "the RFC's example of HMAC");
	}
	for (size_t i = 0; i < COUNT(stretched); i++) {
		enum hash h = stretched[i].hash;

		hmac_stretch(h, span_str(stretched[i].password),
		    span_str(stretched[i].salt), stretched[i].rounds, out);
		is_hex(out, hash_size(h), stretched[i].out,
		    "the RFC's example of PBKDF2");
	}
}

/* Keys and texts around the lengths of a block. */
static void
compared(enum hash h)
{
	static const size_t lengths[] = { 0, 1, 20, 32, 55, 56, 63, 64, 65,
		127, 128, 200 };
	char key[200], text[200];
	unsigned char ours[HASH_MAX], theirs[EVP_MAX_MD_SIZE];
	unsigned n;
	int codes = 0, hashes = 0, keys = 0;
	struct hmac m;

	for (size_t i = 0; i < sizeof key; i++) {
		key[i] = (char)(i * 7);
		text[i] = (char)(i * 13);
	}
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct span t = { text, lengths[i] };

		hash_of(h, t, ours);
		EVP_Digest(t.p, t.n, theirs, &n, md(h), NULL);
		hashes += memcmp(ours, theirs, hash_size(h)) != 0;
		PKCS5_PBKDF2_HMAC(t.p, (int)t.n, (unsigned char *)key, 16, 3,
		    md(h), (int)hash_size(h), theirs);
		hmac_stretch(h, t, (struct span){ key, 16 }, 3, ours);
		keys += memcmp(ours, theirs, hash_size(h)) != 0;
		for (size_t j = 0; j < COUNT(lengths); j++) {
			struct span k = { key, lengths[j] };

			hmac_key(&m, h, k);
			hmac_of(&m, t, ours);
			HMAC(md(h), k.p, (int)k.n, (unsigned char *)text, t.n,
			    theirs, &n);
			codes += memcmp(ours, theirs, hash_size(h)) != 0;
		}
	}
	ok(hashes == 0, "a hash is the newer calls' for every length");
	ok(codes == 0, "an HMAC is the newer calls' for every length");
	ok(keys == 0, "PBKDF2 is the newer calls' for every length");
}

int
main(void)
{
	known();
	compared(HASH_SHA1);
	compared(HASH_SHA256);
	return done();
}
