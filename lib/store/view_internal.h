/* SPDX-License-Identifier: ISC */
#ifndef STORE_VIEW_INTERNAL_H
#define STORE_VIEW_INTERNAL_H

#include "store/bits.h"
#include "store/told.h"

struct view {
	struct mailbox *mb;
	struct bits present;
	struct set recent;
	uint32_t uidnext, uidvalidity;
	uint32_t unseen;	/* the first UID without \Seen at first, or 0 */
	uint64_t modseq;	/* all changes up to it are in the view */
	uint64_t *own;		/* MODSEQs above that were ours … */
	size_t owns;
	struct set tell;	/* … but hid others' changes of these UIDs */
	bool held;		/* the view has UIDs that are gone */
	bool behind;		/* view_tidy has something to do */
	uint32_t keywords;	/* how many were told */
	struct told told;	/* what flags the client knows */
	uint64_t generation;	/* of the index, and the mailbox's number in */
	uint32_t id;		/* it, that modseq is of */
};

/* The first UID >= uid that is in the view and in uids (NULL: all), or 0. */
uint32_t view_next(const struct view *v, const struct set *uids,
    uint32_t uid);

/* A change of ours got that MODSEQ: view_sync is not to tell it again. */
void view_own(struct view *v, uint64_t modseq);
bool view_is_own(const struct view *v, uint64_t modseq);

#endif
