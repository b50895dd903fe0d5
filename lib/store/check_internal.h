/* SPDX-License-Identifier: ISC */
#ifndef STORE_CHECK_INTERNAL_H
#define STORE_CHECK_INTERNAL_H

#include "store/check.h"
#include "store/record.h"
#include "store/uidlist.h"

/* What can be wrong with a message.  Each is told once a mailbox, with the
 * UIDs. */
enum fault {
	NO_RECORD, NO_BIT, NO_NAME, NO_FILE, OTHER_NAME, OTHER_FILE, NO_LOOKUP,
	NO_JOURNAL, NEW_MARK, NO_OBJECT, BAD_DIGEST, OTHER_DIGEST, NO_DIGEST,
	OTHER_SIZE, OTHER_FLAGS, NOT_LISTED, LISTED_OTHER, LISTED_GONE,
	OTHER_KEYWORDS, OTHER_LATE, OLD_NAME, STILL_THERE, UNREADABLE, FAULTS
};

/* A file of cur/ or new/. */
struct there {
	uint64_t hash;		/* of its base */
	uint64_t inode;
	struct span name;
	int dir;
	bool known;		/* a record has it */
};

/* One look at one mailbox. */
struct checking {
	struct check *ask;
	struct mailbox *mb;
	struct span name;
	struct txn t;
	struct meta m;
	bool indexed;		/* m is valid */
	struct buf text;	/* lemon-uidlist */
	struct uidlist l;
	bool listed;		/* l is valid */
	struct stat list, dir[2];
	bool settled[2];	/* the index knows the directory as it is */
	struct arena mem;
	struct there *f;
	size_t n, cap;
	struct set fault[FAULTS];
	struct finding *say;	/* about the mailbox as a whole */
	size_t says, says_cap;
	uint64_t done;
};

/* A finding about the mailbox: printf's text.  todo NULL: a note. */
__attribute__((format(printf, 3, 4)))
void check_say(struct checking *k, const char *todo, const char *fmt, ...);

/* Whether it failed for want of memory or descriptors, or of a place to read
 * the index from: that is noted, and says nothing of the store. */
bool check_starved(struct check *c, enum store_result r);
enum store_result check_end(struct check *c, struct store *st);

/* The parts of a look (check_index.c): the index against itself, the list
 * and the files; and, one by one, digests against what they are of. */
void check_records(struct checking *k);
void check_digests(struct checking *k);

extern const char check_rebuild[];	/* what to do: lemon-store rebuild */

#endif
