/* SPDX-License-Identifier: ISC */
#ifndef STORE_DRAFT_H
#define STORE_DRAFT_H

#include "store/view.h"

/*
 * A message on its way into a mailbox: it streams into tmp/ in constant
 * memory while its digest is made, and is placed with others in one
 * transaction.  Until then it does not exist; whoever dies leaves a file in
 * tmp/ that is swept after 36 hours.
 */
struct draft;

struct draft_info {
	int64_t internaldate;		/* seconds; INT64_MIN: now */
	uint32_t flags;			/* MSG_* */
	const struct span *keyword;
	size_t keywords;
};

enum store_result draft_open(struct mailbox *mb, const struct draft_info *i,
    struct draft **d);

/*
 * Octets in wire form (CRLF), in pieces of any size.  A message with a bare
 * CR, a bare LF or a NUL is kept octet for octet; others with LF line ends.
 * Parts declared binary are turned into base64 (design.md 3).  After a
 * failure further writes are dropped and give the same result, so a caller
 * that must read its client to the end can.
 */
enum store_result draft_write(struct draft *d, struct span octets);

/* All written: fsync, digest, sizes.  The wire size after conversion. */
enum store_result draft_finish(struct draft *d, uint64_t *wire_size);
void draft_free(struct draft *d);	/* removes it if it was not placed */

/*
 * Place n finished drafts of that mailbox, all or nothing and durably.  With
 * delivery they go to new/ and may be without a UID when it returns (uids
 * NULL): the index commit then comes just after, by mailbox_settle or by
 * whoever looks first.  Else uids gets their UIDs in order (a plain array
 * of n) and they go to cur/.
 */
enum store_result mailbox_place(struct mailbox *mb, struct draft **d,
    size_t n, bool delivery, uint32_t *uids, uint32_t *uidvalidity);

/* Commit what delivery left to do, and ring the bell.  Call it after the
 * 250 was sent. */
enum store_result mailbox_settle(struct mailbox *mb);

#endif
