/* SPDX-License-Identifier: ISC */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include <stdint.h>

#include "base/span.h"

/*
 * Connecting out.  where is "/path" of a UNIX socket, "host:port",
 * "[v6]:port", or a host without a port (then defport counts).  A numeric
 * address is never resolved; a name is, in a child process, so that the
 * deadline (on clock_ms(), 0 for none) holds, and every address is tried.
 *
 * Returns a connected descriptor, blocking and close-on-exec, or -1 with
 * errno and *why, a fixed sentence about what failed.  A name that does not
 * exist is EHOSTUNREACH, one that cannot be looked up now is EAGAIN.
 */
int connect_to(struct span where, const char *defport, int64_t deadline,
    const char **why);

/* The host in where, without port and brackets; for certificates. */
struct span connect_host(struct span where);

/* Whether that stays on this host, as far as its name says: a password may go
 * there without a certificate that names it. */
bool connect_loopback(struct span where);

/* The UNIX socket only; longer paths than sockaddr_un holds are fine. */
int connect_unix(const char *path, int64_t deadline, const char **why);

#endif
