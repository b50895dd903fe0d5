/* SPDX-License-Identifier: ISC */
#include "smtp/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"

enum { PIECE = 16 * 1024 };

/* A file without a name; where the file system has no O_TMPFILE, one whose
 * name is taken away at once. */
static int
nameless(void)
{
	const char *dir = getenv("TMPDIR");
	struct buf path = { 0 };
	int fd;

	if (dir == NULL || dir[0] == '\0')
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		buf_adds(&path, dir);
		buf_adds(&path, "/lemon.XXXXXX");
		buf_cstr(&path);
		fd = mkostemp(path.p, O_CLOEXEC);
		if (fd >= 0)
			unlink(path.p);
		buf_free(&path);
	}
	return fd;
}

static void
put_away(struct spool *s)
{
	if (s->fd < 0)
		s->fd = nameless();
	if (s->fd < 0 || file_write(s->fd, buf_span(&s->head)) != 0)
		s->error = errno;
	s->filed += s->head.n;
	buf_clear(&s->head);
}

void
spool_add(struct spool *s, struct span octets)
{
	if (s->error != 0)
		return;
	if (s->head.n + octets.n > SPOOL_MEMORY)
		put_away(s);
	if (s->error == 0 && octets.n <= SPOOL_MEMORY) {
		buf_add(&s->head, octets);
		return;
	}
	if (s->error == 0 && file_write(s->fd, octets) != 0)
		s->error = errno;
	s->filed += octets.n;
}

uint64_t
spool_size(const struct spool *s)
{
	return s->filed + s->head.n;
}

int
spool_read(struct spool *s, uint64_t from, uint64_t n, dot_sink *sink,
    void *ctx)
{
	char *piece = xmalloc(PIECE);
	struct span rest;

	while (s->error == 0 && n > 0 && from < s->filed) {
		uint64_t left = s->filed - from < n ? s->filed - from : n;
		ssize_t got = file_pread(s->fd, piece,
		    left < PIECE ? (size_t)left : PIECE, (int64_t)from);

		if (got <= 0) {
			s->error = got < 0 ? errno : EIO;
			break;
		}
		sink(ctx, (struct span){ piece, (size_t)got });
		from += (uint64_t)got;
		n -= (uint64_t)got;
	}
	free(piece);
	if (s->error != 0)
		return -1;
	if (n > 0 && from >= s->filed && from - s->filed < s->head.n) {
		rest = span_skip(buf_span(&s->head),
		    (size_t)(from - s->filed));
		sink(ctx, span_head(rest, n < rest.n ? (size_t)n : rest.n));
	}
	return 0;
}

void
spool_free(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	buf_free(&s->head);
	*s = (struct spool){ .fd = -1 };
}
