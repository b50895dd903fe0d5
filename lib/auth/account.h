/* SPDX-License-Identifier: ISC */
#ifndef AUTH_ACCOUNT_H
#define AUTH_ACCOUNT_H

#include <sys/types.h>

#include "base/control.h"

/*
 * The accounts of CONTROL/users (lemon-user makes them).  A login name is
 * NAME, NAME@DOMAIN with DOMAIN in the control file "locals", or NAME+LABEL
 * (also before @DOMAIN) for an app password.
 */
enum { ACCOUNT_NAME_MAX = 64, PASSWORD_MAX = 1024 };

struct account {
	char name[ACCOUNT_NAME_MAX + 1];	/* without domain and label */
	char label[ACCOUNT_NAME_MAX + 1];	/* app password, or "-" */
	struct buf home;	/* its directory; mail is in HOME/Maildir */
	uid_t uid;		/* whom to become; (uid_t)-1: stay */
	gid_t gid;
};

void account_free(struct account *a);

/* Whether that is a legal account name: [a-z0-9][a-z0-9._-]{0,63}. */
bool account_legal(struct span name);

/* Fill *a from a login name or a mail address's owner.  1 found, 0 no such
 * account, -1 the directory cannot be read (errno). */
int account_find(const struct control *c, struct span login,
    struct account *a);

/*
 * Who owns a mail address, for delivery and for senders: a line of some
 * users/NAME/addresses, or NAME@DOMAIN with DOMAIN in "locals" (or without
 * a domain).  An unknown local part is tried again without "+detail", which
 * is then *detail (a view into address, empty if none).  1, 0 or -1 as
 * above.
 */
int account_of_address(const struct control *c, struct span address,
    struct account *a, struct span *detail);

/* Whether the account may send as that address (case-insensitive domain);
 * its subaddresses count. */
bool account_owns(const struct control *c, const struct account *a,
    struct span address);

/*
 * What a login came to.  Unknown and known users look and take the same.
 * AUTH_TEMP: the accounts or the checker cannot be asked now; tell the
 * client to come back (IMAP [UNAVAILABLE], SMTP 454).
 */
enum auth { AUTH_OK, AUTH_BAD, AUTH_TEMP };

/*
 * Check a password, against the verifiers or the control file
 * "checkpassword" (a command line, run as a child, absolute path).  scope
 * is "imap", "submit" or "sieve"; an app password must have it and must not
 * have expired.  *a is filled on AUTH_OK.
 */
enum auth auth_password(const struct control *c, struct span login,
    struct span password, const char *scope, struct account *a);

#endif
