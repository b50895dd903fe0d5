/* SPDX-License-Identifier: ISC */
#ifndef AUTH_STRANGERS_H
#define AUTH_STRANGERS_H

#include <stdint.h>

#include "base/control.h"

/*
 * Who is connected and has not logged in, and which addresses got passwords
 * wrong of late: a file of fixed size that all servers share which the
 * control file "strangers" names the same one.  Without that control file
 * there is none, and nothing is limited here.
 *
 * A process holds its place by a lock that ends with it, however it ends.
 * An address of IPv6 is its first 64 bits.  What another process writes at
 * the same moment may lose a count; nothing hangs on one.
 */
struct strangers {
	int fd;			/* -1: no file */
	unsigned char address[16];
};

/*
 * Take a place for a client at that numeric address (NULL: a local one, who
 * needs none).  False if there are "strangers-max" already (default 400), or
 * "strangers-address" from there (default 50): say so at once, and close.  A
 * file that cannot be used is a line in the log, and no limit.
 */
bool strangers_enter(struct strangers *s, const struct control *c,
    const char *ip);

/* Give the place up: logged in, or gone. */
void strangers_leave(struct strangers *s);

/*
 * How many milliseconds to wait before a password from there is looked at:
 * nothing for the first five wrong ones, then "auth-delay" (default 2000),
 * each time twice as long, at most 15 seconds.  One is forgotten each minute.
 */
int64_t strangers_wait(const struct strangers *s, const struct control *c);

/* A password from there was wrong. */
void strangers_failed(const struct strangers *s);

#endif
