/* SPDX-License-Identifier: ISC */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <dirent.h>
#include <sys/types.h>

#include "base/buf.h"

/* All of these: -1 with errno set on failure, EINTR retried, descriptors
 * close-on-exec, the last component of a path never a followed symlink. */

/* Add the whole regular file to b.  EFBIG if it is longer than max. */
int file_read(int dirfd, const char *path, size_t max, struct buf *b);

/* The same from an open descriptor, from its current offset on; any kind of
 * file. */
int file_read_fd(int fd, size_t max, struct buf *b);

/* Write everything; a short write is continued. */
int file_write(int fd, struct span s);

/* Read up to n octets at off; less than n only at the end of the file. */
ssize_t file_pread(int fd, void *p, size_t n, int64_t off);

/* Replace the file by these octets: a temporary file beside it, write,
 * fsync, rename, fsync of the directory.  Durable when it returns 0. */
int file_replace(int dirfd, const char *path, struct span s, mode_t mode);

/* close(2) that leaves errno as it is, for who has failed already. */
void close_quietly(int fd);

/* To read a directory that openat gave, or NULL with errno; fd is taken, also
 * then.  -1 for fd, with its errno, is NULL. */
DIR *file_dir(int fd);

/* An advisory lock on the whole file (F_OFD_SETLKW), shared or exclusive;
 * gone when the descriptor is closed.  Waits at most ms, then ETIMEDOUT. */
int file_lock(int fd, bool exclusive, int64_t ms);

/* Octets of the system's random source; ends the process without it. */
void random_fill(void *p, size_t n);

#endif
