/* SPDX-License-Identifier: ISC */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/set.h"

/*
 * One user's mail: a Maildir++ tree and its index.  design.md section 3 is
 * the contract; lemon-maildir(5) the form on disk.
 *
 * Mailbox names are UTF-8 components with one NUL between them: INBOX is
 * "INBOX", Lists/C is "Lists\0C".  INBOX's case does not matter, and folders
 * below INBOX do not exist ("INBOX\0x" is STORE_CANNOT).  The callers
 * translate to and from what their protocol shows.
 *
 * Every function returns one of these.  store_why() adds a sentence for the
 * log; it names files and is not for the peer.
 */
enum store_result {
	STORE_OK,
	STORE_NONEXISTENT,	/* no such mailbox, message, file */
	STORE_EXISTS,		/* there is one already */
	STORE_CANNOT,		/* that name or act can never be */
	STORE_INUSE,		/* not while others have it, or too busy */
	STORE_HASCHILDREN,	/* DELETE of a name that only has children */
	STORE_FULL,		/* no space, no quota */
	STORE_LIMIT,		/* a limit of ours: too many, too big */
	STORE_EXPUNGED,		/* the message is gone */
	STORE_CHANGED,		/* the mailbox was deleted or made anew */
	STORE_DENIED,		/* the file system does not allow it */
	STORE_ERROR		/* anything else: I/O, damage */
};

struct store;

struct store_config {
	const char *maildir;	/* path of the Maildir */
	const char *index;	/* directory of the index, or NULL: in it */
	int64_t rescan;		/* seconds; 0: the default, 30 */
	bool create;		/* make Maildir and INBOX if absent */
	bool look;		/* for check.h alone: make, mend and change
				   nothing, and do without an index */
};

/* Open (and make or mend the index as needed).  A process has each store
 * open at most once, for LMDB's sake.  On failure *st is NULL and
 * *why a sentence valid until the next call. */
enum store_result store_open(struct store **st,
    const struct store_config *cfg, const char **why);
void store_close(struct store *st);	/* NULL is fine */
/* Whether the path of the Maildir still leads to the one that is open. */
bool store_is_current(const struct store *st);

/* Whether the disk has so little space left that files which are still to be
 * unlinked may be in the way. */
bool store_is_tight(const struct store *st);
const char *store_why(const struct store *st);

/* The English for a client: "No space left.", never a path. */
const char *store_text(enum store_result r);

/* --- the tree of mailboxes (store/folders.c) --- */

enum {
	FOLDER_EXISTS = 1,		/* can be selected */
	FOLDER_HAS_CHILDREN = 2,
	FOLDER_SUBSCRIBED = 4,
	FOLDER_CHILD_SUBSCRIBED = 8,	/* some name below is subscribed */
	FOLDER_UNREADABLE = 16	/* there, but we cannot go into it to see
				   whether it is a mailbox; store_why tells */
};

/* Called for each name, parents before children, INBOX first, then in the
 * order of octets.  Names without FOLDER_EXISTS are parents that are no
 * mailbox themselves, subscriptions of what is gone, or unreadable.  Return
 * false to stop. */
typedef bool folder_fn(void *arg, struct span name, unsigned flags);
enum store_result store_list(struct store *st, folder_fn *fn, void *arg);

/* CREATE makes the parents it lacks too.  DELETE of a mailbox with children
 * leaves the name without a mailbox.  RENAME takes the children along; of
 * INBOX it moves the messages into the new mailbox (RFC 3501 6.3.5). */
enum store_result store_create(struct store *st, struct span name);
enum store_result store_delete(struct store *st, struct span name);
enum store_result store_rename(struct store *st, struct span from,
    struct span to);
enum store_result store_subscribe(struct store *st, struct span name,
    bool on);

/* --- one mailbox --- */

enum { RIGHT_READ = 1, RIGHT_WRITE = 2 };

struct mailbox;		/* a handle, with the rights it was opened for */

/* The one look-up.  Absent and forbidden are the same answer; what the file
 * system keeps the store's own owner from is STORE_DENIED. */
enum store_result mailbox_open(struct store *st, struct span name,
    unsigned rights, struct mailbox **mb);
void mailbox_close(struct mailbox *mb);

struct mailbox_status {
	uint32_t messages, recent, unseen, deleted;
	uint32_t uidnext, uidvalidity;
	uint64_t highestmodseq, bytes;		/* bytes on the wire */
	uint8_t guid[16];
};

/* From the index, after noticing what others did to the directory. */
enum store_result mailbox_status(struct mailbox *mb,
    struct mailbox_status *s);

/* The names of the mailbox's keywords: *n of them, in the order in which
 * they first came; valid until the next call on this mailbox. */
enum store_result mailbox_keywords(struct mailbox *mb,
    const struct span **names, size_t *n);

#endif
