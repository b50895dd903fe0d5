/* SPDX-License-Identifier: ISC */
#ifndef MIME_QUOTE_H
#define MIME_QUOTE_H

#include "base/buf.h"

/*
 * Strings as IMAP shows them (RFC 3501 4.3), for digests and answers:
 * quoted where all octets may be and they are not many, else a literal.
 * NULs, which neither can hold, are left out.
 */
void quote_string(struct buf *to, struct span s);

/* The same, or NIL for the empty string. */
void quote_nstring(struct buf *to, struct span s);

/* A header value, unfolded first. */
void quote_value(struct buf *to, struct span value);

#endif
