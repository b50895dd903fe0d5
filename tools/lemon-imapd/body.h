/* SPDX-License-Identifier: ISC */
#ifndef BODY_H
#define BODY_H

#include "imap/fetch.h"
#include "store/piece.h"

/*
 * The octets that a section of a message names (store/piece.h), written as
 * an nstring in constant memory.
 */
struct body {
	struct out *out;
	const struct digest *digest;
	struct message *message;	/* NULL: only what piece_kept says */
	struct piece_memos *memos;	/* of decoded pieces */
	uint64_t object;		/* of this message */

	/* The section that was found last. */
	const struct fetch_section *section;
	struct piece piece;
	uint64_t size;
};

/* Why there is nothing to write: RFC 3516 4.3; base64 that is none; a file
 * that cannot be read. */
enum body_found { BODY_FOUND, BODY_UNKNOWN_CTE, BODY_MALFORMED, BODY_LOST };

/* Find the octets of a section. */
enum body_found body_find(struct body *b, const struct fetch_section *f);

/* Write those found: "BODY[TEXT] {12}…".  False if the file could not be
 * read as far as was promised: the connection is then of no use. */
bool body_write(struct body *b);

/* The same for n octets of any piece, from that one on: "" or a literal.
 * binary: as they are, in a literal8 if there is a NUL; else NULs become
 * something that a literal may hold. */
bool body_string(struct out *o, struct message *m, const struct piece *c,
    uint64_t from, uint64_t n, bool binary);

/* The same piecewise: "{12}" or "~{12}" and its line end, then octets. */
void body_literal(struct out *o, uint64_t n, bool nul);
void body_octets(struct out *o, struct span s, bool binary);

#endif
