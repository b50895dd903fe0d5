/* SPDX-License-Identifier: ISC */
#include "auth/scram.h"

#include <string.h>

#include <openssl/crypto.h>

#include "auth/hmac.h"
#include "text/base64.h"

static const struct {
	const char *name;
	enum hash hash;
} hashes[SCRAM_HASHES] = {
	[SCRAM_SHA1] = { "SCRAM-SHA-1", HASH_SHA1 },
	[SCRAM_SHA256] = { "SCRAM-SHA-256", HASH_SHA256 },
};

const char *
scram_name(enum scram_hash h)
{
	return hashes[h].name;
}

size_t
scram_size(enum scram_hash h)
{
	return hash_size(hashes[h].hash);
}

/* Both keys that follow from a password.  RFC 5802 3 */
static void
keys(const struct scram *s, struct span password, unsigned char *stored,
    unsigned char *server)
{
	enum hash h = hashes[s->hash].hash;
	unsigned char salted[SCRAM_KEY_MAX], client[SCRAM_KEY_MAX];
	struct hmac m;

	hmac_stretch(h, password, (struct span){ (const char *)s->salt,
	    s->nsalt }, s->rounds, salted);
	hmac_key(&m, h, (struct span){ (const char *)salted, hash_size(h) });
	hmac_of(&m, SPAN("Client Key"), client);
	hmac_of(&m, SPAN("Server Key"), server);
	hash_of(h, (struct span){ (const char *)client, hash_size(h) },
	    stored);
	OPENSSL_cleanse(salted, sizeof salted);
	OPENSSL_cleanse(client, sizeof client);
	OPENSSL_cleanse(&m, sizeof m);
}

void
scram_make(struct scram *s, struct span password)
{
	keys(s, password, s->stored, s->server);
}

static bool
decode(struct span text, unsigned char *to, size_t min, size_t max,
    size_t *n)
{
	struct buf raw = { 0 };
	bool good = text.n <= (SCRAM_SALT_MAX + 2) / 3 * 4 &&
	    base64_strict(text, &raw) && raw.n >= min && raw.n <= max;

	if (good) {
		memcpy(to, raw.p, raw.n);
		*n = raw.n;
	}
	if (raw.p != NULL)
		OPENSSL_cleanse(raw.p, raw.cap);
	buf_free(&raw);
	return good;
}

static void
encode(struct buf *to, const unsigned char *p, size_t n)
{
	base64_add((struct span){ (const char *)p, n }, to);
}

bool
scram_parse(struct scram *s, struct span text)
{
	uint64_t rounds;
	size_t n;
	struct span name = span_cut(&text, '$');
	struct span count = span_cut(&text, ':');
	struct span salt = span_cut(&text, '$');
	struct span stored = span_cut(&text, ':');

	memset(s, 0, sizeof *s);
	while (!span_eq(name, span_str(hashes[s->hash].name)))
		if (++s->hash == SCRAM_HASHES)
			return false;
	if (!span_u64(count, SCRAM_ROUNDS_MAX, &rounds) || rounds == 0 ||
	    !decode(salt, s->salt, 1, sizeof s->salt, &n))
		return false;
	s->rounds = (unsigned)rounds;
	s->nsalt = (unsigned)n;
	size_t size = scram_size(s->hash);

	return decode(stored, s->stored, size, size, &n) &&
	    decode(text, s->server, size, size, &n);
}

void
scram_print(const struct scram *s, struct buf *to)
{
	size_t size = scram_size(s->hash);

	buf_adds(to, hashes[s->hash].name);
	buf_addc(to, '$');
	buf_addu(to, s->rounds);
	buf_addc(to, ':');
	encode(to, s->salt, s->nsalt);
	buf_addc(to, '$');
	encode(to, s->stored, size);
	buf_addc(to, ':');
	encode(to, s->server, size);
}

bool
scram_check(const struct scram *s, struct span password)
{
	unsigned char stored[SCRAM_KEY_MAX], server[SCRAM_KEY_MAX];

	keys(s, password, stored, server);
	return CRYPTO_memcmp(stored, s->stored, scram_size(s->hash)) == 0;
}

void
scram_fake(struct scram *s, enum scram_hash h, struct span secret,
    struct span name)
{
	static const char *const what[] = { "salt", "stored", "server" };
	unsigned char salt[SCRAM_KEY_MAX] = { 0 };
	unsigned char *const to[] = { salt, s->stored, s->server };
	struct buf b = { 0 };
	struct hmac m;

	hmac_key(&m, HASH_SHA256, secret);
	s->hash = h;
	s->rounds = SCRAM_ROUNDS;
	s->nsalt = SCRAM_SALT;
	for (size_t i = 0; i < COUNT(what); i++) {
		buf_clear(&b);
		buf_adds(&b, what[i]);
		buf_addc(&b, '\0');
		buf_adds(&b, hashes[h].name);
		buf_addc(&b, '\0');
		buf_add(&b, name);
		hmac_of(&m, buf_span(&b), to[i]);
	}
	memcpy(s->salt, salt, SCRAM_SALT);
	OPENSSL_cleanse(&m, sizeof m);
	buf_free(&b);
}
