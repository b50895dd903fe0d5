/* SPDX-License-Identifier: ISC */
#ifndef TEXT_CHARSET_H
#define TEXT_CHARSET_H

#include "base/buf.h"

/*
 * From any charset to UTF-8, streaming: pieces of any size give the same
 * octets as all at once, and each piece of output is whole characters.
 * US-ASCII, UTF-8, ISO-8859-1, ISO-8859-15 and windows-1252 are done here;
 * all others by ICU, which is loaded at the first of them (text/icu.h).
 *
 * What means nothing in the charset becomes U+FFFD.  In US-ASCII an octet
 * above 127 is wrong, but is shown as the UTF-8 that it most often is.
 * Where mail programs write a charset's name and mean its superset (gb2312
 * for gb18030, euc-kr for windows-949) it is read as that.
 */
struct charset;

/* NULL: there is no such charset.  An empty name is US-ASCII. */
struct charset *charset_open(struct span name);
void charset_close(struct charset *c);		/* NULL is fine */

/* The next piece of a text. */
void charset_decode(struct charset *c, struct span in, struct buf *utf8);

/* The text is over: the rest of it; then c is ready for another text. */
void charset_decode_end(struct charset *c, struct buf *utf8);

/* Whether something in the present text (or, after its end, the last one)
 * meant nothing. */
bool charset_failed(const struct charset *c);

/* Whether that is UTF-8 or US-ASCII, so that the octets themselves are as
 * good as the result. */
bool charset_is_utf8(const struct charset *c);

enum charset_result { CHARSET_OK, CHARSET_BAD, CHARSET_UNKNOWN };

/* All at once.  CHARSET_BAD: as far as it could be read.  CHARSET_UNKNOWN:
 * nothing was added. */
enum charset_result charset_to_utf8(struct span name, struct span in,
    struct buf *utf8);

#endif
