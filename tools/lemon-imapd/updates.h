/* SPDX-License-Identifier: ISC */
#ifndef UPDATES_H
#define UPDATES_H

#include "session.h"

/* What the client is told of the selected mailbox. */

/* "FLAGS (…)" of one message, \Recent included. */
void wire_flags(struct session *s, const struct msg *m);

/* The untagged FLAGS and PERMANENTFLAGS. */
void updates_flags(struct session *s);

/* The same, if there are more keywords than the client was told of. */
void updates_keywords(struct session *s);

/* The untagged EXISTS and RECENT. */
void updates_exists(struct session *s);

/* A FETCH of its flags for each of these; with its UID in a UID command. */
enum store_result updates_fetch_flags(struct session *s,
    const struct set *uids);

/* "* OK [URLMECH …]": what signs URLs, RFC 4467 8. */
void updates_urlmech(struct session *s);

#endif
