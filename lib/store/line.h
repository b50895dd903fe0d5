/* SPDX-License-Identifier: ISC */
#ifndef STORE_LINE_H
#define STORE_LINE_H

#include "base/buf.h"

/*
 * Lines of our text files end with a blank and a checksum: eight hexadecimal
 * digits, the CRC-32 (ISO 3309) of what is before that blank.  A torn or
 * damaged line is known by it, and an administrator can still read the file.
 */

/* What was added to b since offset `from` becomes a whole line. */
void line_seal(struct buf *b, size_t from);

/* The text of a line (without its LF).  False if the checksum is missing or
 * another one; *text is then untouched. */
bool line_check(struct span line, struct span *text);

/* s with every octet that is a blank, a control, "%" or DEL as %XX, and "%"
 * alone for the empty word, so that words can be told apart; and back:
 * false if it is not such a word, and *b is then as it was. */
void line_escape(struct buf *b, struct span s);
bool line_unescape(struct buf *b, struct span word);

uint32_t line_crc(struct span s);	/* the checksum itself */

#endif
