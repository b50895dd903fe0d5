/* SPDX-License-Identifier: ISC */
#ifndef MIME_DOMAIN_H
#define MIME_DOMAIN_H

#include "base/span.h"

/*
 * What octets ask of those who carry them (RFC 2045 2.7 to 2.9): lines of
 * 7 bits, lines of 8 bits, or anything.  Octets come in pieces of any size;
 * { 0 } is where they begin.
 */
struct domain {
	uint64_t octets;
	uint64_t high;		/* of them above 127 */
	bool binary;		/* a NUL, or a CR or LF that is no CRLF */
	bool lengthy;		/* a line longer than DOMAIN_LINE */

	/* --- private --- */
	bool cr;		/* the last octet was a CR */
	uint64_t line;		/* octets of this line so far */
};

enum { DOMAIN_LINE = 998 };	/* without its CRLF */

/* The next octets. */
void domain_feed(struct domain *d, struct span octets);
void domain_end(struct domain *d);	/* a CR that came last is alone */

#endif
