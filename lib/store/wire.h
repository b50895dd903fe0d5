/* SPDX-License-Identifier: ISC */
#ifndef STORE_WIRE_H
#define STORE_WIRE_H

#include <sys/types.h>

#include "text/crlf.h"

/*
 * Reads a message file as IMAP shows it: each lone LF as CRLF, unless the
 * file is octet for octet what the wire has.  The descriptor is borrowed.
 */
struct wire {
	int fd;
	bool raw;
	struct crlf eol;
	uint64_t size;		/* of the file: none beyond that is read */
	uint64_t file, wire;	/* the next octet to give, both ways */
	size_t at, n;		/* what is left of in: in[at..n) */
	char in[32 * 1024];
};

/* From that place on, given as file and as wire offset.  size is that of the
 * file, or UINT64_MAX for all there is.  -1 with errno. */
int wire_open(struct wire *w, int fd, bool raw, uint64_t size, uint64_t file,
    uint64_t wire);

/* The next up to n octets; less only at the end.  -1 with errno. */
ssize_t wire_read(struct wire *w, char *p, size_t n);

/* Skip that many; false at the end or on failure (errno, 0 at the end). */
bool wire_skip(struct wire *w, uint64_t n);

#endif
