/* SPDX-License-Identifier: ISC */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "base/span.h"

/*
 * LMDB has no checksums, so each value of the index ends with one of its own:
 * of its key, so that it cannot stand for another, and of its octets.  It is
 * made for damage, not against enemies: one in 2^32 is not seen.
 */
enum { SEAL = 4 };		/* octets */

/* Write the seal of a value of n octets behind it. */
void seal_put(struct span key, char *value, size_t n);

/* Whether the value ends with its seal. */
bool seal_check(struct span key, struct span value);

#endif
