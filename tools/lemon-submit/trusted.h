/* SPDX-License-Identifier: ISC */
#ifndef TRUSTED_H
#define TRUSTED_H

#include "base/control.h"
#include "imap/client.h"

/*
 * The IMAP servers whose URLs BURL takes, other than our own: the control
 * file "burlhosts", mode 0600, a line each:
 *
 *     HOST[:PORT] [none|must|verify] [implicit] USER:PASSWORD
 *
 * USER is an account there that may use submit+.  Without a word TLS is
 * "verify".  "burl-ca" is a file of certificates that theirs must lead to.
 */
struct trusted_host {
	struct span where;	/* HOST[:PORT] */
	char port[6];		/* where it names none */
	enum imap_tls tls;
	bool implicit;
	struct span user, password;
};

enum { TRUSTED_MAX = 50 };

struct trusted {
	struct trusted_host *host;
	size_t n;
	struct buf text, cafile;	/* cafile empty: the system's roots */
	const char *wrong;		/* NULL, or why nobody can tell who is
					   trusted */
};

/* Read them; none without the file.  0, or -1 with a sentence in t->wrong:
 * then there are none. */
int trusted_read(const struct control *c, struct trusted *t);
void trusted_free(struct trusted *t);

/* The one of exactly that name or address (case does not matter) and port (0:
 * any), or NULL. */
const struct trusted_host *trusted_find(const struct trusted *t,
    struct span host, uint16_t port);

#endif
