/* SPDX-License-Identifier: ISC */
#ifndef TEXT_ENCODE_H
#define TEXT_ENCODE_H

#include "base/buf.h"

/*
 * Add text as a header field's body can hold it: as it is if it is printable
 * ASCII that cannot be taken for an encoded word, else as encoded words of
 * at most 75 octets with blanks between (RFC 2047 2), none of which cuts a
 * character.  Line ends become blanks; what is no UTF-8 becomes U+FFFD.
 */
void encode_text(struct span utf8, struct buf *to);

#endif
