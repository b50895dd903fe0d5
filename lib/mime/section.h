/* SPDX-License-Identifier: ISC */
#ifndef MIME_SECTION_H
#define MIME_SECTION_H

#include "base/buf.h"

/*
 * A part of a message, or some of it, as FETCH, CATENATE and IMAP URLs name
 * it (RFC 3501 6.4.5): "1.2.HEADER.FIELDS (From)".  Octets are borrowed.
 */
enum section_kind { SECTION_ALL, SECTION_HEADER, SECTION_FIELDS,
	SECTION_FIELDS_NOT, SECTION_TEXT, SECTION_MIME };

enum { SECTION_DEPTH_MAX = 128, SECTION_FIELDS_MAX = 1000 };

struct section {
	enum section_kind kind;
	uint32_t *path;
	size_t depth;		/* numbers in path; 0: the message */
	struct span *field;	/* of SECTION_FIELDS and _FIELDS_NOT */
	size_t fields;
};

/* Add the numbers of a part, "1.2". */
void section_path(struct buf *to, const uint32_t *path, size_t depth);

#endif
