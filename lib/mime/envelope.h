/* SPDX-License-Identifier: ISC */
#ifndef MIME_ENVELOPE_H
#define MIME_ENVELOPE_H

#include "base/buf.h"

/*
 * Add the envelope of a message with that header, in wire form (RFC 3501
 * 7.4.2).  Of a field that is there more than once the first counts, but
 * addresses of all of them are shown.  *date is the value of Date:, empty
 * if there is none.
 */
void envelope_write(struct span header, struct buf *to, struct span *date);

#endif
