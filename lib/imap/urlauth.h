/* SPDX-License-Identifier: ISC */
#ifndef IMAP_URLAUTH_H
#define IMAP_URLAUTH_H

#include "base/buf.h"

/*
 * The token of the mechanism INTERNAL (RFC 4467 4): an octet for the version
 * of this form, and the HMAC-SHA-256 of the rump's octets as they are
 * written, in lower-case hex.  The version is part of what is keyed, so no
 * token of one form is one of another.
 */
enum { URLAUTH_KEY = 32, URLAUTH_TOKEN = 66 };	/* octets, digits */

/* Add the token of that rump. */
void urlauth_token(const unsigned char key[URLAUTH_KEY], struct span rump,
    struct buf *hex);

/* Whether that is the token of that rump, digit for digit.  Takes the same
 * time whatever the token's octets are. */
bool urlauth_valid(const unsigned char key[URLAUTH_KEY], struct span rump,
    struct span token);

#endif
