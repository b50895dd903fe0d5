/* SPDX-License-Identifier: ISC */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "mime/parse.h"

/*
 * Writes a message that comes in wire form to a file, with LF line ends if
 * it can: at the first bare CR, bare LF or NUL what was written is put back
 * to CRLF, and from then on octets are kept as they come.  The parser sees
 * what the file gets.  Memory is constant, and a failure sticks.
 */
struct writer {
	int fd;			/* read and write, owned by the caller */
	bool raw;		/* octet for octet */
	bool cr;		/* a CR waits for what follows it */
	int err;		/* errno of what went wrong, or 0 */
	uint64_t file, lf;	/* octets of the file; its LFs, if not raw */
	uint64_t begun;		/* octets the disk was told to begin with */
	struct mime_parser *parser;
	size_t n;		/* held in out, counted in file */
	char out[64 * 1024];
};

/* fd is empty. */
struct writer *writer_new(int fd);
void writer_free(struct writer *w);	/* NULL is fine */

/* 0, or the errno of this or an earlier failure. */
int writer_write(struct writer *w, struct span octets);

/* The end: everything is in the file (not synced) and the digest, of these
 * sizes, is added. */
int writer_finish(struct writer *w, uint64_t *file, uint64_t *wire,
    struct buf *digest);

#endif
