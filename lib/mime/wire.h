/* SPDX-License-Identifier: ISC */
#ifndef MIME_WIRE_H
#define MIME_WIRE_H

#include "base/buf.h"

/*
 * Strings as IMAP shows them (RFC 3501 4.3), for the digest: quoted where
 * all octets may be, else a literal.  NULs, which neither can hold, are
 * left out.
 */
void wire_string(struct buf *to, struct span s);

/* The same, or NIL for the empty string. */
void wire_nstring(struct buf *to, struct span s);

/* A header value, unfolded first. */
void wire_value(struct buf *to, struct span value);

#endif
