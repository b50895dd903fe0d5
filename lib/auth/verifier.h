/* SPDX-License-Identifier: ISC */
#ifndef AUTH_VERIFIER_H
#define AUTH_VERIFIER_H

#include "auth/scram.h"

/*
 * The text of a "verifier" file, a line for each password and mechanism:
 *
 *     LABEL:SCOPE:EXPIRY:SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY
 *
 * LABEL is "-" for the main password, else the app password's.  SCOPE is a
 * list with commas of "imap", "submit" and "sieve", or empty for all.
 * EXPIRY is the last day (UTC) on which it counts, YYYY-MM-DD, or empty
 * for ever.  A line that is not of this form is passed over; so is one with
 * a date that is none, which fails closed.
 */
struct verifier {
	struct span label, scope, expiry;
	struct scram scram;
};

enum { VERIFIER_FILE_MAX = 256 * 1024 };

/* Take lines off *text up to and including a good one.  False at the end. */
bool verifier_next(struct span *text, struct verifier *v);

/* The line, with its '\n'. */
void verifier_print(const struct verifier *v, struct buf *to);

/* Whether it counts for that service at that time (seconds since 1970). */
bool verifier_counts(const struct verifier *v, struct span service,
    int64_t now);

/* Whether its last day is over. */
bool verifier_expired(const struct verifier *v, int64_t now);

/* Whether that is a scope list, or a day: YYYY-MM-DD of a real day since
 * 1970.  *end, if not NULL, is when it is over. */
bool verifier_scope(struct span text);
bool verifier_day(struct span text, int64_t *end);

#endif
