/* SPDX-License-Identifier: ISC */
#include "auth/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <openssl/crypto.h>

#include "auth/verifier.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

static const char unknown[] = ".unknown";

static int
read_verifiers(const struct control *c, const char *name, struct buf *to)
{
	struct buf path = { 0 };

	buf_adds(&path, c->dir);
	buf_adds(&path, "/users/");
	buf_adds(&path, name);
	buf_adds(&path, "/verifier");
	int r = file_read(AT_FDCWD, buf_cstr(&path), VERIFIER_FILE_MAX, to);

	if (r < 0 && (errno == ENOENT || errno == ENOTDIR))
		r = 0;
	buf_free(&path);
	return r;
}

static void
forget(struct buf *b)
{
	if (b->p != NULL)
		OPENSSL_cleanse(b->p, b->n);	/* it never had more */
	buf_free(b);
}

/* Made-up verifiers for both mechanisms, for the name as the client would
 * find it spelt always. */
static int
fake(const struct control *c, struct span login, struct credential *to)
{
	struct buf text = { 0 }, name = { 0 };
	struct verifier v;
	unsigned char secret[SCRAM_KEY_MAX];
	unsigned rounds[SCRAM_HASHES] = { SCRAM_ROUNDS, SCRAM_ROUNDS };
	bool known = false;
	int r = read_verifiers(c, unknown, &text), err = errno;
	struct span rest = buf_span(&text);

	/* Without the file nobody was ever added here by lemon-user, and who
	 * runs the server may have meant another place. */
	if (r == 0 && text.n == 0 && account_nowhere(c))
		log_warn("%s/users: %s", c->dir, strerror(errno));
	random_fill(secret, sizeof secret);
	for (; verifier_next(&rest, &v); known = true) {
		if (!known)
			memcpy(secret, v.scram.server, sizeof secret);
		rounds[v.scram.hash] = v.scram.rounds;
	}
	account_login(c, login, &name);
	for (enum scram_hash h = 0; h < SCRAM_HASHES; h++) {
		scram_fake(&to->scram[h], h, (struct span){
		    (const char *)secret, sizeof secret }, buf_span(&name));
		to->scram[h].rounds = rounds[h];
	}
	OPENSSL_cleanse(secret, sizeof secret);
	OPENSSL_cleanse(&v, sizeof v);
	forget(&text);
	buf_free(&name);
	errno = err;
	return r;
}

/* Put the verifiers of that label that count now in place of the fakes; the
 * first line for a mechanism is the one. */
static void
take(struct span text, struct span scope, struct credential *to)
{
	int64_t now = clock_now();
	struct span label = span_str(to->account.label);
	struct verifier v;

	while (verifier_next(&text, &v)) {
		enum scram_hash h = v.scram.hash;

		if (to->real[h] || !span_eq(v.label, label))
			continue;
		if (!verifier_counts(&v, scope, now)) {
			to->account.refused = verifier_expired(&v, now) ?
			    "expired" : "scope";
			continue;
		}
		to->scram[h] = v.scram;
		to->real[h] = true;
	}
	for (enum scram_hash h = 0; h < SCRAM_HASHES; h++)
		if (to->real[h])
			to->account.refused = NULL;
	OPENSSL_cleanse(&v, sizeof v);
}

/* Who runs the server must know, and the client must not.  Without a name it
 * is the accounts that cannot be read. */
static void
trouble(const struct control *c, const char *name)
{
	log_warn("%s/users%s%s%s: %s", c->dir, name != NULL ? "/" : "",
	    name != NULL ? name : "", name != NULL ? "/verifier" : "",
	    strerror(errno));
}

int
credential_find(const struct control *c, struct span login,
    const char *scope, struct credential *to)
{
	struct buf text = { 0 };

	memset(to, 0, sizeof *to);
	int found = account_locate(c, login, &to->account);
	if (found < 0)
		trouble(c, NULL);
	int r = fake(c, login, to);

	if (r < 0 && found >= 0)
		trouble(c, unknown);
	if (found < 0)
		r = -1;
	/* A stranger costs as much reading as a friend. */
	if (r == 0 && (r = read_verifiers(c, found ? to->account.name :
	    unknown, &text)) < 0)
		trouble(c, found ? to->account.name : unknown);
	if (r == 0) {
		struct credential decoy = *to;

		take(buf_span(&text), span_str(scope), found ? to : &decoy);
		OPENSSL_cleanse(&decoy, sizeof decoy);
	}
	forget(&text);
	return r;
}

void
credential_free(struct credential *c)
{
	account_free(&c->account);
	OPENSSL_cleanse(c, sizeof *c);
}
