/* SPDX-License-Identifier: ISC */
#ifndef TEXT_SCAN_H
#define TEXT_SCAN_H

#include "base/buf.h"
#include "text/casemap.h"

/*
 * Looks for many needles in a stream of text at once, as substrings under
 * i;unicode-casemap: one step for each octet however many needles there are
 * (Aho and Corasick's automaton over the folded octets), and no memory of
 * what has passed, so that a match may lie across the pieces of a stream.
 */
struct scan;

enum { SCAN_OCTETS_MAX = 32768 };	/* of all needles, folded */

/* n needles in UTF-8; an empty one is found in everything.  NULL: they are
 * longer than SCAN_OCTETS_MAX together.  cache is borrowed as long as the
 * scan lives; many may share it. */
struct scan *scan_new(const struct span *needle, size_t n,
    struct casemap_cache *cache);
void scan_free(struct scan *s);		/* NULL is fine */

/* Forget what was found. */
void scan_clear(struct scan *s);

/* A new text begins: nothing matches from the last one into it. */
void scan_begin(struct scan *s);

/* The next piece: UTF-8 that ends with a whole character (octets that are
 * none are compared as they are).  False when every needle has been found,
 * so that looking on is no use. */
bool scan_feed(struct scan *s, struct span utf8);

/* How many needles were not found since scan_clear; whether that one was. */
size_t scan_left(const struct scan *s);
bool scan_found(const struct scan *s, size_t needle);

#endif
