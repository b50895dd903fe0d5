/* SPDX-License-Identifier: ISC */
#ifndef LOWER_H
#define LOWER_H

#include "mime/transport.h"
#include "smtp/spool.h"

/*
 * The message in a spool for hops that carry less than it holds: lines of 7
 * bits, or with eightbit of 8 (mime/transport.h).  TRANSPORT_RECODE: it is
 * in *to, which was empty, and *header octets of that are its header, as
 * they were of *from.  What failed is in from->error or to->error.
 */
enum transport_verdict lower(struct spool *from, uint64_t *header,
    bool eightbit, struct spool *to);

#endif
