/* SPDX-License-Identifier: ISC */
#ifndef AUTH_SASLPREP_H
#define AUTH_SASLPREP_H

#include "base/buf.h"

/*
 * Prepare a password as RFC 4013 says, so that the same characters give
 * the same octets whichever keyboard typed them.  Printable ASCII stands
 * for itself; anything else goes through ICU, which is loaded then, by a
 * child that is shut in before it: whoever has not logged in yet can make us
 * do this, with octets of any kind.  An unassigned code point of Unicode 3.2 passes ("query" in
 * RFC 3454's words): clients of today send them.
 *
 * SASLPREP_BAD: empty, longer than PASSWORD_MAX, not UTF-8, or with what
 * RFC 4013 prohibits, controls among it (HMAC cannot tell a key from the
 * same with NULs after it, so NUL must never get through).
 * SASLPREP_TEMP: ICU cannot be loaded, or the child had to be ended.  *to is
 * added to only on OK.
 */
enum saslprep { SASLPREP_OK, SASLPREP_BAD, SASLPREP_TEMP };
enum saslprep saslprep(struct span in, struct buf *to);

#endif
