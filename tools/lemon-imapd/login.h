/* SPDX-License-Identifier: ISC */
#ifndef LOGIN_H
#define LOGIN_H

#include "session.h"

/*
 * The session belongs to s->mail.account from now on: become that user, open
 * the mail, shut the door, log it.  method is a word for the log.  False, with
 * a line in the log, if that cannot be; the process may then be half way and
 * must not let anybody else log in.
 */
bool login_done(struct session *s, const char *method);

/* Say to the log that nobody came in. */
void login_refused(struct session *s, struct span user, const char *method,
    const char *why);

/* The words after "[CAPABILITY " in s->code. */
void login_capability(struct session *s);

/* Whether a password may be sent now: PLAIN is offered. */
bool login_plain(const struct session *s);

/* Whether STARTTLS can be done now. */
bool login_tls_offered(const struct session *s);

/* TLS from now on, by ourselves.  t is taken. */
bool login_tls(struct session *s, struct tls *t);

#endif
