/* SPDX-License-Identifier: ISC */
#ifndef TEXT_COLLATION_H
#define TEXT_COLLATION_H

#include "base/buf.h"

/* The collations of the Internet (RFC 4790 9, RFC 5051).  Strings are octets;
 * i;unicode-casemap takes them as UTF-8. */
enum collation {
	COLLATE_OCTET,		/* i;octet */
	COLLATE_ASCII_CASEMAP,	/* i;ascii-casemap */
	COLLATE_ASCII_NUMERIC,	/* i;ascii-numeric */
	COLLATE_UNICODE_CASEMAP	/* i;unicode-casemap */
};

/* By its identifier (any case).  False: no such collation. */
bool collation_named(struct span name, enum collation *c);
const char *collation_name(enum collation c);

/* Whether it offers the substring operation: all but i;ascii-numeric. */
bool collation_has_substring(enum collation c);

/*
 * Add octets such that two strings compare with memcmp as the collation
 * orders them.  A string that is no UTF-8 is under i;unicode-casemap what it
 * is under i;octet (RFC 5051 2 (1) (b)), behind all that are (RFC 5255 4.6).
 */
void collation_key(enum collation c, struct span s, struct buf *key);

/* <0, 0, >0; equality; whether hay contains needle (always for ""). */
int collation_cmp(enum collation c, struct span a, struct span b);
bool collation_eq(enum collation c, struct span a, struct span b);
bool collation_contains(enum collation c, struct span hay,
    struct span needle);

#endif
