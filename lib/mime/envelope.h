/* SPDX-License-Identifier: ISC */
#ifndef MIME_ENVELOPE_H
#define MIME_ENVELOPE_H

#include "mime/addr.h"
#include "mime/header.h"

/*
 * Add the envelope of a message with that header, in wire form (RFC 3501
 * 7.4.2).  Of a field that is there more than once the first counts, but
 * addresses of all of them are shown.  *date is the value of Date:, empty
 * if there is none.  m is memory: { 0 } is an empty one, to be used again
 * and freed.
 */
struct envelope_memory {
	struct envelope_field *f;
	size_t cap;
	struct addr_list list;
};
void envelope_write(const struct header_index *header,
    struct envelope_memory *m, struct buf *to, struct span *date);
void envelope_free(struct envelope_memory *m);

#endif
