/* SPDX-License-Identifier: ISC */
#ifndef TEXT_FLOWED_H
#define TEXT_FLOWED_H

#include "base/buf.h"

/*
 * Text as text/plain; format=flowed; delsp=yes (RFC 3676): each line of text
 * is a paragraph, and lines of at most FLOWED_COLUMNS characters are made of
 * it where it has a blank.  A line that begins with ">" is quoted, and so is
 * all that is made of it.  "-- " alone stays the line above a signature.
 */
enum {
	FLOWED_COLUMNS = 72,
	FLOWED_OCTETS = 900	/* a word is cut there: RFC 5322 2.1.1 */
};

/* Add it, ended by CRLF.  Lines of text end in LF or CRLF; text is UTF-8. */
void flowed_add(struct span text, struct buf *to);

#endif
