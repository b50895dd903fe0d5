/* SPDX-License-Identifier: ISC */
#ifndef MIME_PARSE_H
#define MIME_PARSE_H

#include "mime/digest.h"

/*
 * The one MIME parser: a single pass over any octets in pieces of any size,
 * in memory that does not grow with bodies.  Nothing is refused: what the
 * RFCs do not foresee becomes the nearest thing that clients can show.
 *
 * A header ends at its empty line; lines in it that are no fields are part
 * of it and mean nothing.  It has none if its first line is no field (nor
 * mbox's From_ line, nor begins with a blank), and ends early at a boundary
 * or at a line that begins with "--" and is no field.  A Content-Type that
 * cannot be read is text/plain, in a multipart/digest message/rfc822.  A
 * multipart without boundary or without a part is a text/plain leaf.  A
 * boundary line is the whole of "--", boundary, "--" if it is the last, and
 * blanks; the innermost that fits counts, and it ends what is open inside.
 * LF and CRLF both end lines; a CR alone is an octet like any other.
 */
enum {
	MIME_DEPTH_MAX = 100,		/* nesting; deeper is a leaf */
	MIME_PARTS_MAX = 10000,		/* in one message */
	MIME_HEADER_MAX = 1024 * 1024,	/* kept of one part's header */
	MIME_CHECKPOINT = 64 * 1024	/* file octets between checkpoints */
};

struct mime_parser;

/* raw_eol: lone LFs are what they are on the wire too (see digest.h). */
struct mime_parser *mime_parser_new(bool raw_eol);

/* The same for another message, with the memory that it has. */
void mime_parser_again(struct mime_parser *p, bool raw_eol);

/* The next octets as stored in the file. */
void mime_parser_feed(struct mime_parser *p, struct span octets);

/* The end: adds the digest to *digest. */
void mime_parser_finish(struct mime_parser *p, struct buf *digest);

void mime_parser_free(struct mime_parser *p);	/* NULL is fine */

/* Whether a finished message has leaf parts declared "binary". */
bool mime_has_binary(const struct digest *d);

#endif
