/* SPDX-License-Identifier: ISC */
#ifndef MIME_RECODE_H
#define MIME_RECODE_H

#include "mime/fields.h"
#include "mime/places.h"
#include "text/base64.h"
#include "text/qp.h"

/*
 * A message written anew with other transfer encodings (RFC 2045 6): bodies
 * of leaves are encoded while they stream by, and the headers that say how
 * are made to fit.  Nothing else changes by an octet.
 */
enum recode_how {
	RECODE_KEEP,		/* as it is */
	RECODE_7BIT,		/* as it is, but say "7bit"; "8bit" */
	RECODE_8BIT,
	RECODE_QP,		/* a leaf with CRLF lines that is not encoded */
	RECODE_BASE64		/* any leaf whose encoding we know: it is
				   decoded first, so that none is nested */
};

enum { RECODE_NAME_MAX = 200 };	/* a field's name with blanks after it */

/* The one field of a header that changes, as its octets come. */
struct recode_header {
	enum { RECODE_START, RECODE_NAME, RECODE_OTHER, RECODE_OURS,
		RECODE_OURS_START, RECODE_BLANK } place;
	struct buf name;	/* of the field that begins, while it may be
				   one that matters */
	struct span value;	/* what Content-Transfer-Encoding is to be */
	bool message;		/* the header of a message, not of a part */
	bool encoding, version, type;	/* those were there */
};

struct recode {
	struct places places;
	const uint8_t *how;	/* [digest->parts], enum recode_how */
	fields_sink *sink;
	void *arg;
	struct recode_header header;
	uint32_t last;		/* octets that came, the last one lowest */
	struct buf text;
	struct base64_enc base64;
	struct qp_enc qp;
	struct base64_dec from_base64;
	struct qp_dec from_qp;
	struct buf plain;
};

/*
 * Begin; d, how and what sink needs last until recode_end.  A leaf that is
 * encoded and whose header lacks the field gets one at the header's end; so
 * does a message that says nothing of MIME, with "Content-Type: text/plain;
 * charset=unknown-8bit" (RFC 1428 3).
 */
void recode_begin(struct recode *r, const struct digest *d,
    const uint8_t *how, fields_sink *sink, void *arg);

/* The message's octets in wire form, in pieces of any size. */
void recode_feed(struct recode *r, struct span octets);
void recode_end(struct recode *r);

#endif
