/* SPDX-License-Identifier: ISC */
#ifndef STORE_PIECE_H
#define STORE_PIECE_H

#include "mime/fields.h"
#include "mime/section.h"
#include "store/message.h"

/*
 * The octets of a message that a section names (RFC 3501 6.4.5), found by
 * its digest and read in constant memory.
 */
struct piece {
	enum { PIECE_NIL,	/* there is no such section */
		PIECE_OCTETS,	/* these octets of the message, as they are */
		PIECE_FIELDS,	/* some fields of that header */
		PIECE_KEPT	/* the same, out of the digest */
	} kind;
	const struct digest *digest;	/* must outlive it, like the section */
	uint64_t from, to;		/* on the wire */
	enum fields_choice choice;
	const struct span *name;
	size_t names;
};

/* Whether a digest with fields_whole answers that section without the
 * message's file. */
bool piece_kept(const struct section *q);

/* What the section names; PIECE_NIL if the message has no such part. */
struct piece piece_find(const struct digest *d, const struct section *q);

/* How many octets it has; some fields of a header have to be read for that.
 * m may be NULL for PIECE_KEPT.  0, or -1 if the file cannot be read. */
int piece_size(const struct piece *c, struct message *m, uint64_t *n);

/* Give the sink n octets of it from that one on, which must be there.  0, or
 * -1 if the file cannot be read as far as that. */
int piece_read(const struct piece *c, struct message *m, uint64_t from,
    uint64_t n, fields_sink *sink, void *arg);

#endif
