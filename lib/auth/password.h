/* SPDX-License-Identifier: ISC */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "auth/account.h"

/*
 * Check a password, against the verifiers or the control file
 * "checkpassword" (a command line, run as a child, absolute path).  scope
 * is "imap", "submit" or "sieve"; an app password must have it and must not
 * have expired.  App passwords have verifiers in both cases, and what is
 * none is then asked about by the program.  *a is filled on AUTH_OK; on
 * AUTH_BAD its refused is set and nothing else.
 */
enum auth auth_password(const struct control *c, struct span login,
    struct span password, const char *scope, struct account *a);

#endif
