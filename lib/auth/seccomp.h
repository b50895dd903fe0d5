/* SPDX-License-Identifier: ISC */
#ifndef AUTH_SECCOMP_H
#define AUTH_SECCOMP_H

#include <stdbool.h>

/* Leave this process the system calls that a mail session needs, with
 * connect also those for connecting to UNIX sockets, with threads that for
 * starting a thread.  1 done, 0 not on this
 * kernel or processor, -1 failed, with errno.  Needs "no new privileges". */
int seccomp_enter(bool connect, bool threads);

#endif
