/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_H
#define KEEPER_H

#include "store/mail.h"
#include "url/remote.h"

/*
 * A process of its own for each owner whose mail a connection asks for: it
 * is the owner's account, can reach nothing but that mail, and has none of
 * the connection and of other owners' requests.  It speaks url/remote.h over
 * a socket pair.  { 0 } is none.
 */
enum { KEEPERS_MAX = 4 };

struct keepers {
	struct keeper {
		struct buf name;	/* as URLs write it */
		pid_t pid;		/* 0: none */
		struct remote line;
	} keeper[KEEPERS_MAX];
	size_t next;		/* to give way */
	void (*forget)(void *ctx);	/* called in the new process: leaves
				   nothing of what we know of others */
	void *ctx;
};

/* Whom a keeper is to be for. */
struct kept {
	struct span name;
	struct mail *mail;	/* taken over */
	bool nobody;		/* there is no such owner: the same work is
				   done with this mail, and the answer is no */
};

/* The keeper for that name, or NULL. */
struct keeper *keeper_find(struct keepers *all, struct span name);

/* Start one; where there are too many another gives way.  NULL with errno. */
struct keeper *keeper_start(struct keepers *all, const struct control *c,
    const struct kept *k);

void keeper_end(struct keeper *k);	/* { 0 } is fine */
void keeper_kill(struct keeper *k);	/* of one that does not answer */
void keepers_end(struct keepers *all);

/* keep.c, in the new process: answer on descriptors 0 and 1 until they are
 * closed. */
void keep(const struct control *c, const struct kept *k);

#endif
