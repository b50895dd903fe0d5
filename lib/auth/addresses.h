/* SPDX-License-Identifier: ISC */
#ifndef AUTH_ADDRESSES_H
#define AUTH_ADDRESSES_H

#include "base/span.h"

/*
 * The text of an "addresses" file: a mail address a line, blank lines and
 * those that begin with '#' mean nothing.  ASCII case does not matter on
 * either side of the '@': RFC 5321 leaves the local part to its domain, and
 * ours tells no two people apart by it.
 */
bool addresses_has(struct span text, struct span address);

/* local@domain cut at its last '@'.  Without one, *domain is empty with
 * p == NULL. */
void address_split(struct span address, struct span *local,
    struct span *domain);

/* The local part before its first '+', and what follows that; *detail is
 * empty with p == NULL, and the whole is returned, where there is none. */
struct span address_base(struct span local, struct span *detail);

#endif
