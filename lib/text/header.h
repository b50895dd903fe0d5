/* SPDX-License-Identifier: ISC */
#ifndef TEXT_HEADER_H
#define TEXT_HEADER_H

#include "base/buf.h"

/*
 * The text of a header field's body for people, as UTF-8: unfolded, with the
 * encoded words of RFC 2047 decoded wherever they stand (mail programs put
 * them into quoted strings, too).  White space between two encoded words
 * goes; characters that a program cut between two words of one charset are
 * put together.  Words longer than 75 characters are taken, languages (RFC
 * 2231 5) dropped.  A word with an unknown charset, an unknown encoding or
 * malformed text stays as it is; octets above 127 outside words are kept
 * where they are UTF-8.
 *
 * False if anything stayed that means nothing: U+FFFD stands there, or an
 * encoded word as it came.  Cost is linear in raw.n.
 */
bool header_decode(struct span raw, struct buf *utf8);

/* The same before any charset is looked at: the octets of the words and of
 * what is between them, UTF-8 or not. */
void header_octets(struct span raw, struct buf *to);

#endif
