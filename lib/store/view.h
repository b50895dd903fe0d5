/* SPDX-License-Identifier: ISC */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "store/store.h"

/*
 * What one session sees of one mailbox: a private copy of which UIDs are
 * there, and the MODSEQ it was taken at.  Message sequence numbers are rank
 * and select on it.  It changes only in view_sync, so the caller decides
 * when the protocol lets its client see what.
 */
struct view;

enum store_result view_open(struct mailbox *mb, struct view **v);
void view_close(struct view *v);

uint32_t view_exists(const struct view *v);	/* number of messages */
uint32_t view_uidnext(const struct view *v);
uint32_t view_uidvalidity(const struct view *v);
uint64_t view_modseq(const struct view *v);
uint32_t view_uid(const struct view *v, uint32_t seq);	/* 0: no such */
uint32_t view_seq(const struct view *v, uint32_t uid);	/* 0: no such */

/* The UIDs that this session saw first (RFC 3501 \Recent). */
const struct set *view_recent(const struct view *v);

/* The sequence number of the first message without \Seen when the view was
 * opened, or 0. */
uint32_t view_first_unseen(const struct view *v);

struct view_changes {
	struct set vanished;	/* UIDs that were in the view and are gone */
	struct set changed;	/* UIDs in the view whose flags others changed */
	bool exists;		/* messages came: report view_exists again */
	bool keywords;		/* keyword names came: report FLAGS again */
};

/*
 * Bring the view up to date from the index.  Without expunge, messages that
 * are gone stay in the view (with their last known flags) and *held is true
 * if there are any.  ch is cleared first; its sets are the caller's to free.
 * STORE_CHANGED: the mailbox itself is gone or was made anew.
 *
 * When messages vanish, write the EXPUNGE responses before the new EXISTS;
 * to number them, walk ch->vanished from its highest UID down through
 * view_seq of the view BEFORE the sync: view_sync calls expunged() for each
 * in that order with that number, while the old numbers still hold.
 */
typedef void view_expunged(void *arg, uint32_t seq, uint32_t uid);
enum store_result view_sync(struct view *v, bool expunge,
    struct view_changes *ch, bool *held, view_expunged *fn, void *arg);
void view_changes_free(struct view_changes *ch);

/* The client is being told these flags and keywords.  After the index was made
 * anew, when all MODSEQs are new, view_sync reports those alone of which that
 * is no longer true. */
struct msg;
void view_told(struct view *v, const struct msg *m);

/* Look for what other programs did to the Maildir (reads the directory only
 * if its mtime says so), then ring the bell if something was found.  SELECT,
 * NOOP, CHECK and the 30 s tick of IDLE call it; view_sync does not. */
enum store_result view_rescan(struct view *v);

/* Move new/ to cur/, as a read-write SELECT does after its answer. */
enum store_result view_settle(struct view *v);

/*
 * What changing a mailbox leaves to do with its files: those of expunged
 * messages are unlinked, and those of messages that got other flags renamed.
 * It may take seconds and is for after the answer, in portions of some
 * milliseconds as long as go allows it (NULL: to the end).  Whatever is left,
 * by who died here too, the next read-write session of the mailbox does.
 */
typedef bool store_go(void *arg);
bool view_is_behind(const struct view *v);	/* there is some of it */
enum store_result view_tidy(struct view *v, store_go *go, void *arg);

/* --- records --- */

enum {
	MSG_SEEN = 1, MSG_ANSWERED = 2, MSG_FLAGGED = 4, MSG_DELETED = 8,
	MSG_DRAFT = 16
};

struct msg {
	uint32_t uid;
	uint32_t flags;			/* MSG_* */
	uint64_t object;		/* the content; digests hang on it */
	uint64_t modseq;
	uint64_t size;			/* on the wire; 0 until known */
	int64_t internaldate;		/* seconds, UTC */
	int64_t savedate;
	const uint32_t *keyword;	/* indexes into view_keywords */
	size_t keywords;
	const char *file;		/* NEED_FILE: where it is, for */
	int dir;			/* message_shown; else NULL */
	uint64_t inode;
};

/* As mailbox_keywords, of the last look at the mailbox: all that messages were
 * shown to have. */
enum store_result view_keywords(struct view *v, const struct span **names,
    size_t *n);

/*
 * Call fn for each message of the view whose UID is in uids (NULL: all),
 * ascending.  Records are gathered in batches, each from one snapshot of the
 * index, and fn is called with no transaction open, so it may write to a slow
 * client.  For a
 * message that is gone from the index but still in the view fn gets its
 * last known flags with object 0.  m and m->keyword are valid during the
 * call.  fn returns false to stop.
 */
typedef bool msg_fn(void *arg, uint32_t seq, const struct msg *m);

enum { NEED_SIZE = 1, NEED_DIGEST = 2, NEED_FILE = 4 };
/* need: what must be known; messages never looked into are then opened and
 * parsed (once ever).  With NEED_DIGEST digest is its digest's octets, valid
 * during the call; else it is empty. */
typedef bool msg_digest_fn(void *arg, uint32_t seq, const struct msg *m,
    struct span digest);
enum store_result view_each(struct view *v, const struct set *uids,
    unsigned need, msg_digest_fn *fn, void *arg);

/* --- changing --- */

enum flag_op { FLAGS_SET, FLAGS_ADD, FLAGS_REMOVE };

struct flag_change {
	enum flag_op op;
	uint32_t flags;			/* MSG_* */
	const struct span *keyword;	/* names; new ones are made */
	size_t keywords;
	uint64_t unchangedsince;	/* UINT64_MAX: no condition */
};

/*
 * Change the flags of these UIDs, durably, before it returns; the files of
 * many are renamed by view_tidy.  *done: those that now are as asked (also where nothing had to
 * change); *modified: those that failed unchangedsince; both for the caller
 * to free.  The view is told, so view_sync does not report these changes
 * again.  Messages that are gone are in neither.  STORE_LIMIT: too many
 * keywords.
 */
enum store_result view_store(struct view *v, const struct set *uids,
    const struct flag_change *c, struct set *done, struct set *modified,
    uint64_t *modseq);

/* Expunge those of uids (NULL: all of the view) that have \Deleted.  Answered
 * after the tombstones are durable; files are unlinked by view_tidy after the
 * answer.  The view itself changes at the next view_sync. */
enum store_result view_expunge(struct view *v, const struct set *uids,
    uint64_t *modseq);

/*
 * COPY, all or nothing, and MOVE; of a MOVE of more than a thousand some may
 * be done although it fails, and *done tells which.  from[i] became to[i], in ascending order
 * of from; both arrays have n elements and are the caller's to free().
 * Flags, keywords, internal date and object go along.  UIDs that are gone
 * are left out.
 */
struct copied {
	uint32_t *from, *to;
	size_t n;
	uint32_t uidvalidity;
	uint64_t modseq;	/* of the source mailbox, for MOVE */
};
enum store_result view_copy(struct view *v, const struct set *uids,
    struct mailbox *to, bool move, struct copied *done);

#endif
