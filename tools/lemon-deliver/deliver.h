/* SPDX-License-Identifier: ISC */
#ifndef DELIVER_H
#define DELIVER_H

#include "boxes.h"
#include "letter.h"
#include "net/peer.h"
#include "smtp/server.h"
#include "target.h"

/* The command line and the environment; NULL: not given. */
struct options {
	bool lmtp;
	char wrong;		/* an option that is none, or lacks its value */
	const char *sender, *recipient, *folder;
	const char *target;	/* USER or MAILDIR */
};

/* single.c: one message on standard input; returns the exit code. */
int single(const struct options *o);

/* lmtp.c: LMTP for one connection on descriptors 0 and 1. */
int lmtp(void);

/*
 * child.c: deliver as the target's account, in a process of its own that is
 * confined to that account.  It stays for what comes next to the same one,
 * and commits the index after its answer, as boxes.h says.  { 0 } is none.
 */
enum { CHILDREN_MAX = 4 };

struct children {
	struct child {
		struct buf key;
		pid_t pid;	/* 0: none */
		int fd;
	} child[CHILDREN_MAX];
	size_t next;		/* to give way */
};

/* As boxes_put; *why lasts until the next call. */
enum store_result children_put(struct children *all, const struct target *t,
    const struct letter *l, struct span top, const char **why);

/* Wait until they have settled what they owe, and are gone. */
void children_end(struct children *all);

/* One LMTP session. */
struct session {
	struct control control;
	struct peer peer;
	struct in in;
	struct out out;
	struct buf me;
	struct smtp_server server;
	int64_t started;

	struct target **known;	/* whom this connection had mail for */
	size_t knowns, known_cap;

	/* of the transaction */
	struct letter letter;
	struct target **target;	/* [targets], as server.rcpt: known ones */
	size_t targets, cap;
	bool *delivered;	/* [targets], after the end */
	struct boxes boxes;
	struct children children;
};

/* notice.c: tell the sender of those recipients that asked to hear of
 * success (RFC 3461 5.2.2). */
void send_notices(struct session *s);

/* What a result means to the one who sent the message. */
void result_reply(enum store_result e, struct smtp_reply *r);

#endif
