/* SPDX-License-Identifier: ISC */
#include "auth/password.h"

#include <openssl/crypto.h>

#include "auth/checkpassword.h"
#include "auth/credential.h"
#include "auth/saslprep.h"

bool
password_outside(const struct control *c, struct span login)
{
	struct buf program = { 0 };
	struct account a;
	bool outside = control_line(c, "checkpassword", &program) &&
	    program.n > 0;

	buf_free(&program);
	return outside && !(account_locate(c, login, &a) == 1 &&
	    !span_eq(span_str(a.label), SPAN("-")));
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
	}
	credential_free(&cred);
	return r;
}

enum auth
auth_password(const struct control *c, struct span login,
    struct span password, const char *scope, struct account *a)
{
	struct buf prepared = { 0 };
	enum auth r = AUTH_BAD;

	if (login.n == 0 || password.n == 0 || password.n > PASSWORD_MAX)
		return AUTH_BAD;
	if (password_outside(c, login))
		return checkpassword(c, login, password, a);
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
