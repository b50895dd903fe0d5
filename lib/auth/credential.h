/* SPDX-License-Identifier: ISC */
#ifndef AUTH_CREDENTIAL_H
#define AUTH_CREDENTIAL_H

#include "auth/account.h"
#include "auth/scram.h"

/*
 * What a login is checked against.  There is always a verifier for each
 * mechanism: where the account, the app password or the mechanism is
 * unknown, or its time or scope is wrong, it is made up (scram_fake) and
 * real is false; finding it takes the same work.  The secret behind the
 * fakes is CONTROL/users/.unknown/verifier, which lemon-user makes: a
 * verifier of a password that nobody knows.  Its rounds are those of the
 * fakes: where all the others have more, it must, too.
 */
struct credential {
	struct account account;		/* located; account_settle it.  Its
					   refused tells why none is real,
					   whatever the password will be */
	struct scram scram[SCRAM_HASHES];
	bool real[SCRAM_HASHES];
};

/* 0, or -1 where the files cannot be read now; that has been logged. */
int credential_find(const struct control *c, struct span login,
    const char *scope, struct credential *to);

/* Forget it, keys and all. */
void credential_free(struct credential *c);

#endif
