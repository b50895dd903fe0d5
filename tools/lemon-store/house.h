/* SPDX-License-Identifier: ISC */
#ifndef HOUSE_H
#define HOUSE_H

#include "store/store.h"

/* What the command line asks for. */
struct ask {
	const char *who;	/* USER or MAILDIR */
	const char *folder;	/* -m, or NULL: all */
	bool digests;		/* -d */
	bool quiet;		/* -q: notes are not told */
};

/* One row per subcommand; run returns the exit code. */
struct act {
	const char *name;
	const char *options;	/* those it takes, besides m */
	int (*run)(const struct ask *a);
};

enum { EXIT_FOUND = 1 };	/* check found something */

int run_check(const struct ask *a);
int run_list(const struct ask *a);
int run_rebuild(const struct ask *a);
int run_stat(const struct ask *a);

/* Become who owns the mail, open it, and find the mailbox that -m means,
 * "Lists/C" or as the directory has it; *name stays empty without -m.  Ends
 * the process if that cannot be; NULL after a line on standard error if there
 * is no such mailbox.  look: as store_config has it. */
struct store *house_open(const struct ask *a, bool look, struct buf *name);

/* Go on if it went well, else end the process with what the store says. */
void house_must(struct store *st, enum store_result r);

/* Close both, and give that exit code if all that was printed went out. */
int house_close(struct store *st, struct buf *name, int code);

/* Add a mailbox's name as people write it. */
void house_name(struct span name, struct buf *to);

/* Run it in a child of its own; how that ended, as waitpid tells it.  And
 * whether a signal is what a damaged index ends a process by. */
int house_child(int (*run)(const struct ask *), const struct ask *a);
bool house_fault(int sig);

/* A bar on standard error while something goes on, if that is a terminal. */
void bar_show(const char *what, uint64_t done, uint64_t of);
void bar_clear(void);

#endif
