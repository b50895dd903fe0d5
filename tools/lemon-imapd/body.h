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
};

/* "BODY[TEXT] {12}…".  False if the file could not be read as far as was
 * promised: the connection is then of no use. */
bool body_write(struct body *b, const struct fetch_section *f);

#endif
