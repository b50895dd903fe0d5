/* SPDX-License-Identifier: ISC */
#ifndef AUTH_LOGIN_ENV_H
#define AUTH_LOGIN_ENV_H

#include "auth/account.h"

/*
 * Who a login chain before us says it has let in.  mailfront, Courier and
 * qmail-ldap say AUTHENTICATED or IMAPLOGINTAG (or both), which nothing else
 * sets.  A bare checkpassword sets USER, HOME and SHELL, which every login
 * shell has too; so those count only where they cannot have been inherited:
 * the home is our uid's, LOGNAME is not the same user (shells, su, sudo,
 * cron and systemd set both), and our parent has other ones or, where we may
 * not look, another uid than ours.
 *
 * Where the mail is: MAILDIR (relative to HOME); MAIL as "maildir:PATH" ("::"
 * is a colon, a single one ends the path) or as the path of a Maildir; else
 * HOME/Maildir.
 */
enum login_env {
	LOGIN_NONE,	/* no chain before us */
	LOGIN_CHAIN,	/* *a and *tag are set */
	LOGIN_REFUSED	/* a chain, but not like this: see *why */
};

/*
 * *tag is that of the client's LOGIN or AUTHENTICATE, which still waits for
 * its answer, or NULL: then the greeting is PREAUTH.  It belongs to the
 * environment.  Root is refused.  a->home may be empty where a->maildir is
 * absolute.
 */
enum login_env login_env_find(const struct control *c, struct account *a,
    const char **tag, const char **why);

#endif
