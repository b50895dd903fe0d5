/* SPDX-License-Identifier: ISC */
#ifndef AUTH_LANDLOCK_H
#define AUTH_LANDLOCK_H

#include <stdbool.h>

/* Shut this process off from all files but those below dirs (read and
 * write) and below readable (read), from TCP, and from signalling others.
 * Paths that are not there, or that we may not reach, are left out.  1 done,
 * 0 this kernel cannot, -1 failed, with errno.  Needs "no new privileges". */
int landlock_enter(const char *const *dirs, const char *const *readable);

#endif
