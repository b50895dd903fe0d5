/* SPDX-License-Identifier: ISC */
#ifndef TEXT_QP_H
#define TEXT_QP_H

#include "base/buf.h"

/*
 * Quoted-printable (RFC 2045 6.7), streaming both ways: pieces of any size
 * give the same octets as all at once.  { 0 } is where each begins.
 */
enum { QP_HELD = 1000 };	/* white space that may wait for a line end */

struct qp_dec {
	uint8_t state;
	bool bad;		/* something had to be kept as it came */
	struct buf held;	/* what waits for its meaning */
};

/*
 * Malformed input never stops it (RFC 2045 6.7, notes 1 to 5): lower-case hex
 * digits are taken; an "=" that begins neither an escape nor a soft line
 * break is kept as it is; so are octets above 126 and controls.  White space
 * before a line end is dropped, and so is an "=" with nothing after it at
 * the very end; a run of more than QP_HELD blanks is kept.  Line ends may be
 * CRLF or LF and come out as they came.
 */
void qp_decode(struct qp_dec *d, struct span in, struct buf *to);
void qp_decode_end(struct qp_dec *d, struct buf *to);	/* releases, too */

/* Whether nothing is held: a new decoder would go on just so. */
bool qp_decode_clean(const struct qp_dec *d);

struct qp_enc {
	uint8_t column;
	char held;		/* a blank, or a CR, that waits for the next */
	bool binary;		/* encode line ends, too */
};

/* Lines of at most 76 characters.  CRLF is a line end, unless binary is
 * set; lone CRs and LFs are encoded.  A line begins with "-" only where one
 * of the input does, so that none becomes a multipart's boundary. */
void qp_encode(struct qp_enc *e, struct span in, struct buf *to);
void qp_encode_end(struct qp_enc *e, struct buf *to);

#endif
