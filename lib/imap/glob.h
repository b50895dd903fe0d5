/* SPDX-License-Identifier: ISC */
#ifndef IMAP_GLOB_H
#define IMAP_GLOB_H

#include "base/arena.h"

/*
 * The patterns of LIST and LSUB (RFC 3501 6.3.8): "*" is any run of octets,
 * "%" one without the delimiter.  Matching takes time in proportion to the
 * name, whatever the pattern: all places of the pattern that can be next are
 * kept at once, as bits.
 */
struct glob;

enum { GLOB_MAX = 4096 };	/* octets; a longer one matches nothing */

/* It lives as long as the arena. */
struct glob *glob_new(struct arena *a, struct span pattern, char delimiter);

/* Whether all of the name matches.  A "INBOX" in either, at the start, has
 * no case. */
bool glob_match(const struct glob *g, struct span name);

#endif
