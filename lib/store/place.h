/* SPDX-License-Identifier: ISC */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/record.h"

/* Move or link a file to a name that is not there yet; link where the file
 * system cannot rename so.  -1 with errno, EEXIST if there is one. */
int file_move(int from_dir, const char *from, int to_dir, const char *to);

/* What happened to a directory outside the lock: its mtime just before and
 * just after.  Noted later, it stays known if nothing else happened. */
struct moved {
	struct timespec before, after;
};
void moved_before(struct moved *m, int fd);
void moved_after(struct moved *m, int fd);
void moved_note(const struct moved *m, struct change *c, int dir);

/* The UID under which someone has taken the file in already, or 0. */
uint32_t place_known(struct change *c, struct span name);

/* Names (new ones are made) become the set of keywords of a new message that
 * has that UID.  False: too many, or no keyword's name. */
bool place_keywords(struct change *c, uint32_t uid,
    const struct span *keyword, size_t n, uint32_t *set);

/* The commit stands, but not all that it rests on could be synced.  The client
 * hears that nothing came, so these messages go; he may send them again.  What
 * cannot go stays, and is seen. */
void place_withdraw(struct mailbox *mb, const uint32_t *uid, size_t n);

#endif
