/* SPDX-License-Identifier: ISC */
#include "store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "text/crlf.h"

enum { EARLY = 4 * 1024 * 1024 };

struct writer *
writer_new(int fd)
{
	struct writer *w = xmalloc(sizeof(*w));

	memset(w, 0, offsetof(struct writer, out));
	w->fd = fd;
	w->parser = mime_parser_new(false);
	return w;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	mime_parser_free(w->parser);
	free(w);
}

static int
write_at(int fd, const char *p, size_t n, uint64_t off)
{
	while (n > 0) {
		ssize_t r = pwrite(fd, p, n, (off_t)off);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			errno = r < 0 ? errno : ENOSPC;
			return -1;
		}
		p += r;
		n -= (size_t)r;
		off += (uint64_t)r;
	}
	return 0;
}

/* The disk begins with a large file while the rest is still to come.  This
 * makes nothing safe, and who syncs hears of what failed. */
static void
write_back(struct writer *w)
{
	uint64_t n = w->file - w->begun;

	if (n < EARLY)
		return;
	(void)sync_file_range(w->fd, (off_t)w->begun, (off_t)n,
	    SYNC_FILE_RANGE_WRITE);
	w->begun = w->file;
}

static void
flush(struct writer *w)
{
	if (w->n > 0 && w->err == 0) {
		mime_parser_feed(w->parser, (struct span){ w->out, w->n });
		if (write_at(w->fd, w->out, w->n, w->file - w->n) != 0)
			w->err = errno;
		else
			write_back(w);
	}
	w->n = 0;
}

static void
put(struct writer *w, const char *p, size_t n)
{
	while (n > 0) {
		size_t room = sizeof(w->out) - w->n;
		size_t some = n < room ? n : room;

		memcpy(w->out + w->n, p, some);
		w->n += some;
		w->file += some;
		p += some;
		n -= some;
		if (w->n == sizeof(w->out))
			flush(w);
	}
}

/* Give every LF of the file its CR back, from the end to the beginning, so
 * that nothing is overwritten before it was read. */
static int
unfold(struct writer *w)
{
	enum { PIECE = 32 * 1024 };
	uint64_t from = w->file, to = w->file + w->lf;

	while (from < to) {
		size_t n = from < PIECE ? (size_t)from : PIECE;
		struct buf piece = { 0 };
		ssize_t r = file_pread(w->fd, w->out, n, (int64_t)(from - n));
		int bad;

		if (r < 0 || (size_t)r != n) {
			errno = r < 0 ? errno : EIO;
			return -1;
		}
		for (size_t i = 0; i < n; i++) {
			if (w->out[i] == '\n')
				buf_addc(&piece, '\r');
			buf_addc(&piece, w->out[i]);
		}
		from -= n;
		to -= piece.n;
		bad = write_at(w->fd, piece.p, piece.n, to);
		buf_free(&piece);
		if (bad != 0)
			return -1;
	}
	return 0;
}

/* From here on octets are kept as they come. */
static void
go_raw(struct writer *w)
{
	flush(w);
	if (w->err != 0)
		return;
	if (unfold(w) != 0) {
		w->err = errno;
		return;
	}
	w->file += w->lf;
	w->lf = 0;
	w->raw = true;
	mime_parser_free(w->parser);
	w->parser = mime_parser_new(true);
	for (uint64_t off = 0; off < w->file; ) {
		ssize_t r = file_pread(w->fd, w->out, sizeof(w->out),
		    (int64_t)off);

		if (r <= 0) {
			w->err = r < 0 ? errno : EIO;
			return;
		}
		mime_parser_feed(w->parser,
		    (struct span){ w->out, (size_t)r });
		off += (uint64_t)r;
	}
}

/* One step while lines end with LF; returns what is left. */
static struct span
step(struct writer *w, struct span s)
{
	size_t n;

	if (w->cr) {
		w->cr = false;
		if (s.p[0] == '\n') {
			put(w, "\n", 1);
			w->lf++;
			return span_skip(s, 1);
		}
		go_raw(w);
		put(w, "\r", 1);
		return s;
	}
	n = crlf_plain(s);
	put(w, s.p, n);
	s = span_skip(s, n);
	if (s.n > 0 && s.p[0] == '\r') {
		w->cr = true;
		return span_skip(s, 1);
	}
	if (s.n > 0)
		go_raw(w);
	return s;
}

int
writer_write(struct writer *w, struct span octets)
{
	while (octets.n > 0 && w->err == 0) {
		if (w->raw) {
			put(w, octets.p, octets.n);
			break;
		}
		octets = step(w, octets);
	}
	return w->err;
}

int
writer_finish(struct writer *w, uint64_t *file, uint64_t *wire,
    struct buf *digest)
{
	if (w->cr && w->err == 0) {
		w->cr = false;
		go_raw(w);
		put(w, "\r", 1);
	}
	flush(w);
	if (w->err != 0)
		return w->err;
	*file = w->file;
	*wire = w->file + w->lf;
	mime_parser_finish(w->parser, digest);
	return 0;
}
