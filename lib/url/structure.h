/* SPDX-License-Identifier: ISC */
#ifndef URL_STRUCTURE_H
#define URL_STRUCTURE_H

#include "url/resolve.h"

/*
 * Add the BODYPARTSTRUCTURE (RFC 5524 3.2) of what a URL named, in wire form:
 * the BODY of that part, of the message that a TEXT is of, and of fields of a
 * header one of our own.  Encoding, size and lines of a leaf are those of the
 * octets of r, if they were decoded or are a part of it only; for the lines
 * they are read.  False if they cannot be.
 */
bool url_structure(const struct imap_url *u, const struct resolved *r,
    struct buf *to);

#endif
