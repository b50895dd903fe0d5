/* SPDX-License-Identifier: ISC */
#ifndef TEXT_MUTF7_H
#define TEXT_MUTF7_H

#include "base/buf.h"

/*
 * Modified UTF-7 (RFC 3501 5.1.3).  escaped (NULL: none) lists printable
 * ASCII characters that are to be written in base64 too; on disk that is "."
 * which Maildir++ takes as its delimiter.  Both are all or nothing: on false
 * *to is as it was.
 */

/* Only the one form that mutf7_encode gives is taken: no superfluous shifts,
 * no printable ASCII in base64, no stray bits, no lone surrogates, no octet
 * outside printable ASCII. */
bool mutf7_decode(struct span in, const char *escaped, struct buf *to);

/* False if it is not UTF-8. */
bool mutf7_encode(struct span utf8, const char *escaped, struct buf *to);

/*
 * Whether this can be one component of a mailbox name, whatever the way it
 * came: not empty, UTF-8, no control characters (C0, DEL, C1), no "/", no
 * line or paragraph separator, not "." or "..", no noncharacters.
 */
bool mutf7_component(struct span utf8);

#endif
