/* SPDX-License-Identifier: ISC */
#ifndef GREET_H
#define GREET_H

#include "session.h"

/* What the command line says. */
struct greeting {
	bool tls;		/* -s: TLS from the first octet */
	bool secure;		/* -t: somebody did TLS before us */
	const char *who;	/* a Maildir, or a user; NULL: none */
};

/*
 * TLS if it comes first, then the greeting: for a client that has to log in,
 * for one that is logged in already (PREAUTH), or the answer to the LOGIN
 * that a login chain before us took.  False if the session ends here.
 */
bool greet(struct session *s, const struct greeting *g);

/* What -h prints.  Returns 0. */
int greet_usage(const char *usage);

#endif
