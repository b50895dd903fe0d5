/* SPDX-License-Identifier: ISC */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "auth/account.h"

/* auth_password (auth/account.h) asks this: whether a login is checked by
 * the program of the control file "checkpassword".  App passwords of
 * accounts under users/ never are. */
bool password_outside(const struct control *c, struct span login);

#endif
