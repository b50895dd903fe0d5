/* SPDX-License-Identifier: ISC */
#ifndef BODY_H
#define BODY_H

#include "imap/fetch.h"
#include "store/message.h"

/*
 * The octets that a section of a message names (RFC 3501 6.4.5), written as
 * an nstring in constant memory.
 */
struct body {
	struct out *out;
	const struct digest *digest;
	struct message *message;	/* NULL: only what body_kept says */
};

/* Whether a digest with fields_whole answers that section without the
 * message's file. */
bool body_kept(const struct section *q);

/* "BODY[TEXT] {12}…".  False if the file could not be read as far as was
 * promised: the connection is then of no use. */
bool body_write(struct body *b, const struct fetch_section *f);

#endif
