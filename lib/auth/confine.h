/* SPDX-License-Identifier: ISC */
#ifndef AUTH_CONFINE_H
#define AUTH_CONFINE_H

#include "auth/account.h"

/*
 * After login a process reaches its user's files and nothing else.
 * confine_become drops from root to the account's uid and gid (with empty
 * supplementary groups, checked; refuses uid 0); as anyone else it only
 * checks.  confine_paths then shuts the door: Landlock on the paths given, a
 * seccomp filter, no new privileges, not dumpable, no core, and of root's
 * capabilities none but those to get past permissions.  Both return 0,
 * or -1 with errno and *why; then the process must not go on.
 *
 * What is left afterwards: everything (but running programs, links, devices
 * and sockets) below dirs; reading below the system's library directories,
 * the linker's cache and the time zones, since libraries may be opened at
 * first use; descriptors that are open already.  Modes, times and lengths
 * change through descriptors only.  That a file elsewhere is there can still
 * be seen, as the uid may: Landlock stops neither stat nor inotify.  There
 * are no new processes (with threads, threads that are shut in alike), no
 * programs, no network, no signals to others.  A system call that is not on
 * the list fails: EPERM, or ENOSYS where the C library knows another way.
 * Kernels before 5.19 have no Landlock that could rename between directories;
 * there, and on other processors than x86_64 and arm64, a part is missing:
 * see confine_level.
 */
struct confine {
	const char *const *dirs;	/* NULL-ended; full access below.  One
					   that is not there is left out. */
	const char *const *readable;	/* NULL-ended, or NULL: may be read,
					   directories with what is below */
	const char *const *sockets;	/* NULL-ended; may be connected to.  No
					   kernel so far tells them apart by
					   path: their permissions do. */
	bool connect;			/* may open UNIX sockets at all */
	bool threads;			/* may start threads: as long as the
					   user has no more than 1,024
					   processes and threads (root: any) */
};

int confine_become(const struct account *a, const char **why);
int confine_paths(const struct confine *c, const char **why);

/* One word for the log: "full", "partial" or "none".  It tries. */
const char *confine_level(void);

#endif
