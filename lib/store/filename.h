/* SPDX-License-Identifier: ISC */
#ifndef STORE_FILENAME_H
#define STORE_FILENAME_H

#include "base/buf.h"

/*
 * Names of message files: BASE or BASE:2,FLAGS, where BASE may end with
 * ",S=octets of the file" and ",W=octets on the wire".  The base is what
 * stays when flags change.
 */

/* The part before ":2,"; all of it where there is none. */
struct span filename_base(struct span file);

/* The letters after ":2,". */
struct span filename_flags(struct span file);

/* The sizes; false for what is not there or is no number. */
bool filename_size(struct span file, uint64_t *s);
bool filename_wire(struct span file, uint64_t *w);

/* Add a new one without sizes, a batch of its own (store/batch.h).  n counts
 * what the caller made, so that names of one microsecond sort in their
 * order. */
void filename_new(unsigned n, struct buf *to);

#endif
