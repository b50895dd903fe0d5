/* SPDX-License-Identifier: ISC */
#include "auth/password.h"

#include <openssl/crypto.h>

#include "auth/addresses.h"
#include "auth/checkpassword.h"
#include "auth/credential.h"
#include "auth/saslprep.h"

static bool
has_checker(const struct control *c)
{
	struct buf program = { 0 };
	bool has = control_line(c, "checkpassword", &program) &&
	    program.n > 0;

	buf_free(&program);
	return has;
}

/* Whether it has the form NAME+LABEL, of an account or of none. */
static bool
is_labelled(const struct control *c, struct span login)
{
	struct buf name = { 0 };
	struct span label;

	account_login(c, login, &name);
	address_base(buf_span(&name), &label);
	bool labelled = account_legal(label);

	buf_free(&name);
	return labelled;
}

static enum auth
by_verifier(const struct control *c, struct span login,
    struct span prepared, const char *scope, struct account *a)
{
	struct credential cred;
	enum auth r = AUTH_BAD;

	if (credential_find(c, login, scope, &cred) < 0) {
		credential_free(&cred);
		return AUTH_TEMP;
	}
	enum scram_hash h = cred.real[SCRAM_SHA1] && !cred.real[SCRAM_SHA256] ?
	    SCRAM_SHA1 : SCRAM_SHA256;

	if (scram_check(&cred.scram[h], prepared) && cred.real[h]) {
		*a = cred.account;
		r = account_settle(c, a) < 0 ? AUTH_TEMP : AUTH_OK;
	} else {
		a->refused = cred.account.refused;
	}
	credential_free(&cred);
	return r;
}

static enum auth
by_prepared(const struct control *c, struct span login,
    struct span password, const char *scope, struct account *a)
{
	struct buf prepared = { 0 };
	enum auth r = AUTH_BAD;

	switch (saslprep(password, &prepared)) {
	case SASLPREP_OK:
		r = by_verifier(c, login, buf_span(&prepared), scope, a);
		break;
	case SASLPREP_BAD:
		break;
	case SASLPREP_TEMP:
		r = AUTH_TEMP;
		break;
	}
	if (prepared.p != NULL)
		OPENSSL_cleanse(prepared.p, prepared.cap);
	buf_free(&prepared);
	return r;
}

/* App passwords have verifiers whoever judges the main ones.  A wrong one
 * goes to the program as well: were it run for strangers only, time would
 * tell who is one. */
enum auth
auth_password(const struct control *c, struct span login,
    struct span password, const char *scope, struct account *a)
{
	a->refused = NULL;
	if (login.n == 0 || password.n == 0 || password.n > PASSWORD_MAX)
		return AUTH_BAD;
	if (!has_checker(c))
		return by_prepared(c, login, password, scope, a);
	enum auth r = is_labelled(c, login) ?
	    by_prepared(c, login, password, scope, a) : AUTH_BAD;

	return r == AUTH_BAD ? checkpassword(c, login, password, a) : r;
}
