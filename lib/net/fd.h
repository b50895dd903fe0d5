/* SPDX-License-Identifier: ISC */
#ifndef NET_FD_H
#define NET_FD_H

#include "net/stream.h"

/*
 * The lowest operations of a stream; ctx is the descriptor itself, cast.
 * They wait in poll and never in read or write, so that the deadline holds
 * although the descriptor blocks.
 */
stream_op fd_read, fd_write;		/* pipes, files, terminals */
stream_op socket_read, socket_write;

/* Whether it is one, so that the right two of these are taken. */
bool fd_is_socket(int fd);

/* Wait for events (POLLIN, POLLOUT) or the deadline of a stream_op.  0, or
 * -1 with ETIMEDOUT, EAGAIN (for STREAM_NOW) or what poll says. */
int fd_wait(int fd, short events, int64_t deadline);

#endif
