/* SPDX-License-Identifier: ISC */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <lmdb.h>

#include "store/internal.h"
#include "store/page.h"

/*
 * The index: one LMDB environment per user, DIR/index/, a fast copy that can
 * be deleted at any time.  Its write lock is flock(2) on the Maildir itself,
 * taken before LMDB's, so that a deleted index and its successor never have
 * two writers at once.
 *
 * Damage is expected.  Each value has a checksum (seal.h), and LMDB comes to no
 * page that was not looked at before (page.h); who finds one that is wrong, or
 * misses what must be there, says txn_damaged, and whatever he does fails or is
 * begun again with an index made anew.  What LMDB itself dies of all the same
 * guard.h marks.
 */

/* Raised when what is kept in the index, or how, changes. */
enum { INDEX_VERSION = 3 };

struct root {			/* kept under the key "R" */
	char magic[8];
	uint32_t version;
	uint32_t next_mailbox;
	uint64_t next_object;
};

enum { TXN_KINDS = 'z' - 'A' + 1 };	/* the first octets of keys */

struct txn {
	struct store *st;
	MDB_txn *t;
	MDB_cursor *at[TXN_KINDS];	/* where each kind was last used: what
					   is near is found without a search
					   from the root */
	MDB_cursor *gone[TXN_KINDS];	/* where it was last deleted from */
	struct page_tree tree;	/* as it was committed */
	size_t map_size;	/* of tree.map; what is being changed is not
				   in it */
	struct page_range good[TXN_KINDS];	/* what was looked at there */
	struct page_range good_gone[TXN_KINDS];
	bool write;
	bool held;		/* the lock still is, after a failed commit */
	int err;		/* the first failure of a write, for the commit */
	struct root root;	/* write: put back if it was touched */
	bool touched;
};

/* Open it, and make it anew if it is absent, of another version or damaged.
 * index_close(NULL) is fine. */
enum store_result index_open(struct store *st);
void index_close(struct store *st);

/* With the lock held or not: open it anew if the path no longer is what is
 * open, if it was cut short or if damage was found. */
enum store_result index_check(struct store *st, bool locked);
void index_damaged(struct store *st);	/* the next look makes it anew, and
					   a line of the log says so */
void index_unwanted(struct store *st);	/* makes it anew without a word */
void index_stale(struct store *st);	/* … opens it again: LMDB gave up */
bool index_there(struct store *st);	/* is there a file at all? */
bool index_again(const struct store *st, enum store_result r);
	/* did r come of damage?  Then doing it again makes the index anew. */
MDB_env *index_env(const struct store *st);

/* Begin to look at the pages of LMDB's transaction t; *map_size gets what is
 * mapped.  False: they are damaged. */
bool index_tree(struct store *st, MDB_txn *t, bool write,
    struct page_tree *tree, size_t *map_size);

/* Around all that lets LMDB read pages: what it dies of is marked. */
void index_enter(const struct store *st);
void index_leave(const struct store *st);

/* Map as much as another process has made of it: 0, or LMDB's error. */
int index_follow(struct store *st);

/* Make room for need octets more, in the map and on the disk. */
enum store_result index_grow(struct store *st, size_t need, bool reserve);

/* The write lock by itself. */
int index_lock(struct store *st);
void index_unlock(struct store *st);

/* Which opening of the environment this is: numbers of mailboxes and objects
 * hold only as long as it stays the same.  The txn_ functions may reopen. */
uint64_t index_generation(const struct store *st);

/* A snapshot.  Cheap; never held while waiting for a client. */
enum store_result txn_read(struct store *st, struct txn *t);

/*
 * The write lock and a transaction that may write about need octets more.
 * With reserve it may use what is set aside so that messages can be expunged
 * on a full disk, and STORE_FULL comes only when that is gone too.
 */
enum store_result txn_write(struct store *st, struct txn *t, size_t need,
    bool reserve);

/* Commit durably, or give up; both end it and release the lock. */
enum store_result txn_commit(struct txn *t);

/* The same, but after a failure the lock is held until txn_abort: what was
 * written beside the index can be taken back before anybody reads it. */
enum store_result txn_commit_held(struct txn *t);

/* End it, and make the whole index anew while the lock is still held. */
enum store_result txn_replace(struct txn *t);

/* The first failure so far.  What was read says what cannot be: note it, so
 * that the next look makes the index anew. */
enum store_result txn_result(const struct txn *t);
void txn_damaged(struct txn *t);

void txn_abort(struct txn *t);	/* a transaction that has ended is fine */

/* --- keys: one letter for the kind, then numbers in big-endian order --- */

enum { KEY_MAX = 32 };

struct key {
	unsigned char p[KEY_MAX];
	size_t n;
};

/* Begin a key and add numbers to it; it has room for KEY_MAX octets.  Read
 * the number at an octet of one; 0 if it is too short. */
struct key key_start(char kind);
void key_u32(struct key *k, uint32_t v);
void key_u64(struct key *k, uint64_t v);
uint32_t key_get_u32(const MDB_val *k, size_t at);
uint64_t key_get_u64(const MDB_val *k, size_t at);

/* One value.  txn_get gives false if it is absent, or damaged, which
 * txn_result tells; the span is valid until the next write or the end.
 * txn_put and txn_del note a failure, which then makes txn_commit fail;
 * txn_del gives false if there was none. */
bool txn_get(struct txn *t, const struct key *k, struct span *v);
bool txn_get_fixed(struct txn *t, const struct key *k, void *v, size_t n);
void txn_put(struct txn *t, const struct key *k, struct span v);
bool txn_del(struct txn *t, const struct key *k);

/* Walk the keys that begin with the first n octets of from, from it on.
 *     walk_start(&w, t, &from, n);
 *     while (walk_next(&w)) … w.key, w.val …
 *     walk_end(&w);
 * The entry at hand may be replaced by one of the same size or deleted;
 * nothing else may be written meanwhile. */
struct walk {
	struct txn *t;
	MDB_cursor *c;
	struct key from;
	size_t prefix;
	bool begun;
	struct key last;	/* write: a copy of key, whose page changes */
	struct page_range good;
	uintptr_t leaf;		/* a page whose successor was looked at, too */
	MDB_val key, val;
};
void walk_start(struct walk *w, struct txn *t, const struct key *from,
    size_t prefix);
bool walk_next(struct walk *w);
/* Begin again elsewhere with the same cursor. */
void walk_seek(struct walk *w, const struct key *from, size_t prefix);
/* The value of just that key, with the same cursor: faster than txn_get where
 * keys are near each other. */
bool walk_get(struct walk *w, const struct key *k, struct span *v);
void walk_replace(struct walk *w, const void *v, size_t n);
void walk_delete(struct walk *w);
void walk_end(struct walk *w);

#endif
