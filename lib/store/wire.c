/* SPDX-License-Identifier: ISC */
#include "store/wire.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

int
wire_open(struct wire *w, int fd, bool raw, uint64_t file, uint64_t wire)
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
	w->after_cr = before == '\r';
	w->owe_lf = false;
	w->file = file;
	w->wire = wire;
	w->at = w->n = 0;
	return 0;
}

/* True if there is more in w->in.  False at the end and on failure. */
static bool
fill(struct wire *w)
{
	ssize_t n;

	if (w->at < w->n)
		return true;
	n = file_pread(w->fd, w->in, sizeof(w->in), (int64_t)w->file);
	w->at = 0;
	w->n = n > 0 ? (size_t)n : 0;
	errno = n < 0 ? errno : 0;
	return n > 0;
}

/* How much of in can be given as it is: up to a lone LF. */
static size_t
plain(const struct wire *w, size_t want)
{
	const char *p = w->in + w->at;
	size_t have = w->n - w->at, max = have < want ? have : want;
	const char *lf;

	if (w->raw)
		return max;
	lf = memchr(p, '\n', max);
	while (lf != NULL && (lf == p ? w->after_cr : lf[-1] == '\r'))
		lf = memchr(lf + 1, '\n', max - (size_t)(lf + 1 - p));
	return lf == NULL ? max : (size_t)(lf - p);
}

/* Account for n octets given as they are. */
static void
take(struct wire *w, size_t n)
{
	w->at += n;
	w->file += n;
	w->wire += n;
	w->after_cr = w->in[w->at - 1] == '\r';
}

ssize_t
wire_read(struct wire *w, char *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t some;

		if (w->owe_lf) {
			p[done++] = '\n';
			w->owe_lf = false;
			w->after_cr = false;
			w->wire++;
			continue;
		}
		if (!fill(w))
			return errno != 0 ? -1 : (ssize_t)done;
		some = plain(w, n - done);
		if (some > 0) {
			memcpy(p + done, w->in + w->at, some);
			take(w, some);
			done += some;
			continue;
		}
		p[done++] = '\r';
		w->owe_lf = true;
		w->at++;
		w->file++;
		w->wire++;
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
