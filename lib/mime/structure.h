/* SPDX-License-Identifier: ISC */
#ifndef MIME_STRUCTURE_H
#define MIME_STRUCTURE_H

#include "mime/digest.h"

/* A part while its message is parsed: its record, and its strings for BODY
 * and BODYSTRUCTURE (mime/content.h) in one text shared by all. */
struct part {
	struct digest_part d;
	uint64_t lines_before;	/* line ends before its body */
	uint32_t last;		/* its last child, or 0 */
	struct digest_str params, about, md5, extension;
	struct digest_str envelope;	/* of a message */
};

struct structure {
	const struct part *part;	/* [0] is the message */
	struct span text;	/* what part.params … point into */
	struct span strings;	/* what part.d.type … point into */
};

/* Add BODY, or with extended BODYSTRUCTURE, in wire form (RFC 3501 7.4.2).
 * A multipart has at least one child here, a message part exactly one. */
void structure_write(const struct structure *s, bool extended,
    struct buf *to);

#endif
