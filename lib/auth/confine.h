/* SPDX-License-Identifier: ISC */
#ifndef AUTH_CONFINE_H
#define AUTH_CONFINE_H

#include "auth/account.h"

/*
 * After login a process reaches its user's files and nothing else.
 * confine_become drops from root to the account's uid and gid (with empty
 * supplementary groups, checked; refuses uid 0); as anyone else it only
 * checks.  confine_paths then shuts the door: Landlock on the paths given,
 * a seccomp filter (no exec, no new connections but to the UNIX sockets
 * given, no ptrace, no kill of others…), no new privileges, not dumpable,
 * where the kernel has them.  Both: 0, or -1 with errno and *why.
 */
struct confine {
	const char *const *dirs;	/* NULL-ended; full access below */
	const char *const *sockets;	/* NULL-ended; may be connected to */
	bool connect;			/* may open UNIX sockets at all */
};

int confine_become(const struct account *a, const char **why);
int confine_paths(const struct confine *c, const char **why);

/* One word for the log: "full", "partial" or "none". */
const char *confine_level(void);

#endif
