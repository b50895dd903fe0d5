/* SPDX-License-Identifier: ISC */
#ifndef STORE_LEARN_H
#define STORE_LEARN_H

#include "base/crew.h"
#include "store/internal.h"
#include "store/view.h"

/*
 * Looking into messages that nobody has looked into: each file is read and
 * its digest made, by two threads where there are two processors, while the
 * caller keeps and shows what was learned before.
 */
struct unread {
	uint32_t uid;
	uint64_t object;
	const char *file;	/* its name in dir, or NULL: look for it */
	int dir;
	bool gone;		/* afterwards: another program took it away */
	unsigned hand;		/* and whose out holds its digest: n octets */
	size_t at, n;		/* at that place; 0: it cannot be read */
};

/* What all portions of one act share. */
struct hands {
	struct crew crew;
	struct digester digester[CREW_HANDS];
};
void hands_init(struct hands *h);
void hands_free(struct hands *h);

struct learner {
	struct view *v;
	struct hands *hands;	/* one learner at a time has begun */
	struct unread *unread;
	size_t n, cap;
	int dir[2];		/* CUR, NEW */
	struct buf out[CREW_HANDS];
	uint64_t read[CREW_HANDS];	/* octets of files */
	bool begun;
};

/* Begin with these messages: learner_add each of them, then learner_start.
 * Their file names must stay where they are until it is done. */
void learner_clear(struct learner *l);
void learner_add(struct learner *l, const struct unread *u);
void learner_start(struct learner *l);

/* All that fit are done: returns how many, at least one of any.  Or give up. */
size_t learner_finish(struct learner *l);
void learner_stop(struct learner *l);

/* The digest of message i, or nothing; valid until learner_clear. */
struct span learner_digest(const struct learner *l, size_t i);

/* Tell the index, as far as it takes it: who cannot keep a digest makes it
 * again the next time. */
void learner_keep(struct learner *l);

void learner_free(struct learner *l);

#endif
