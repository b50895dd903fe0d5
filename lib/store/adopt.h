/* SPDX-License-Identifier: ISC */
#ifndef STORE_ADOPT_H
#define STORE_ADOPT_H

#include "store/record.h"
#include "store/uidlist.h"

/*
 * Files that are not as the index knows them: new, renamed, doubled.  scan.c
 * finds them, this takes them in.
 */
struct entry {
	int dir;		/* CUR or NEW */
	uint32_t uid;		/* that the uidlist gives it, or 0 */
	uint64_t hash;		/* of the base */
	uint64_t when;		/* by its name */
	struct span name;
};

struct adopt {
	struct mailbox *mb;
	const struct uidlist *list;	/* while building, else NULL */
	bool letters_loaded;
	struct arena mem;
	struct span letter[26];	/* keywords of a-z in names, if any */
	bool unlinked;		/* what the uidlist says is gone was there */
	bool unsure;		/* a file could not be looked at */
};

/* Whether a file is there, and then what it is.  FILE_UNSURE, which nobody can
 * tell now: set a->unsure, and the directory is read once more.  Two threads
 * may ask at once, of directories that are open. */
enum file_there { FILE_ABSENT, FILE_THERE, FILE_UNSURE };
enum file_there adopt_stat(const struct adopt *a, int dir, const char *name,
    struct stat *s);

/* Take one in that the index does not know; its UID, or 0. */
uint32_t adopt_new(struct adopt *a, struct change *c, int dir,
    struct span name, const struct stat *s);

/* Take any in. */
void adopt_entry(struct adopt *a, struct change *c, const struct entry *e);

/* The entry of the uidlist that has this base, or NULL: the last one.
 * adopt_sort makes the list ready. */
struct uidlist_msg *adopt_listed(const struct adopt *a, uint64_t hash,
    struct span base);
void adopt_sort(struct uidlist *l);	/* by hash, then UID */

#endif
