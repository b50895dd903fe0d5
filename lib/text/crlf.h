/* SPDX-License-Identifier: ISC */
#ifndef TEXT_CRLF_H
#define TEXT_CRLF_H

#include "base/span.h"

/*
 * Line ends of a file on their way to the wire: each lone LF becomes CRLF,
 * all else stays.  Octets come and go in pieces of any size.  { 0 } is where
 * a message begins.
 */
struct crlf {
	bool cr;		/* the last octet taken was a CR */
	bool owe;		/* the LF of a CR that was the last to fit */
};

/* Take octets off *in and give up to room of them; returns how many.  It
 * ends when either is used up, so with room for twice in->n all is taken. */
size_t crlf_give(struct crlf *c, struct span *in, char *to, size_t room);

/* How many octets there are before the first CR, LF or NUL. */
size_t crlf_plain(struct span s);

#endif
