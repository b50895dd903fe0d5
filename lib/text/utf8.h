/* SPDX-License-Identifier: ISC */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include "base/buf.h"

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above
 * U+10FFFF. */
enum { UTF8_BAD = 0xfffd };	/* shown for what is no character */

/* The first code point of s (s.n > 0) and the octets it takes.  *good is
 * false where there is none: *cp is then UTF8_BAD, and what is to be skipped
 * is the longest beginning of a character, at least one octet. */
size_t utf8_next(struct span s, uint32_t *cp, bool *good);

/* Whether all of s is UTF-8. */
bool utf8_valid(struct span s);

/* How many octets at the start of s are below 128; are whole characters. */
size_t utf8_ascii(struct span s);
size_t utf8_good(struct span s);

/* How many octets at the end of s (0 to 3) may begin a character that the
 * next piece of a stream ends. */
size_t utf8_partial(struct span s);

/* Write a code point (a valid one); returns how many octets, 1 to 4. */
size_t utf8_put(char *to, uint32_t cp);
void utf8_add(struct buf *to, uint32_t cp);

#endif
