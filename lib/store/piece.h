/* SPDX-License-Identifier: ISC */
#ifndef STORE_PIECE_H
#define STORE_PIECE_H

#include "mime/fields.h"
#include "mime/section.h"
#include "store/message.h"
#include "text/base64.h"

/*
 * What a look at all of a decoded piece found, and where its decoding can be
 * taken up again, so that reading it bit by bit stays linear.
 */
struct piece_memo {
	uint64_t object, message, from, to;	/* of which piece */
	bool known;		/* the next three are */
	bool malformed, nul;
	uint64_t size;
	uint64_t wire, decoded;	/* a place: offsets into the piece, ... */
	struct base64_dec base64;	/* and the decoder there */
};

/* Those of the pieces asked for last; { 0 } is empty. */
enum { PIECE_MEMOS = 8 };
struct piece_memos {
	struct piece_memo memo[PIECE_MEMOS];
	unsigned next;
};

/*
 * The octets of a message that a section names (RFC 3501 6.4.5), found by
 * its digest and read in constant memory.
 */
struct piece {
	enum { PIECE_NIL,	/* there is no such section */
		PIECE_OCTETS,	/* these octets of the message, as they are */
		PIECE_FIELDS,	/* some fields of that header */
		PIECE_KEPT,	/* the same, out of the digest */
		PIECE_DECODED,	/* what these octets encode */
		PIECE_UNKNOWN	/* the same, but nobody knows how */
	} kind;
	const struct digest *digest;	/* must outlive it, like the section */
	uint64_t from, to;		/* on the wire */
	enum fields_choice choice;
	const struct span *name;
	size_t names;
	bool nul;			/* there may be a NUL in it */
	enum mime_encoding encoding;	/* of PIECE_DECODED */
	struct piece_memo *memo;	/* of PIECE_DECODED; may be NULL */
};

/* Whether a digest with fields_whole answers that section without the
 * message's file. */
bool piece_kept(const struct section *q);

/* What the section names; PIECE_NIL if the message has no such part. */
struct piece piece_find(const struct digest *d, const struct section *q);

/*
 * What that section holds when its Content-Transfer-Encoding is taken off
 * (RFC 3516 4.2); its kind is SECTION_ALL.  A message and a multipart have
 * none to take off, whatever their header says: the encoding is that which
 * BODYSTRUCTURE shows.  Octets are as the encoding has them: line ends in a
 * base64 text are not mended.
 */
struct piece piece_binary(const struct digest *d, const struct section *q);

/* Let c, which piece_binary found in that object of the store, use what is
 * known of it from before. */
void piece_recall(struct piece_memos *k, uint64_t object, struct piece *c);

/*
 * How many octets it has; some fields of a header have to be read for that,
 * and of PIECE_DECODED everything.  m may be NULL for PIECE_KEPT.  0, or -1:
 * EBADMSG if base64 is malformed, else the file cannot be read.
 */
int piece_size(const struct piece *c, struct message *m, uint64_t *n);

/* Give the sink n octets of it from that one on, which must be there.  0, or
 * -1 if the file cannot be read as far as that. */
int piece_read(const struct piece *c, struct message *m, uint64_t from,
    uint64_t n, fields_sink *sink, void *arg);

/* Whether one of these octets is NUL; asked for pieces without `nul` it costs
 * nothing.  0, or -1 if the file cannot be read as far as that. */
int piece_has_nul(const struct piece *c, struct message *m, uint64_t from,
    uint64_t n, bool *nul);

#endif
