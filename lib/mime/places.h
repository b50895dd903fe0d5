/* SPDX-License-Identifier: ISC */
#ifndef MIME_PLACES_H
#define MIME_PLACES_H

#include "mime/digest.h"

/*
 * A message that streams by in wire form, cut where its digest says that
 * headers and the bodies of leaves begin and end.
 */
enum place_kind {
	PLACE_BETWEEN,		/* preambles, boundaries, epilogues */
	PLACE_HEADER,		/* of .part, with its empty line */
	PLACE_BODY		/* of .part, which is a leaf */
};

struct places {
	const struct digest *digest;
	/* Octets of the current place; its begin and its end come for each
	 * header and each body, empty ones too. */
	void (*begin)(void *arg);
	void (*octets)(void *arg, struct span s);
	void (*end)(void *arg);
	void *arg;

	enum place_kind kind;
	uint32_t part;
	uint64_t at;		/* octets that went by */
};

/* The other members are set. */
void places_begin(struct places *p);

/* The next octets; beyond the end of the digest's message they are ignored. */
void places_feed(struct places *p, struct span octets);

#endif
