/* SPDX-License-Identifier: ISC */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <sys/stat.h>

#include "store/chunk.h"
#include "store/index.h"

/*
 * What the index keeps of a mailbox.  Kinds of keys (numbers big-endian):
 *   M mailbox                 struct meta
 *   D hash of directory name  its mailbox, u32, then the name
 *   I device inode            its mailbox, u32
 *   m mailbox uid             struct rec
 *   f mailbox uid             directory (CUR or NEW, one octet), file name
 *   n mailbox hash uid        letters_hash of the whole name + directory; the
 *                             key's hash is of its base
 *   b mailbox kind chunk      a chunk as it is kept (chunk.h)
 *   u mailbox uid             it is in new/: nothing
 *   j mailbox modseq uid      a living message: nothing
 *   t mailbox modseq uid      a tombstone: nothing; its rec stays, REC_GONE
 *   p mailbox uid             the file is still to be unlinked: nothing
 *   w mailbox number          keyword name
 *   k mailbox set             keyword numbers, u32 each, ascending
 *   q mailbox hash of those   the set's number, u32
 *   o object                  struct object
 *   d object                  its digest
 *   i number                  struct intent
 *   Z mailbox                 its records are to be removed: nothing
 */
struct dirstate {
	int64_t sec;		/* the mtime at which it was known */
	uint32_t nsec;
	uint32_t dirty;		/* read it once when it has been quiet */
	int64_t read;		/* clock_now() of the last reading */
};

struct meta {
	uint64_t dev, ino;	/* of the folder's directory */
	uint8_t guid[16];
	uint32_t uidvalidity, uidnext;
	uint32_t uid_limit;	/* reserved in the uidlist up to here */
	uint32_t first_recent;	/* UIDs from here on nobody has seen */
	uint64_t modseq;	/* HIGHESTMODSEQ */
	uint64_t modseq_limit;
	uint64_t floor;		/* tombstones up to here are forgotten */
	uint64_t bytes;		/* on the wire, of those whose size is known */
	uint32_t messages, unseen, deleted, unsized;
	uint32_t tombstones, pending, keywords, sets;
	uint64_t list_size, list_ino;	/* the uidlist, as committed */
	uint64_t list_dead;	/* octets of it that say nothing any more */
	struct dirstate dir[2];	/* CUR, NEW */
	uint32_t building;	/* the first look is not finished */
	uint32_t late;		/* messages of REC_LATE */
};

/*
 * A flag that is late counts although the file's name does not tell it yet:
 * the uidlist tells it.  Renaming is for after the answer (rename.h).
 */
enum {
	REC_FLAGS = 31,			/* MSG_* */
	REC_LATE = REC_FLAGS << 8,	/* which of them are late */
	REC_GONE = 1 << 30
};

struct rec {
	uint64_t object, modseq, inode;
	uint64_t wire;		/* 0: not known yet */
	int64_t internaldate, savedate;
	uint32_t flags;		/* MSG_*, late ones << 8, REC_GONE */
	uint32_t set;		/* of keywords; 0: none */
};

/* The bitmaps over UIDs, in chunks. */
enum { PRESENT, SEEN, DELETED, LATE, KINDS };

struct object {
	uint32_t refs, pad;
};

/* The keys of the table above. */
struct key key_mailbox(char kind, uint32_t mailbox);
struct key key_uid(char kind, uint32_t mailbox, uint32_t uid);
struct key key_modseq(char kind, uint32_t mailbox, uint64_t modseq,
    uint32_t uid);
struct key key_name(uint32_t mailbox, uint64_t hash, uint32_t uid);
struct key key_chunk(uint32_t mailbox, int kind, uint32_t no);
struct key key_object(char kind, uint64_t object);

/* Reading.  False: there is none. */
bool meta_get(struct txn *t, uint32_t mailbox, struct meta *m);
bool rec_get(struct txn *t, uint32_t mailbox, uint32_t uid, struct rec *r);

/* A chunk of a bitmap; where there is none no bit is set. */
void chunk_get(struct txn *t, uint32_t mailbox, int kind, uint32_t no,
    struct chunk *c);

/* The record of a message; false if there is none such now.  One that the
 * bitmap says must be there is damage. */
bool rec_alive(struct txn *t, uint32_t mailbox, uint32_t uid, struct rec *r);
void rec_missed(struct txn *t, uint32_t mailbox, uint32_t uid);

/* The file name, and CUR or NEW.  Whoever has a record has one, but for what
 * was expunged and unlinked: see name_must. */
bool rec_name(struct txn *t, uint32_t mailbox, uint32_t uid, int *dir,
    struct span *name);

/* The same where there must be one: none is damage. */
bool name_must(struct txn *t, uint32_t mailbox, uint32_t uid, int *dir,
    struct span *name);

/* The hash under which a file is known as it is. */
uint64_t full_hash(int dir, struct span name);

/* Those of a message's flags that its file name does not tell. */
uint32_t rec_late(const struct rec *r);

/* Messages from which on reading a directory costs something. */
enum { DIR_MANY = 5000 };

/* A moment of a directory's mtime. */
bool dir_is(const struct dirstate *d, const struct stat *s);

/*
 * A change of one mailbox in one transaction.  It has at most one MODSEQ.
 * Lines for the uidlist are gathered, and written before the commit.
 */
struct change {
	struct mailbox *mb;
	struct txn *t, own;
	struct meta m;
	uint64_t modseq;	/* of this change; 0: none used yet */
	struct buf lines;
	uint64_t list_from;	/* where they were written; 0: not yet */
	bool list_anew;		/* the list was written anew, them included */
	uint32_t uid_limit;	/* as they were when the change began */
	uint64_t modseq_limit;
	bool reserved;		/* lines must be durable before the commit */
	bool sync_list;		/* … before OK */
	bool unnamed;		/* change_add leaves the n of the table above
				   to change_named */
	size_t coming;		/* so many UIDs are needed soon */
	bool spare_list;	/* do without the lines on a full disk */
	bool committed;		/* whatever failed after that */
	int64_t began;		/* on clock_ms(): since when it has the lock */
	struct chunk chunk[KINDS];
	uint32_t no[KINDS];	/* which chunk; UINT32_MAX: none */
	bool touched[KINDS];
	bool was_known[2], witnessed[2];
	unsigned entries[2];	/* that we made or took away */
};

/* Take the lock and bring the mailbox's index up to date (attach.c).  need
 * and reserve as for txn_write. */
enum store_result change_begin(struct change *c, struct mailbox *mb,
    size_t need, bool reserve);
enum store_result change_commit(struct change *c);
enum store_result change_commit2(struct change *c, struct change *joined);
void change_abort(struct change *c);	/* after an end too */

/* Whether the lock was held for long enough, some pieces being done: what is
 * left is for another change.  Each change does one piece, however slow. */
bool change_is_long(const struct change *c, size_t done);

/* Change a second mailbox in the same transaction (MOVE): c shares t of
 * first, and change_commit2(first, c) commits both. */
enum store_result change_join(struct change *c, struct change *first,
    struct mailbox *mb);
enum store_result change_flush(struct change *c);

uint64_t change_modseq(struct change *c);	/* 0: out of numbers */
uint32_t change_uid(struct change *c, uint32_t want);	/* want 0: next */

/* A new message; r->modseq is set here. */
void change_add(struct change *c, uint32_t uid, struct rec *r, int dir,
    struct span name);

/* The hashes by which names are found, as the files' names are now. */
struct named {
	uint64_t hash, full;	/* letters_hash of the base; full_hash */
	uint32_t uid;
};
int named_cmp(const void *a, const void *b);	/* by hash, for qsort */
void change_named(struct change *c, const struct named *v, size_t n);

/* Other flags or keywords for a message that has old: a new MODSEQ. */
void change_flags(struct change *c, uint32_t uid, struct rec *r,
    uint32_t flags, uint32_t set);

/* Which of a message's flags are late now; the record is for the caller to
 * put. */
void change_late(struct change *c, uint32_t uid, struct rec *r,
    uint32_t late);

/* Another file name or directory. */
void change_name(struct change *c, uint32_t uid, int dir, struct span name);

/* The same after we moved the file to cur/, between change_dir_before and
 * change_dir_after of it. */
void change_moved(struct change *c, uint32_t uid, int from, struct span name);

/* The message is gone; unlink: its file is still there. */
void change_gone(struct change *c, uint32_t uid, struct rec *r, bool unlink);

/* The same, with its line for the uidlist; of what is not there nothing. */
void change_forget(struct change *c, uint32_t uid, bool unlink);

/* The file of what is gone was unlinked, or was never there. */
void change_reaped(struct change *c, uint32_t uid);

/* Something else of the record: no new MODSEQ. */
void change_rec(struct change *c, uint32_t uid, const struct rec *r);

/* The wire size is known now. */
void change_wire(struct change *c, uint32_t uid, struct rec *r,
    uint64_t wire);

/* Whether there is a living message of that UID, this change included. */
bool change_present(struct change *c, uint32_t uid);

/* What we do to a directory ourselves, between these two: it stays known if
 * it was.  Each entry that came or went is counted in entries: a big one whose
 * count is right need not be read again (witness.h). */
void change_dir_before(struct change *c, int dir);
void change_dir_after(struct change *c, int dir);

/* A new object with one reference and perhaps a digest; one more reference
 * to, or one less. */
uint64_t object_new(struct txn *t, struct span digest);
void object_hold(struct txn *t, uint64_t object);
void object_drop(struct txn *t, uint64_t object);

#endif
