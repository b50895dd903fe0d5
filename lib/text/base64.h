/* SPDX-License-Identifier: ISC */
#ifndef TEXT_BASE64_H
#define TEXT_BASE64_H

#include "base/buf.h"

/*
 * Base64 (RFC 4648 4, RFC 2045 6.8), streaming both ways: pieces of any size
 * give the same octets as all at once.  { 0 } is where each begins.
 */
struct base64_dec {
	uint32_t bits;
	uint8_t have;		/* characters of the quantum so far, 0..3 */
	bool padded;		/* in the padding of a quantum */
	bool bad;		/* the input was not quite base64: see below */
};

/*
 * What RFC 2045 asks of mail.  Characters outside the alphabet are skipped;
 * padding ends a quantum and what follows begins a new one, as in bodies
 * glued together; at the end a quantum of 2 or 3 characters without padding
 * gives its 1 or 2 octets, and a lone character nothing.  bad is set by a
 * character that is neither of the alphabet nor white space, by misplaced
 * padding and by an incomplete quantum.
 */
void base64_decode(struct base64_dec *d, struct span in, struct buf *to);
void base64_decode_end(struct base64_dec *d, struct buf *to);

/* What SASL and IMAP ask: the alphabet alone, padding complete, unused bits
 * zero, nothing skipped.  On false nothing was added to *to. */
bool base64_strict(struct span in, struct buf *to);

struct base64_enc {
	uint8_t held[3];	/* octets that wait for their quantum */
	uint8_t have;
	bool wrap;		/* lines of 76 characters ended by CRLF */
	uint8_t column;
};

/* With wrap set each full line is ended when the next begins, and the last
 * one by the end, so no octets give no line. */
void base64_encode(struct base64_enc *e, struct span in, struct buf *to);
void base64_encode_end(struct base64_enc *e, struct buf *to);

/* All at once, in one line. */
void base64_add(struct span in, struct buf *to);

#endif
