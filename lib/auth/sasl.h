/* SPDX-License-Identifier: ISC */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "auth/account.h"
#include "net/tls.h"

/*
 * AUTHENTICATE / AUTH through libsasl2, which is loaded and initialised at
 * the first sasl_server_start of a process and not before.  Our own auxprop
 * plugin knows SCRAM verifiers and never a password; the mechanism list is
 * always explicit.
 */

/* What may be offered now, as a space-separated list of names in the order
 * of strength: PLAIN and LOGIN only when secure (or the control file
 * "plaintext" says so); the -PLUS forms and EXTERNAL only where tls has a
 * channel binding or a verified client certificate; the SCRAM ones unless
 * the accounts are checked by "checkpassword".  Does not load libsasl2. */
void sasl_mechs(const struct control *c, bool secure,
    const struct tls *tls, struct buf *list);

enum sasl_step {
	SASL_STEP_MORE,		/* send the challenge, come back with more */
	SASL_STEP_DONE,		/* logged in; there is no challenge: the
				   server's last word was one before */
	SASL_STEP_BAD,		/* wrong: credentials, form, or order */
	SASL_STEP_NOMECH,	/* not offered now */
	SASL_STEP_TEMP		/* cannot be asked now */
};

struct sasl_server;

/*
 * App passwords (NAME+LABEL) work with all of them.  An authorization
 * identity must be empty or the user's own.  EXTERNAL's certificate names
 * the account as a login name would, or by an address of its "addresses".
 *
 * Begin an exchange.  initial.p NULL means no initial response was sent (an
 * empty one has p != NULL and n == 0).  service is "imap" or "smtp" for
 * libsasl, scope as for auth_password.  Responses and challenges are the
 * decoded octets, challenges are added to what the caller gives.  c and tls
 * must outlive the exchange.  *s is NULL after SASL_STEP_NOMECH; free it
 * whenever the exchange ends.  *a is filled on SASL_STEP_DONE.
 */
enum sasl_step sasl_server_start(struct sasl_server **s,
    const struct control *c, const char *service, const char *scope,
    bool secure, const struct tls *tls, struct span mech,
    struct span initial, struct buf *challenge, struct account *a);
enum sasl_step sasl_server_step(struct sasl_server *s,
    struct span response, struct buf *challenge, struct account *a);
void sasl_server_free(struct sasl_server *s);

/* For the log alone: the login name that was tried, as the client wrote it
 * (any octets, at most 512), empty if it did not come so far; and why it was
 * refused, as account.h has it.  s may be NULL; *login is its. */
const char *sasl_server_tried(const struct sasl_server *s,
    struct span *login);

#endif
