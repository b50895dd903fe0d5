/* SPDX-License-Identifier: ISC */
#include "store/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "store/binary.h"
#include "store/filename.h"
#include "store/internal.h"
#include "store/writer.h"

int
tmp_open(struct mailbox *mb, char name[256])
{
	struct buf b = { 0 };
	int dir = mailbox_sub(mb, TMP);
	int fd = -1;

	if (dir < 0)
		return -1;
	for (int tries = 0; tries < 3; tries++) {
		buf_clear(&b);
		filename_new(++mb->st->made, &b);
		fd = openat(dir, buf_cstr(&b), O_RDWR | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0 || (errno != EEXIST && errno != EINTR))
			break;
	}
	if (fd >= 0)
		memcpy(name, b.p, b.n + 1);
	buf_free(&b);
	return fd;
}

/* Close the file and remove its name. */
static void
drop(struct draft *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	if (d->tmp[0] != '\0')
		(void)unlinkat(mailbox_sub(d->mb, TMP), d->tmp, 0);
	d->tmp[0] = '\0';
}

/* The result of the errno, for good; what was written is given back now,
 * since others may need the space. */
static enum store_result
fail(struct draft *d, int err)
{
	d->failed = err == EFBIG ? STORE_LIMIT :
	    store_fail(d->mb->st, "write a message", err);
	drop(d);
	return d->failed;
}

static void
copy_info(struct draft *d, const struct draft_info *i)
{
	struct span *k = i->keywords == 0 ? NULL :
	    arena_alloc(&d->mem, i->keywords * sizeof(*k));

	d->info = *i;
	for (size_t n = 0; n < i->keywords; n++)
		k[n] = arena_dup(&d->mem, i->keyword[n]);
	d->info.keyword = k;
}

enum store_result
draft_open(struct mailbox *mb, const struct draft_info *i,
    struct draft **out)
{
	struct draft *d = xcalloc(1, sizeof(*d));

	*out = NULL;
	d->mb = mb;
	d->fd = tmp_open(mb, d->tmp);
	if (d->fd < 0) {
		int err = errno;

		free(d);
		return store_fail(mb->st, "make a file in tmp", err);
	}
	copy_info(d, i);
	d->writer = writer_new(d->fd);
	*out = d;
	return STORE_OK;
}

enum store_result
draft_write(struct draft *d, struct span octets)
{
	int err;

	if (d->failed != STORE_OK)
		return d->failed;
	err = writer_write(d->writer, octets);
	return err == 0 ? STORE_OK : fail(d, err);
}

/* Write the message anew without binary parts; the first file goes. */
static int
without_binary(struct draft *d)
{
	char old[sizeof(d->tmp)];
	struct buf was = d->digest;
	struct digest dg;
	int from = d->fd, err, to;

	if (!digest_open(buf_span(&was), &dg) || !binary_has(&dg))
		return 0;
	memcpy(old, d->tmp, sizeof(old));
	to = tmp_open(d->mb, d->tmp);
	if (to < 0) {
		memcpy(d->tmp, old, sizeof(old));
		return errno;
	}
	d->fd = to;
	writer_free(d->writer);
	d->writer = writer_new(to);
	d->digest = (struct buf){ 0 };
	err = binary_copy(from, &dg, d->writer);
	if (err == 0)
		err = writer_finish(d->writer, &d->size, &d->wire,
		    &d->digest);
	buf_free(&was);
	close(from);
	(void)unlinkat(mailbox_sub(d->mb, TMP), old, 0);
	return err;
}

/* The internal date is the file's time, set before the file is synced; what
 * the file system made of it is what counts. */
static int
set_date(struct draft *d)
{
	struct timespec t[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct stat s;

	if (d->info.internaldate != INT64_MIN) {
		t[1].tv_sec = (time_t)d->info.internaldate;
		if (futimens(d->fd, t) != 0)
			return -1;
	}
	if (fstat(d->fd, &s) != 0)
		return -1;
	d->info.internaldate = s.st_mtim.tv_sec;
	d->inode = s.st_ino;
	return 0;
}

enum store_result
draft_finish(struct draft *d, uint64_t *wire_size)
{
	int err;

	if (d->failed != STORE_OK)
		return d->failed;
	err = writer_finish(d->writer, &d->size, &d->wire, &d->digest);
	if (err == 0)
		err = without_binary(d);
	writer_free(d->writer);
	d->writer = NULL;
	if (err == 0 && (set_date(d) != 0 || fsync(d->fd) != 0))
		err = errno;
	if (err != 0)
		return fail(d, err);
	if (close(d->fd) != 0) {
		d->fd = -1;
		return fail(d, errno);
	}
	d->fd = -1;
	d->finished = true;
	if (wire_size != NULL)
		*wire_size = d->wire;
	return STORE_OK;
}

void
draft_free(struct draft *d)
{
	if (d == NULL)
		return;
	drop(d);
	writer_free(d->writer);
	buf_free(&d->digest);
	arena_free(&d->mem);
	free(d);
}

enum { PIECE = 64 * 1024 };

static ssize_t
first_piece(int fd, char *p)
{
	ssize_t n;

	do
		n = pread(fd, p, PIECE, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Of most files the name says the size, and the first piece is all of it:
 * then nothing else needs to be asked. */
int
digester_read(struct digester *g, int fd, struct span file,
    struct buf *digest)
{
	uint64_t s = 0, w, off;
	bool sized = filename_size(file, &s);
	struct stat st;

	if (g->parser == NULL) {
		g->parser = mime_parser_new(false);
		g->piece = xmalloc(PIECE);
	}
	ssize_t n = first_piece(fd, g->piece);
	bool whole = n >= 0 && n < PIECE && sized && (uint64_t)n == s;

	if (n < 0 || (!whole && fstat(fd, &st) != 0))
		return -1;
	uint64_t size = whole ? s : (uint64_t)st.st_size;

	mime_parser_again(g->parser, sized && s == size &&
	    filename_wire(file, &w) && w == s);
	for (off = 0; n > 0; ) {
		mime_parser_feed(g->parser,
		    (struct span){ g->piece, (size_t)n });
		off += (uint64_t)n;
		if (off >= size)
			break;
		n = file_pread(fd, g->piece, size - off < PIECE ?
		    (size_t)(size - off) : PIECE, (int64_t)off);
		if (n < 0)
			return -1;
	}
	mime_parser_finish(g->parser, digest);
	return 0;
}

void
digester_free(struct digester *g)
{
	mime_parser_free(g->parser);
	free(g->piece);
	*g = (struct digester){ 0 };
}

int
digest_make(int fd, struct span file, struct buf *digest)
{
	struct digester g = { 0 };
	int r = digester_read(&g, fd, file, digest);

	digester_free(&g);
	return r;
}

bool
digest_sizes(struct span digest, uint64_t *file, uint64_t *wire)
{
	struct digest d;

	if (!digest_open(digest, &d))
		return false;
	*file = d.file_size;
	*wire = d.wire_size;
	return true;
}
