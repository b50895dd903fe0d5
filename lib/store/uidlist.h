/* SPDX-License-Identifier: ISC */
#ifndef STORE_UIDLIST_H
#define STORE_UIDLIST_H

#include "base/arena.h"
#include "base/set.h"

/*
 * The text of `lemon-uidlist`, the truth about UIDs, UIDVALIDITY and
 * keywords of one folder; lemon-maildir(5) gives its form.  This reads and
 * writes octets only; list.c keeps the file.
 */
#define UIDLIST_FILE "lemon-uidlist"

enum {
	UIDLIST_LINE_MAX = 8192,	/* longer ones are bad */
	UIDLIST_KEYWORDS_MAX = 10000,
	KEYWORD_MAX = 200,		/* octets of a keyword's name */
	UIDLIST_LETTERS = 5		/* flags that file names have */
};

struct uidlist_msg {
	uint32_t uid;
	bool gone;		/* an X line came after it */
	uint64_t inode;		/* of what is gone */
	uint64_t hash;		/* letters_hash of base */
	struct span base;	/* in the text */
};

struct uidlist {
	struct arena mem;
	uint32_t uidvalidity;
	uint32_t uidnext;	/* all UIDs ever used are below */
	uint64_t modseq;	/* and all MODSEQs below this */
	uint8_t guid[16];
	struct uidlist_msg *msg;	/* ascending UIDs */
	size_t n, cap;
	struct span *keyword;	/* by number, the empty span if unknown */
	struct set *has;	/* the UIDs that have it */
	size_t keywords;
	struct set late[2][UIDLIST_LETTERS];	/* lost, got: the flags that
				   count whatever the file name says */
	size_t good;		/* octets up to the first bad line */
	size_t lines;
};

/* Read; *l borrows the text.  False if the header cannot be read.  The first
 * bad line ends the list: what follows was not written whole, and only keeps
 * its numbers from being used again. */
bool uidlist_parse(struct span text, struct uidlist *l);
void uidlist_free(struct uidlist *l);

/* Which flags (MSG_*) of that UID its file name does not tell; *flags: those
 * of them that are set. */
uint32_t uidlist_late_flags(const struct uidlist *l, uint32_t uid,
    uint32_t *flags);

/* The message of that UID, or NULL. */
struct uidlist_msg *uidlist_find(const struct uidlist *l, uint32_t uid);

/* Of all whole lines of the text, wherever it begins: raise *uidnext above
 * every UID and reservation, and *modseq to every reservation. */
void uidlist_heed(struct span text, uint32_t *uidnext, uint64_t *modseq);

/* Add one line. */
void uidlist_header(struct buf *b, uint32_t uidvalidity, uint32_t uidnext,
    const uint8_t guid[16]);
void uidlist_message(struct buf *b, uint32_t uid, struct span base);
void uidlist_uidnext(struct buf *b, uint32_t uidnext);
void uidlist_modseq(struct buf *b, uint64_t modseq);
void uidlist_keyword(struct buf *b, uint32_t number, struct span name);

/* Set or clear a keyword; as many lines as it takes. */
void uidlist_flag(struct buf *b, bool on, uint32_t number,
    const struct set *uids);

/* The same for the flag MSG_*, which file names will have later, and that
 * they now have all their flags. */
void uidlist_late(struct buf *b, bool on, uint32_t flag,
    const struct set *uids);
void uidlist_settled(struct buf *b, const struct set *uids);

/* Forget UIDs, with the inodes of their files. */
struct uidlist_gone {
	uint32_t uid;
	uint64_t inode;
};
void uidlist_forget(struct buf *b, const struct uidlist_gone *g, size_t n);

#endif
