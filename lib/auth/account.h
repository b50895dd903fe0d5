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
	struct buf maildir;	/* or here, where a login chain or a checker
				   said so; empty: HOME/Maildir */
	uid_t uid;		/* whom to become; (uid_t)-1: stay */
	gid_t gid;
	const char *refused;	/* after a failed login, for the log alone:
				   "expired" or "scope" where a password of
				   that label is there; NULL: neither */
};

void account_free(struct account *a);	/* leaves { 0 } */

/* Add the text with the account's name for each "%u" in it. */
void account_expand(const struct account *a, struct span text, struct buf *to);

/* Add where its mail is; and where its index is to be, false if that is
 * within the mail.  Empty the buffers before. */
void account_maildir(const struct account *a, struct buf *to);
bool account_index(const struct control *c, const struct account *a,
    struct buf *to);

/* Whether that is a legal account name: [a-z0-9][a-z0-9._-]{0,63}. */
bool account_legal(struct span name);

/* Whether a name that another program gave (a checkpassword, a login chain)
 * can stand for an account in paths and log lines: 1 to 64 octets, no blank,
 * control or '/', no '.' at the beginning. */
bool account_foreign(struct span name);

/*
 * Fill *a from a login name.  1 found, 0 no such account, -1 it cannot be
 * told now (errno).  Upper case is taken for lower.  The home is the
 * control file "home" with each "%u" replaced by the name; relative to the
 * control directory.  Where we are root, uid and gid are those of the
 * home's owner, which must be there.
 *
 * The two halves: account_locate sets name and label and looks whether the
 * account is there, and account_settle fills in the rest (0, or -1 after a
 * line in the log).
 */
int account_find(const struct control *c, struct span login,
    struct account *a);
int account_locate(const struct control *c, struct span login,
    struct account *a);
int account_settle(const struct control *c, struct account *a);

/* The uid and gid of who owns a Maildir, or a link in its place (but for one
 * of root's, which is followed), which root becomes to serve it.
 * Both stay as they are where we are not root, for root's own, and for one
 * that is to be made.  0, or -1 with errno: nobody can tell now. */
int account_owner(const char *maildir, struct account *a);

/* Whoever runs us, with a Maildir of his own or one that he may read: the
 * name, $USER or "uid" and a number, is for the log, for settings and for
 * URLs.  uid and gid are as account_owner says. */
int account_ourselves(const char *maildir, struct account *a);

/* Whether there are no accounts at all, with errno: then we look in the wrong
 * place, or too early, and that somebody is not there says nothing. */
bool account_nowhere(const struct control *c);

/* For who runs the server: add where the accounts should be, and errno. */
void account_trouble(const struct control *c, struct buf *why);

/* Whether a name that is no account's is a Maildir of the current directory,
 * whose slash was forgotten. */
bool account_meant_maildir(const char *name);

/* The login name as we know it: lower case, without a domain of "locals".
 * So two ways to write one login give one result, known or not. */
void account_login(const struct control *c, struct span login,
    struct buf *to);

/*
 * Who owns a mail address, for delivery and for senders.  With DOMAIN in
 * "locals" (or without a domain) NAME@DOMAIN and NAME+detail@DOMAIN are
 * NAME's.  Else it is whose users/NAME/addresses has it, with the detail or
 * without (the first by name where several do; each file is read, so this
 * costs time in the number of accounts).  What was after the '+' and not
 * part of the match is *detail, a view into address, empty if nothing.
 * The postmaster of a domain in "locals" (or of none) whom nobody of these
 * is, is the account that the control file "postmaster" names, or the first
 * by name (RFC 5321 4.5.1).
 * ASCII case does not matter.  1, 0 or -1 as above; the label is "-".
 */
int account_of_address(const struct control *c, struct span address,
    struct account *a, struct span *detail);

/* Whether the account may send as that address, by the same rules; its
 * subaddresses count.  False too where its file cannot be read. */
bool account_owns(const struct control *c, const struct account *a,
    struct span address);

/*
 * What a login came to.  Unknown and known users look and take the same.
 * AUTH_TEMP: the accounts or the checker cannot be asked now; tell the
 * client to come back (IMAP [UNAVAILABLE], SMTP 454).
 */
enum auth { AUTH_OK, AUTH_BAD, AUTH_TEMP };

#endif
