/* SPDX-License-Identifier: ISC */
#include "store/wire.h"

#include <errno.h>

#include "base/file.h"

int
wire_open(struct wire *w, int fd, bool raw, uint64_t size, uint64_t file,
    uint64_t wire)
{
	char before = '\n';

	if (file > INT64_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (file > 0 && file_pread(fd, &before, 1, (int64_t)file - 1) < 0)
		return -1;
	w->fd = fd;
	w->raw = raw;
	w->eol = (struct crlf){ .cr = before == '\r' };
	w->size = size;
	w->file = file;
	w->wire = wire;
	w->at = w->n = 0;
	return 0;
}

/* Up to n octets of the file. */
static ssize_t
get(const struct wire *w, char *p, size_t n)
{
	uint64_t left = w->size > w->file ? w->size - w->file : 0;

	return file_pread(w->fd, p, left < n ? (size_t)left : n,
	    (int64_t)w->file);
}

/* The next octets to p from the file itself, or from in. */
static ssize_t
some(struct wire *w, char *p, size_t n)
{
	ssize_t r;

	if (w->raw) {
		if ((r = get(w, p, n)) > 0)
			w->file += (uint64_t)r;
		return r;
	}
	if (w->at == w->n && !w->eol.owe) {
		w->at = w->n = 0;
		if ((r = get(w, w->in, sizeof(w->in))) <= 0)
			return r;
		w->n = (size_t)r;
	}
	struct span s = { w->in + w->at, w->n - w->at };
	size_t given = crlf_give(&w->eol, &s, p, n);

	w->file += w->n - w->at - s.n;
	w->at = w->n - s.n;
	return (ssize_t)given;
}

ssize_t
wire_read(struct wire *w, char *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = some(w, p + done, n - done);

		if (r < 0)
			return -1;
		if (r == 0)
			break;
		done += (size_t)r;
		w->wire += (uint64_t)r;
	}
	return (ssize_t)done;
}

bool
wire_skip(struct wire *w, uint64_t n)
{
	char scratch[4096];

	while (n > 0) {
		size_t want = n < sizeof(scratch) ? (size_t)n :
		    sizeof(scratch);
		ssize_t r = wire_read(w, scratch, want);

		if (r <= 0) {
			errno = r < 0 ? errno : 0;
			return false;
		}
		n -= (uint64_t)r;
	}
	return true;
}
