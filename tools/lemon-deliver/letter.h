/* SPDX-License-Identifier: ISC */
#ifndef LETTER_H
#define LETTER_H

#include "mime/header.h"
#include "smtp/spool.h"

/*
 * The message on its way, in wire form: in memory while it is small, then in
 * a file without a name.  Of its header enough is kept to look for loops
 * and to return it.  After letter_begin only.
 */
enum { LETTER_HEADER_MAX = 256 * 1024 };

struct letter {
	struct spool spool;
	struct header_cut cut;
	struct buf header;	/* the first octets of the header */
	bool eightbit;		/* there is something beyond ASCII */
};

void letter_begin(struct letter *l);
void letter_free(struct letter *l);	/* { 0 } is fine, too */

/* Octets in wire form. */
void letter_add(struct letter *l, struct span octets);

/* The whole of a descriptor to its end: LF becomes CRLF, mbox's From_ line
 * at the top is dropped.  0, or -1 with errno. */
int letter_read(struct letter *l, int fd);

/* Whether it was delivered to that address before: a Delivered-To that came
 * with the message, not with its last hop. */
bool letter_loops(const struct letter *l, struct span address);

/* Whether the field is among those that the last hop put on top, before any
 * Received. */
bool letter_on_top(const struct letter *l, struct span name);

#endif
