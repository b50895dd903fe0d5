/* SPDX-License-Identifier: ISC */
#include "auth/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "../../t.h"

/* The example exchanges of RFC 5802 5 and RFC 7677 3: user "user", password
 * "pencil".  From the salt and the password follow the verifier, and from
 * the verifier the server's signature that the RFC prints. */
static const struct {
	enum scram_hash hash;
	const EVP_MD *(*md)(void);
	const char *salt, *auth, *signature;
} rfc[] = {
	{ SCRAM_SHA1, EVP_sha1, "QSXCR+Q6sek8bf92",
	    "n=user,r=fyko+d2lbbFgONRv9qkxdawL,"
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "s=QSXCR+Q6sek8bf92,i=4096,"
	    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
	    "rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
	{ SCRAM_SHA256, EVP_sha256, "W22ZaJ0SNY7soEsUEjb6gQ==",
	    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
	    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

static void
examples(void)
{
	for (size_t i = 0; i < COUNT(rfc); i++) {
		struct scram s = { .hash = rfc[i].hash, .rounds = 4096 }, r;
		unsigned char raw[64], mac[64];
		unsigned n = sizeof mac;
		char text[128];
		struct buf b = { 0 };

		EVP_DecodeBlock(raw, (const unsigned char *)rfc[i].salt,
		    (int)strlen(rfc[i].salt));
		s.nsalt = s.hash == SCRAM_SHA1 ? 12 : 16;
		memcpy(s.salt, raw, s.nsalt);
		scram_make(&s, SPAN("pencil"));
		HMAC(rfc[i].md(), s.server, (int)scram_size(s.hash),
		    (const unsigned char *)rfc[i].auth,
		    strlen(rfc[i].auth), mac, &n);
		EVP_EncodeBlock((unsigned char *)text, mac, (int)n);
		is(span_str(text), span_str(rfc[i].signature),
		    "the RFC's example has the RFC's server signature");
		scram_print(&s, &b);
		ok(scram_parse(&r, buf_span(&b)) && r.hash == s.hash &&
		    r.rounds == s.rounds && r.nsalt == s.nsalt &&
		    memcmp(r.stored, s.stored, scram_size(s.hash)) == 0 &&
		    memcmp(r.server, s.server, scram_size(s.hash)) == 0,
		    "a verifier printed is read back the same");
		ok(scram_check(&r, SPAN("pencil")), "its password fits");
		ok(!scram_check(&r, SPAN("pencil ")) &&
		    !scram_check(&r, SPAN("Pencil")) &&
		    !scram_check(&r, SPAN("")), "no other one does");
		buf_free(&b);
	}
}

#define K32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define K20 "AAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
forms(void)
{
	static const struct {
		bool good;
		const char *text;
	} form[] = {
		{ true, "SCRAM-SHA-256$4096:AAAA$" K32 ":" K32 },
		{ true, "SCRAM-SHA-1$1:AA==$" K20 ":" K20 },
		{ true, "SCRAM-SHA-1$65536:AA==$" K20 ":" K20 },
		{ false, "" },
		{ false, "SCRAM-SHA-256" },
		{ false, "SCRAM-SHA-512$4096:AAAA$" K32 ":" K32 },
		{ false, "scram-sha-256$4096:AAAA$" K32 ":" K32 },
		{ false, "SCRAM-SHA-1$0:AA==$" K20 ":" K20 },
		{ false, "SCRAM-SHA-1$65537:AA==$" K20 ":" K20 },
		{ false, "SCRAM-SHA-1$-1:AA==$" K20 ":" K20 },
		{ false, "SCRAM-SHA-1$99999999999999999999:AA==$" K20 ":" K20 },
		{ false, "SCRAM-SHA-1$4096:$" K20 ":" K20 },
		{ false, "SCRAM-SHA-1$4096:AB==$" K20 ":" K20 },
		{ false, "SCRAM-SHA-1$4096:AA=A$" K20 ":" K20 },
		{ false, "SCRAM-SHA-1$4096: AA=$" K20 ":" K20 },
		{ false, "SCRAM-SHA-1$4096:====$" K20 ":" K20 },
		{ false, "SCRAM-SHA-1$4096:AA==$" K20 },
		{ false, "SCRAM-SHA-1$4096:AA==$" K32 ":" K20 },
		{ false, "SCRAM-SHA-256$4096:AA==$" K32 ":" K20 },
		{ false, "SCRAM-SHA-1$4096:AA==$" K20 ":" K20 "\n" },
		{ false, "SCRAM-SHA-1$4096:AA==$" K20 ":" K20 ":" },
		{ false, "SCRAM-SHA-1$4096:" K32 K32 K32 "AAAA$" K20 ":" K20 },
	};

	for (size_t i = 0; i < COUNT(form); i++) {
		struct scram s;

		ok(scram_parse(&s, span_str(form[i].text)) == form[i].good,
		    form[i].text);
	}
}

static void
fakes(void)
{
	struct scram a, b, c, d;
	struct buf t = { 0 };

	scram_fake(&a, SCRAM_SHA1, SPAN("secret"), SPAN("nobody"));
	scram_fake(&b, SCRAM_SHA1, SPAN("secret"), SPAN("nobody"));
	scram_fake(&c, SCRAM_SHA1, SPAN("secret"), SPAN("nobodz"));
	scram_fake(&d, SCRAM_SHA1, SPAN("Secret"), SPAN("nobody"));
	ok(memcmp(a.salt, b.salt, SCRAM_SALT) == 0,
	    "an unknown user has the same salt each time");
	ok(memcmp(a.salt, c.salt, SCRAM_SALT) != 0,
	    "another unknown user has another salt");
	ok(memcmp(a.salt, d.salt, SCRAM_SALT) != 0,
	    "another installation has another salt");
	scram_print(&a, &t);
	ok(scram_parse(&b, buf_span(&t)), "it looks like any verifier");
	ok(!scram_check(&a, SPAN("")) && !scram_check(&a, SPAN("secret")) &&
	    !scram_check(&a, SPAN("nobody")), "no password fits");
	buf_free(&t);
}

int
main(void)
{
	examples();
	forms();
	fakes();
	return done();
}
