/* SPDX-License-Identifier: ISC */
#ifndef MIME_FIELDS_H
#define MIME_FIELDS_H

#include "base/span.h"

/*
 * Some fields of a header that streams by, in constant memory: those with
 * one of the names (ASCII case ignored), or those without, or those whose
 * name begins with a prefix.  What is chosen goes on octet for octet, folds
 * and line end included; the blank line is left to the caller.
 */
enum fields_choice { FIELDS_NAMED, FIELDS_NOT_NAMED, FIELDS_PREFIX };

enum { FIELDS_NAME_MAX = 256 };	/* longer names are nobody's */

typedef void fields_sink(void *arg, struct span octets);

struct fields {
	enum fields_choice choice;
	const struct span *name;
	size_t names;
	fields_sink *sink;
	void *arg;

	enum { FIELDS_START, FIELDS_NAME, FIELDS_KEEP, FIELDS_DROP,
		FIELDS_END } state;
	bool keep;			/* the field before, for its folds */
	char held[FIELDS_NAME_MAX + 1];	/* the name so far, and its colon */
	size_t n;
};

/* The next octets of the header. */
void fields_feed(struct fields *f, struct span octets);

/* The end of the header; a field without line end is whole then. */
void fields_finish(struct fields *f);

#endif
