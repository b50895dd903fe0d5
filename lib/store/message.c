/* SPDX-License-Identifier: ISC */
#include "store/message.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "store/internal.h"
#include "store/wire.h"

struct message {
	int fd;
	struct buf raw;		/* what digest borrows */
	struct digest digest;
	struct wire wire;	/* where the last read ended */
};

/* The digest of the index if it is of this file, else one made now.  One of
 * another size means that the file was changed in place: nobody should, and
 * the index is not told. */
static int
find_digest(struct message *m, struct view *v, uint32_t uid, uint64_t object,
    struct span file)
{
	struct mailbox *mb = view_mailbox(v);
	bool known = object_digest(mb->st, object, &m->raw);
	struct stat s;

	if (fstat(m->fd, &s) != 0)
		return -1;
	known = known && digest_open(buf_span(&m->raw), &m->digest);
	if (known && m->digest.file_size == (uint64_t)s.st_size)
		return 0;
	buf_clear(&m->raw);
	if (digest_make(m->fd, file, &m->raw) != 0)
		return -1;
	if (!digest_open(buf_span(&m->raw), &m->digest)) {
		errno = EIO;
		return -1;
	}
	if (!known)
		object_learn(v, uid, object, buf_span(&m->raw));
	return 0;
}

/* Its buffer is not worth clearing. */
static struct message *
new(int fd)
{
	struct message *m = xmalloc(sizeof(*m));

	m->fd = fd;
	m->raw = (struct buf){ 0 };
	return m;
}

/* At its beginning. */
static int
rewind_wire(struct message *m)
{
	return wire_open(&m->wire, m->fd, m->digest.raw_eol,
	    m->digest.file_size, 0, 0);
}

enum store_result
message_open(struct view *v, uint32_t uid, struct message **out)
{
	struct message *m = new(-1);
	struct buf file = { 0 };
	enum store_result r;
	uint64_t object;

	*out = NULL;
	r = view_file(v, uid, &m->fd, &object, &file);
	if (r == STORE_OK && (find_digest(m, v, uid, object,
	    buf_span(&file)) != 0 || rewind_wire(m) != 0))
		r = store_fail(view_mailbox(v)->st, "read a message", errno);
	buf_free(&file);
	if (r == STORE_OK)
		*out = m;
	else
		message_close(m);
	return r;
}

enum store_result
message_shown(struct view *v, const struct msg *m, const struct digest *d,
    struct message **out)
{
	struct stat s;
	int fd = view_shown(v, m, &s);

	if (fd == -1 || (uint64_t)s.st_size != d->file_size) {
		if (fd != -1)
			close(fd);
		return message_open(v, m->uid, out);
	}
	*out = new(fd);
	(*out)->digest = *d;
	return rewind_wire(*out) == 0 ? STORE_OK : STORE_ERROR;
}

void
message_close(struct message *m)
{
	if (m == NULL)
		return;
	if (m->fd >= 0)
		close(m->fd);
	buf_free(&m->raw);
	free(m);
}

const struct digest *
message_digest(const struct message *m)
{
	return &m->digest;
}

/* Go to a wire offset, from where the last read ended if that is nearer than
 * the checkpoint before it. */
static int
seek(struct message *m, uint64_t wire)
{
	uint64_t at, file = digest_file_offset(&m->digest, wire, &at);

	if (m->wire.wire > wire || m->wire.wire < at) {
		if (wire_open(&m->wire, m->fd, m->digest.raw_eol,
		    m->digest.file_size, file, at) != 0)
			return -1;
	}
	if (!wire_skip(&m->wire, wire - m->wire.wire)) {
		errno = errno != 0 ? errno : EIO;
		return -1;
	}
	return 0;
}

ssize_t
message_read(struct message *m, uint64_t wire, char *p, size_t n)
{
	uint64_t left = m->digest.wire_size > wire ?
	    m->digest.wire_size - wire : 0;
	size_t want = left < n ? (size_t)left : n;
	ssize_t r;

	if (want == 0)
		return 0;
	if (wire != m->wire.wire && seek(m, wire) != 0)
		return -1;
	r = wire_read(&m->wire, p, want);
	/* Someone cut the file short while we read it. */
	if (r >= 0 && (size_t)r < want) {
		errno = EIO;
		return -1;
	}
	return r;
}
