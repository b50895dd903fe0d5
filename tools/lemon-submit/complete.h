/* SPDX-License-Identifier: ISC */
#ifndef COMPLETE_H
#define COMPLETE_H

#include "mime/domain.h"
#include "smtp/spool.h"

/*
 * The message of a user as it streams in: its header is read line by line,
 * Bcc fields are left out, what is missing is noted, the rest goes to the
 * spool as it came (RFC 6409 8).  What is to be added stands before it, so
 * it is known only at the end; see submit_top.
 */
enum complete_error {
	COMPLETE_OK,
	COMPLETE_NO_FROM,	/* no From, or none with an address */
	COMPLETE_TWO_FROM,	/* RFC 5322 3.6: at most one */
	COMPLETE_TOO_LONG,	/* one of those over COMPLETE_VALUE_MAX */
	COMPLETE_LOOP		/* Received over the limit */
};

enum { COMPLETE_LINE_MAX = 1000, COMPLETE_VALUE_MAX = 64 * 1024 };

struct complete {
	struct spool spool;	/* of the message without what is added */
	uint64_t header;	/* octets of the spool that are its header,
				   with the empty line */
	struct buf from, sender, message_id;	/* values, folds and all */
	unsigned froms, senders, ids, received;
	bool date;		/* there is one */
	struct domain head, body;	/* what their octets ask of a hop */
	bool too_long;

	/* --- private --- */
	enum { COMPLETE_HEADER, COMPLETE_REST, COMPLETE_BODY } state;
	struct buf line;	/* the beginning of this line */
	struct buf *keep;	/* where this field's value goes, or NULL */
	bool drop;		/* this field is left out */
	bool field;		/* there was a field */
};

void complete_begin(struct complete *c);
void complete_feed(struct complete *c, struct span octets);
void complete_end(struct complete *c);
void complete_free(struct complete *c);

/* What is wrong with it, at the end. */
enum complete_error complete_check(const struct complete *c,
    unsigned hops_max);

#endif
