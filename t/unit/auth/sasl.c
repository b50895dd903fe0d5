/* SPDX-License-Identifier: ISC */
/* Plays the client, with a SCRAM of its own, against auth/sasl.c and
 * auth/sasl_lib.c. */
#include "auth/sasl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "house.h"

/* A connection under TLS, as far as auth/sasl.c can see. */
struct tls {
	const char *binding;
	const char *certificate;
};

bool
tls_binding(const struct tls *t, const char **type, struct buf *data)
{
	if (t->binding == NULL)
		return false;
	*type = t->binding;
	buf_adds(data, "thirty-two octets of the channel");
	return true;
}

bool
tls_peer_name(const struct tls *t, struct buf *name)
{
	if (t->certificate == NULL)
		return false;
	buf_adds(name, t->certificate);
	return true;
}

#define L(text) SPAN_INIT(text)

static struct account who;
static struct buf last;		/* the last challenge */

static const char *
word(enum sasl_step s)
{
	static const char *const w[] =
	    { "more", "done", "bad", "nomech", "temp" };
	return w[s];
}

static const char *scope = "imap";

static enum sasl_step
start(struct sasl_server **s, bool secure, const struct tls *tls,
    const char *mech, struct span initial)
{
	buf_clear(&last);
	account_free(&who);
	return sasl_server_start(s, &house, "imap", scope, secure, tls,
	    span_str(mech), initial, &last, &who);
}

static enum sasl_step
step(struct sasl_server *s, struct span response)
{
	buf_clear(&last);
	return sasl_server_step(s, response, &last, &who);
}

/* --- PLAIN and LOGIN --- */

static enum sasl_step
plain(bool secure, struct span message)
{
	struct sasl_server *s;
	enum sasl_step r = start(&s, secure, NULL, "PLAIN", message);

	sasl_server_free(s);
	return r;
}

static void
plain_cases(void)
{
	static const struct {
		const char *name, *scope, *user;
		struct span message;
		enum sasl_step want;
	} row[] = {
		{ "PLAIN lets in who has the password", "imap", "alice",
		  L("\0alice\0Secret of alice"), SASL_STEP_DONE },
		{ "PLAIN takes name@domain", "imap", "alice",
		  L("\0alice@example.org\0Secret of alice"),
		  SASL_STEP_DONE },
		{ "PLAIN takes any case of the name", "imap", "alice",
		  L("\0Alice@EXAMPLE.net\0Secret of alice"),
		  SASL_STEP_DONE },
		{ "a domain that is not ours is refused", "imap", "",
		  L("\0alice@example.com\0Secret of alice"),
		  SASL_STEP_BAD },
		{ "the user's own name may be asked for", "imap", "alice",
		  L("alice\0alice@example.org\0Secret of alice"),
		  SASL_STEP_DONE },
		{ "also in another spelling", "imap", "alice",
		  L("Alice@example.org\0alice\0Secret of alice"),
		  SASL_STEP_DONE },
		{ "another's may not", "imap", "",
		  L("bob\0alice\0Secret of alice"), SASL_STEP_BAD },
		{ "a stranger's may not", "imap", "",
		  L("carol\0alice\0Secret of alice"), SASL_STEP_BAD },
		{ "a wrong password is bad", "imap", "",
		  L("\0alice\0secret of alice"), SASL_STEP_BAD },
		{ "another's password is bad", "imap", "",
		  L("\0bob\0Secret of alice"), SASL_STEP_BAD },
		{ "an unknown user is bad", "imap", "",
		  L("\0carol\0Secret of alice"), SASL_STEP_BAD },
		{ "so is the decoy", "imap", "",
		  L("\0.unknown\0nobody knows it"), SASL_STEP_BAD },
		{ "a path is no name", "imap", "",
		  L("\0../users/alice\0Secret of alice"), SASL_STEP_BAD },
		{ "an app password logs in", "imap", "alice",
		  L("\0alice+phone\0phone secret"), SASL_STEP_DONE },
		{ "also with a domain", "imap", "alice",
		  L("\0alice+phone@example.org\0phone secret"),
		  SASL_STEP_DONE },
		{ "also asking for the account", "imap", "alice",
		  L("alice\0alice+phone\0phone secret"), SASL_STEP_DONE },
		{ "not outside its scope", "submit", "",
		  L("\0alice+phone\0phone secret"), SASL_STEP_BAD },
		{ "not when it has expired", "imap", "",
		  L("\0alice+old\0old secret"), SASL_STEP_BAD },
		{ "not without its label", "imap", "",
		  L("\0alice\0phone secret"), SASL_STEP_BAD },
		{ "the main password not with a label", "imap", "",
		  L("\0alice+phone\0Secret of alice"), SASL_STEP_BAD },
		{ "nor with one that is not there", "imap", "",
		  L("\0alice+none\0Secret of alice"), SASL_STEP_BAD },
		{ "a password is prepared first", "imap", "bob",
		  L("\0bob\0pe\xcc\x81rdu"), SASL_STEP_DONE },
		{ "no password is bad", "imap", "",
		  L("\0alice\0"), SASL_STEP_BAD },
		{ "no name is bad", "imap", "",
		  L("\0\0Secret of alice"), SASL_STEP_BAD },
		{ "no NULs are bad", "imap", "", L("alice"),
		  SASL_STEP_BAD },
		{ "a NUL too many is bad", "imap", "",
		  L("\0alice\0Secret of alice\0"), SASL_STEP_BAD },
		{ "an empty message is bad", "imap", "", L(""),
		  SASL_STEP_BAD },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		scope = row[i].scope;
		enum sasl_step r = plain(true, row[i].message);

		is(span_str(word(r)), span_str(word(row[i].want)),
		    row[i].name);
		is(span_str(who.name), span_str(row[i].user), row[i].name);
	}
	scope = "imap";
	ok(plain(false, row[0].message) == SASL_STEP_NOMECH,
	    "PLAIN is not to be had in clear");
	ok(plain(true, row[0].message) == SASL_STEP_DONE &&
	    strcmp(who.label, "-") == 0 && span_ends(buf_span(&who.home),
	    SPAN("/homes/alice")), "the account comes with its home");
}

static void
conversations(void)
{
	struct sasl_server *s;
	static char big[20000];

	memset(big, 'x', sizeof big);
	ok(start(&s, true, NULL, "plain", (struct span){ NULL, 0 }) ==
	    SASL_STEP_MORE && last.n == 0 &&
	    step(s, SPAN("\0alice\0Secret of alice")) == SASL_STEP_DONE,
	    "PLAIN works without an initial response, in small letters");
	sasl_server_free(s);

	ok(start(&s, true, NULL, "LOGIN", (struct span){ NULL, 0 }) ==
	    SASL_STEP_MORE && last.n > 0 &&
	    step(s, SPAN("alice")) == SASL_STEP_MORE && last.n > 0 &&
	    step(s, SPAN("Secret of alice")) == SASL_STEP_DONE &&
	    strcmp(who.name, "alice") == 0, "LOGIN asks for both");
	sasl_server_free(s);
	ok(start(&s, true, NULL, "LOGIN", SPAN("alice+phone")) ==
	    SASL_STEP_MORE &&
	    step(s, SPAN("phone secret")) == SASL_STEP_DONE,
	    "LOGIN takes the name as initial response");
	sasl_server_free(s);
	ok(start(&s, true, NULL, "LOGIN", SPAN("alice")) == SASL_STEP_MORE &&
	    step(s, SPAN("wrong")) == SASL_STEP_BAD, "LOGIN refuses");
	sasl_server_free(s);
	ok(start(&s, true, NULL, "LOGIN", SPAN("alice")) == SASL_STEP_MORE,
	    "an exchange may be given up");
	sasl_server_free(s);

	static const char *const never[] = { "", "CRAM-MD5", "DIGEST-MD5",
	    "NTLM", "ANONYMOUS", "SRP", "OTP", "GSSAPI", "SCRAM-SHA-512",
	    "SCRAM-SHA-224", "PLAIN ", "EXTERNAL", "SCRAM-SHA-256-PLUS" };

	for (size_t i = 0; i < COUNT(never); i++)
		ok(start(&s, true, NULL, never[i], SPAN("")) ==
		    SASL_STEP_NOMECH && s == NULL, never[i]);
	ok(start(&s, true, NULL, "PLAIN", (struct span){ big,
	    sizeof big }) == SASL_STEP_BAD, "a huge response is bad");
	sasl_server_free(s);
	for (int i = 0; i < 50; i++) {
		if (start(&s, true, NULL, i % 2 ? "LOGIN" : "SCRAM-SHA-1",
		    i % 2 ? SPAN("alice") : SPAN("n,,n=alice,r=abc")) !=
		    SASL_STEP_MORE)
			break;
		sasl_server_free(s);
	}
	ok(plain(true, SPAN("\0alice\0Secret of alice")) == SASL_STEP_DONE,
	    "fifty given up do no harm");
}

/* --- SCRAM --- */

static void
base64(struct buf *to, const void *p, size_t n)
{
	char text[256];
	int got = EVP_EncodeBlock((unsigned char *)text, p, (int)n);

	buf_add(to, (struct span){ text, (size_t)got });
}

struct client {
	const char *mech, *user, *password, *gs2;
	const char *binding;	/* what it binds to, or NULL */
	bool forge;		/* a proof that is all zeros */
	bool skip_last;		/* answers the server's last word wrongly */
};

/* The client's final message. RFC 5802 3 */
static void
client_final(const struct client *c, struct span bare, struct span first,
    struct buf *to, struct buf *want)
{
	struct buf auth = { 0 }, cb = { 0 };
	unsigned char salt[64], salted[32], key[32], stored[32], sign[32];
	unsigned n;
	bool one = strncmp(c->mech, "SCRAM-SHA-1", 11) == 0;
	const EVP_MD *md = one ? EVP_sha1() : EVP_sha256();
	size_t size = one ? 20 : 32;
	struct span rest = first, nonce = span_cut(&rest, ',');
	struct span s = span_skip(span_cut(&rest, ','), 2);

	EVP_DecodeBlock(salt, (const unsigned char *)s.p, (int)s.n);
	PKCS5_PBKDF2_HMAC(c->password, (int)strlen(c->password), salt,
	    SCRAM_SALT, 4096, md, (int)size, salted);
	HMAC(md, salted, (int)size, (const unsigned char *)"Client Key", 10,
	    key, &n);
	EVP_Digest(key, size, stored, NULL, md, NULL);
	buf_adds(to, "c=");
	buf_adds(&cb, c->gs2);
	if (c->binding != NULL)
		buf_adds(&cb, c->binding);
	base64(to, cb.p, cb.n);
	buf_addc(to, ',');
	buf_add(to, nonce);
	buf_add(&auth, bare);
	buf_addc(&auth, ',');
	buf_add(&auth, first);
	buf_addc(&auth, ',');
	buf_add(&auth, buf_span(to));
	HMAC(md, stored, (int)size, (const unsigned char *)auth.p, auth.n,
	    sign, &n);
	for (size_t i = 0; i < size; i++)
		sign[i] = c->forge ? 0 : sign[i] ^ key[i];
	buf_adds(to, ",p=");
	base64(to, sign, size);
	HMAC(md, salted, (int)size, (const unsigned char *)"Server Key", 10,
	    key, &n);
	HMAC(md, key, (int)size, (const unsigned char *)auth.p, auth.n,
	    sign, &n);
	buf_adds(want, "v=");
	base64(want, sign, size);
	buf_free(&auth);
	buf_free(&cb);
}

static bool proved;	/* the server's signature was right */

static enum sasl_step
scram(const struct client *c, const struct tls *tls, bool ir)
{
	struct sasl_server *s;
	struct buf first = { 0 }, reply = { 0 }, final = { 0 }, want = { 0 };
	enum sasl_step r;

	proved = false;
	buf_adds(&first, c->gs2);
	size_t bare = first.n;
	buf_addf(&first, "n=%s,r=fyko+d2lbbFgONRv9qkxdawL", c->user);
	r = start(&s, tls != NULL, tls, c->mech,
	    ir ? buf_span(&first) : (struct span){ NULL, 0 });
	if (!ir && r == SASL_STEP_MORE)
		r = step(s, buf_span(&first));
	if (r == SASL_STEP_MORE) {
		buf_add(&reply, buf_span(&last));
		client_final(c, span_skip(buf_span(&first), bare),
		    buf_span(&reply), &final, &want);
		r = step(s, buf_span(&final));
	}
	if (r == SASL_STEP_MORE) {
		proved = span_eq(buf_span(&last), buf_span(&want));
		r = step(s, c->skip_last ? SPAN("x") : SPAN(""));
	}
	sasl_server_free(s);
	buf_free(&first);
	buf_free(&reply);
	buf_free(&final);
	buf_free(&want);
	return r;
}

#define CHANNEL "thirty-two octets of the channel"
#define P "p=tls-exporter,,"

static void
scram_cases(void)
{
	static const struct tls bound = { "tls-exporter", NULL };
	static const struct tls unbound = { NULL, NULL };
	static const struct {
		const char *name;
		const struct tls *tls;
		struct client c;
		enum sasl_step want;
	} row[] = {
		{ "SCRAM-SHA-256 lets in, even in clear", NULL, {
		  "SCRAM-SHA-256", "alice", "Secret of alice", .gs2 = "n,," },
		  SASL_STEP_DONE },
		{ "SCRAM-SHA-1 lets in", &unbound, {
		  "SCRAM-SHA-1", "alice", "Secret of alice", .gs2 = "n,," },
		  SASL_STEP_DONE },
		{ "a client may know of bindings and see none offered",
		  &unbound, { "SCRAM-SHA-256", "alice", "Secret of alice",
		  .gs2 = "y,," }, SASL_STEP_DONE },
		{ "where they are offered that is a downgrade", &bound, {
		  "SCRAM-SHA-256", "alice", "Secret of alice", .gs2 = "y,," },
		  SASL_STEP_BAD },
		{ "a client without bindings may do without", &bound, {
		  "SCRAM-SHA-256", "alice", "Secret of alice", .gs2 = "n,," },
		  SASL_STEP_DONE },
		{ "SCRAM-SHA-256-PLUS lets in", &bound, {
		  "SCRAM-SHA-256-PLUS", "alice", "Secret of alice", P,
		  .binding = CHANNEL }, SASL_STEP_DONE },
		{ "SCRAM-SHA-1-PLUS lets in", &bound, {
		  "SCRAM-SHA-1-PLUS", "alice", "Secret of alice", P,
		  .binding = CHANNEL }, SASL_STEP_DONE },
		{ "another channel is refused", &bound, {
		  "SCRAM-SHA-256-PLUS", "alice", "Secret of alice", P,
		  .binding = "thirty-two octets of the chunnel" },
		  SASL_STEP_BAD },
		{ "a shorter channel is refused", &bound, {
		  "SCRAM-SHA-256-PLUS", "alice", "Secret of alice", P,
		  .binding = "thirty-two" }, SASL_STEP_BAD },
		{ "no channel is refused", &bound, { "SCRAM-SHA-256-PLUS",
		  "alice", "Secret of alice", .gs2 = P }, SASL_STEP_BAD },
		{ "-PLUS without a binding is refused", &bound, {
		  "SCRAM-SHA-256-PLUS", "alice", "Secret of alice", .gs2 = "n,," },
		  SASL_STEP_BAD },
		{ "a binding without -PLUS is refused", &bound, {
		  "SCRAM-SHA-256", "alice", "Secret of alice", P,
		  .binding = CHANNEL }, SASL_STEP_BAD },
		{ "another type of binding is refused", &bound, {
		  "SCRAM-SHA-256-PLUS", "alice", "Secret of alice",
		  "p=tls-unique,,", .binding = CHANNEL }, SASL_STEP_BAD },
		{ "-PLUS is not there without TLS", NULL, {
		  "SCRAM-SHA-256-PLUS", "alice", "Secret of alice", P,
		  .binding = CHANNEL }, SASL_STEP_NOMECH },
		{ "-PLUS is not there under a wrapper", &unbound, {
		  "SCRAM-SHA-1-PLUS", "alice", "Secret of alice", P,
		  .binding = CHANNEL }, SASL_STEP_NOMECH },
		{ "a wrong password is bad", &bound, { "SCRAM-SHA-256",
		  "alice", "secret of alice", .gs2 = "n,," }, SASL_STEP_BAD },
		{ "a forged proof is bad", &bound, { "SCRAM-SHA-256",
		  "alice", "Secret of alice", "n,,", .forge = true },
		  SASL_STEP_BAD },
		{ "an unknown user is bad, but only at the end", &bound, {
		  "SCRAM-SHA-256", "carol", "Secret of alice", .gs2 = "n,," },
		  SASL_STEP_BAD },
		{ "the decoy is no user", &bound, { "SCRAM-SHA-256",
		  ".unknown", "nobody knows it", .gs2 = "n,," }, SASL_STEP_BAD },
		{ "an app password logs in", &bound, { "SCRAM-SHA-256-PLUS",
		  "alice+phone", "phone secret", P, .binding = CHANNEL },
		  SASL_STEP_DONE },
		{ "an expired one does not", &bound, { "SCRAM-SHA-256",
		  "alice+old", "old secret", .gs2 = "n,," }, SASL_STEP_BAD },
		{ "name@domain works", &bound, { "SCRAM-SHA-1",
		  "alice@example.net", "Secret of alice", .gs2 = "n,," },
		  SASL_STEP_DONE },
		{ "the user's own name may be asked for", &bound, {
		  "SCRAM-SHA-256", "alice+phone", "phone secret",
		  .gs2 = "n,a=alice," }, SASL_STEP_DONE },
		{ "another's may not", &bound, { "SCRAM-SHA-256",
		  "alice", "Secret of alice", .gs2 = "n,a=bob," },
		  SASL_STEP_BAD },
		{ "the last answer must be empty", &bound, {
		  "SCRAM-SHA-256", "alice", "Secret of alice", "n,,",
		  .skip_last = true }, SASL_STEP_BAD },
		{ "a prepared password works", &bound, { "SCRAM-SHA-256",
		  "bob", "p\xc3\xa9rdu", .gs2 = "n,," }, SASL_STEP_DONE },
	};

	for (size_t i = 0; i < COUNT(row); i++)
		for (int ir = 0; ir < 2; ir++) {
			enum sasl_step r = scram(&row[i].c, row[i].tls, ir);

			is(span_str(word(r)), span_str(word(row[i].want)),
			    row[i].name);
			if (r == SASL_STEP_DONE)
				ok(proved, "and the server proves itself");
			else
				ok(who.name[0] == '\0' && who.home.p == NULL,
				    "and no account comes out");
		}
	scope = "submit";
	ok(scram(&row[19].c, &bound, true) == SASL_STEP_BAD,
	    "an app password does not work outside its scope");
	scope = "imap";
}

static void
odd_accounts(void)
{
	static const struct tls unique = { "tls-unique", NULL };
	struct client c = { "SCRAM-SHA-1", "old", "one", .gs2 = "n,," };

	house_user("old", NULL);
	house_password("old", "-", "", "", "one", 1u << SCRAM_SHA1);
	ok(scram(&c, NULL, true) == SASL_STEP_DONE,
	    "a verifier for one mechanism lets in by that one");
	c.mech = "SCRAM-SHA-256";
	ok(scram(&c, NULL, true) == SASL_STEP_BAD,
	    "and by the other it is bad, not out of memory");
	c = (struct client){ "SCRAM-SHA-256-PLUS", "alice",
	    "Secret of alice", "p=tls-unique,,", .binding = CHANNEL };
	ok(scram(&c, &unique, true) == SASL_STEP_DONE,
	    "TLS 1.2 binds by tls-unique");

	house_mkdir("users/broken");
	house_mkdir("users/broken/verifier");
	ok(plain(true, SPAN("\0broken\0x")) == SASL_STEP_TEMP,
	    "an account that cannot be read is a temporary failure");
	c = (struct client){ "SCRAM-SHA-256", "broken", "x", "n,,",
	    .binding = NULL };
	ok(scram(&c, NULL, true) == SASL_STEP_TEMP, "in SCRAM too");
}

/* What the server's first message tells, without the nonce. */
static void
first_word(const char *mech, const char *user, struct buf *to)
{
	struct sasl_server *s;
	struct buf first = { 0 };

	buf_clear(to);
	buf_addf(&first, "n,,n=%s,r=abcdefgh", user);
	if (start(&s, true, NULL, mech, buf_span(&first)) == SASL_STEP_MORE)
		buf_add(to, span_skip(buf_span(&last),
		    span_chr(buf_span(&last), ',')));
	sasl_server_free(s);
	buf_free(&first);
}

static void
strangers(void)
{
	struct buf a = { 0 }, b = { 0 }, c = { 0 };

	first_word("SCRAM-SHA-256", "alice", &a);
	first_word("SCRAM-SHA-256", "carol", &b);
	ok(a.n == b.n && b.n > 20, "a stranger gets a salt as a friend does");
	first_word("SCRAM-SHA-256", "carol", &c);
	ok(span_eq(buf_span(&b), buf_span(&c)), "the same each time");
	first_word("SCRAM-SHA-256", "Carol@example.org", &c);
	ok(span_eq(buf_span(&b), buf_span(&c)), "in each spelling");
	first_word("SCRAM-SHA-256", "Alice@example.org", &c);
	ok(span_eq(buf_span(&a), buf_span(&c)), "as a friend does");
	first_word("SCRAM-SHA-256", "caroline", &c);
	ok(!span_eq(buf_span(&b), buf_span(&c)), "another one gets another");
	first_word("SCRAM-SHA-1", "carol", &c);
	ok(!span_eq(buf_span(&b), buf_span(&c)) && c.n == b.n,
	    "and so does another mechanism");
	first_word("SCRAM-SHA-256", "alice+none", &c);
	ok(c.n == b.n && !span_eq(buf_span(&a), buf_span(&c)),
	    "a label that is not there looks like one that is");
	buf_free(&a);
	buf_free(&b);
	buf_free(&c);
}

/* --- EXTERNAL and the list --- */

static void
external_cases(void)
{
	static const struct {
		const char *name, *certificate;
		struct span authzid;	/* p NULL: sent as second step */
		enum sasl_step want;
		const char *user;
	} row[] = {
		{ "a certificate's address logs in", "Alice.L@example.com",
		  L(""), SASL_STEP_DONE, "alice" },
		{ "so does its name", "bob", L(""), SASL_STEP_DONE,
		  "bob" },
		{ "after an empty challenge too", "bob",
		  { NULL, 0 }, SASL_STEP_DONE, "bob" },
		{ "the own name may be asked for", "alice@example.org",
		  L("alice"), SASL_STEP_DONE, "alice" },
		{ "another's may not", "alice@example.org", L("bob"),
		  SASL_STEP_BAD, "" },
		{ "a stranger's certificate is bad", "carol@example.org",
		  L(""), SASL_STEP_BAD, "" },
		{ "a subaddress is not the user", "alice+x@example.org",
		  L(""), SASL_STEP_BAD, "" },
		{ "nor is an app password", "alice+phone", L(""),
		  SASL_STEP_BAD, "" },
		{ "without a certificate it is not there", NULL, L(""),
		  SASL_STEP_NOMECH, "" },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		struct tls t = { NULL, row[i].certificate };
		struct sasl_server *s;
		enum sasl_step r = start(&s, true, &t, "EXTERNAL",
		    row[i].authzid);

		if (r == SASL_STEP_MORE && row[i].authzid.p == NULL)
			r = step(s, SPAN(""));
		sasl_server_free(s);
		is(span_str(word(r)), span_str(word(row[i].want)),
		    row[i].name);
		is(span_str(who.name), span_str(row[i].user), row[i].name);
	}
}

static void
list_is(bool secure, const struct tls *tls, const char *want,
    const char *name)
{
	struct buf b = { 0 };

	sasl_mechs(&house, secure, tls, &b);
	is(buf_span(&b), span_str(want), name);
	buf_free(&b);
}

static void
lists(void)
{
	static const struct tls all = { "tls-exporter", "alice" };
	static const struct tls none = { NULL, NULL };

	list_is(false, NULL, "SCRAM-SHA-256 SCRAM-SHA-1", "in clear");
	list_is(true, NULL, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN",
	    "TLS outside");
	list_is(true, &none, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN",
	    "TLS without a binding");
	list_is(true, &all, "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS "
	    "SCRAM-SHA-256 SCRAM-SHA-1 EXTERNAL PLAIN LOGIN",
	    "TLS with a client's certificate");
	house_add("plaintext", SPAN("1\n"));
	list_is(false, NULL, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN",
	    "in clear where the administrator wants it");
	ok(plain(false, SPAN("\0alice\0Secret of alice")) == SASL_STEP_DONE,
	    "and then it works");
	house_add("checkpassword", SPAN("/bin/false\n"));
	list_is(true, NULL, "PLAIN LOGIN", "with a checkpassword");
	list_is(true, &all, "EXTERNAL PLAIN LOGIN",
	    "with a checkpassword and a certificate");
	struct sasl_server *s;

	ok(start(&s, true, NULL, "SCRAM-SHA-256", SPAN("n,,n=alice,r=x")) ==
	    SASL_STEP_NOMECH, "what is not listed is not to be had");
	ok(plain(true, SPAN("\0alice+phone\0phone secret")) ==
	    SASL_STEP_DONE, "app passwords work beside a checkpassword");
	ok(plain(true, SPAN("\0alice\0Secret of alice")) == SASL_STEP_BAD ||
	    plain(true, SPAN("\0alice\0Secret of alice")) ==
	    SASL_STEP_TEMP, "the main one is the checkpassword's to judge");
}

/* Whether a file of that name is mapped into us. */
static bool
mapped(const char *name)
{
	struct buf b = { 0 };
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	file_read_fd(fd, 1 << 20, &b);
	close(fd);
	bool found = span_find(buf_span(&b), span_str(name)) < b.n;

	buf_free(&b);
	return found;
}

static void
laziness(void)
{
	struct buf b = { 0 };

	sasl_mechs(&house, true, NULL, &b);
	buf_free(&b);
	ok(!mapped("libsasl2"), "to list mechanisms loads nothing");
	ok(plain(true, SPAN("\0alice\0Secret of alice")) == SASL_STEP_DONE &&
	    mapped("libsasl2") && mapped("libplain"),
	    "to use one loads the library");
	ok(!mapped("libscram") && !mapped("libsasldb") &&
	    !mapped("libcrammd5") && !mapped("libicuuc"),
	    "and the one plug-in, no other and no database");
}

int
main(void)
{
	house_make();
	laziness();
	plain_cases();
	conversations();
	scram_cases();
	odd_accounts();
	strangers();
	external_cases();
	lists();
	buf_free(&last);
	account_free(&who);
	return done();
}
