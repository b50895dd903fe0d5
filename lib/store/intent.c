/* SPDX-License-Identifier: ISC */
#include "store/intent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/uidlist.h"

struct stored {
	uint32_t mailbox, from;	/* from 0: none */
	struct batch batch;
	char disk[256], from_disk[256];	/* the folders' directories */
};

static struct key
key_intent(uint64_t token)
{
	struct key k = key_start('i');

	key_u64(&k, token);
	return k;
}

static struct flock
octet(uint64_t token)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = (off_t)token, .l_len = 1 };
}

static void
set_disk(char to[256], const char *disk)
{
	memset(to, 0, 256);
	memcpy(to, disk, strnlen(disk, 255));
}

/* A change, and the lock beside the index that it is of: elsewhere nobody
 * looks. */
static enum store_result
begin_locked(struct intent *i, struct mailbox *mb, struct change *c)
{
	struct flock l = octet(i->token);
	enum store_result r = change_begin(c, mb, 0, false);

	if (r != STORE_OK)
		return r;
	i->fd = openat(mb->st->index_dir, "writers",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (i->fd == -1 || fcntl(i->fd, F_OFD_SETLK, &l) == -1) {
		r = store_fail(mb->st, "lock writers", errno);
		change_abort(c);
		if (i->fd != -1)
			close(i->fd);
		i->fd = -1;
	}
	return r;
}

enum store_result
intent_begin(struct intent *i, struct mailbox *mb, struct mailbox *from,
    const struct batch *b)
{
	struct stored s = { .batch = *b };
	struct change c;

	random_fill(&i->token, sizeof i->token);
	i->token = (i->token >> 2) | 1;
	i->st = mb->st;
	i->st->intent = i->token;
	enum store_result r = STORE_NONEXISTENT;
	/* The index may have been deleted just now, and its directory with
	 * it. */
	for (int try = 0; try < 4 && r == STORE_NONEXISTENT; try++)
		r = begin_locked(i, mb, &c);
	if (r == STORE_OK) {
		struct key k = key_intent(i->token);

		s.mailbox = mb->id;
		set_disk(s.disk, mb->disk);
		if (from != NULL) {
			s.from = from->id;
			set_disk(s.from_disk, from->disk);
		}
		txn_put(c.t, &k, (struct span){ (char *)&s, sizeof s });
		r = change_commit(&c);
	}
	if (r != STORE_OK)
		intent_end(i);
	return r;
}

void
intent_done(struct intent *i, struct txn *t)
{
	struct key k = key_intent(i->token);

	if (i->token != 0)
		txn_del(t, &k);
}

bool
intent_lost(const struct intent *i, struct txn *t)
{
	struct key k = key_intent(i->token);
	struct span v;

	return i->token != 0 && !txn_get(t, &k, &v);
}

void
intent_end(struct intent *i)
{
	if (i->token != 0)
		i->st->intent = 0;
	if (i->token != 0 && i->fd != -1)
		close(i->fd);
	*i = (struct intent){ .fd = -1 };
}

/* We are, whatever became of our lock: who deletes the index may have removed
 * the file with the locks, and not yet the intents. */
static bool
is_alive(struct store *st, uint64_t token)
{
	struct flock l = octet(token);

	if (token == st->intent)
		return true;
	int fd = openat(st->index_dir, "writers",
	    O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return errno != ENOENT;
	bool yes = fcntl(fd, F_OFD_GETLK, &l) == -1 || l.l_type != F_UNLCK;
	close(fd);
	return yes;
}

enum cut { CUT, ANEW, LATER };

/* Lines that were written for a commit that never came; of a list that was
 * written anew for it, nobody can tell which they are. */
static enum cut
cut(struct txn *t, uint32_t mailbox, const char *disk)
{
	struct buf path = { 0 };
	enum cut how = LATER;
	struct stat s;
	struct meta m;

	if (mailbox == 0 || !meta_get(t, mailbox, &m))
		return CUT;
	buf_adds(&path, disk);
	buf_adds(&path, "/" UIDLIST_FILE);
	int fd = openat(t->st->dir, buf_cstr(&path),
	    O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int e = errno;
	buf_free(&path);
	if (fd == -1)
		return e == EMFILE || e == ENFILE || e == EIO || e == ENOMEM ?
		    LATER : CUT;
	if (fstat(fd, &s) == 0)
		how = s.st_ino != m.list_ino ? ANEW :
		    (uint64_t)s.st_size <= m.list_size ||
		    (ftruncate(fd, (off_t)m.list_size) == 0 &&
		    fdatasync(fd) == 0) ? CUT : LATER;
	close(fd);
	return how;
}

/* Remove the batch's files.  The names are long and random: no other
 * program's file is like them. */
static bool
undo(struct store *st, const struct stored *s)
{
	struct buf path = { 0 };
	struct dirent *e;

	buf_adds(&path, s->disk);
	buf_adds(&path, "/cur");
	int fd = openat(st->dir, buf_cstr(&path), O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	buf_free(&path);
	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR;
	DIR *d = fdopendir(fd);
	if (d == NULL) {
		close(fd);
		return false;
	}
	bool good = true;
	while ((errno = 0, e = readdir(d)) != NULL)
		if (batch_has(&s->batch, span_str(e->d_name)) &&
		    unlinkat(dirfd(d), e->d_name, 0) != 0 && errno != ENOENT)
			good = false;
	good = good && errno == 0 && fsync(dirfd(d)) == 0;
	closedir(d);
	return good;
}

bool
intent_undo_dead(struct txn *t)
{
	struct key from = key_start('i');
	struct stored s;
	struct walk w;
	bool all = true;

	walk_start(&w, t, &from, 1);
	while (walk_next(&w)) {
		if (w.val.mv_size != sizeof s) {
			walk_delete(&w);
			continue;
		}
		memcpy(&s, w.val.mv_data, sizeof s);
		s.disk[sizeof s.disk - 1] = '\0';
		s.from_disk[sizeof s.from_disk - 1] = '\0';
		s.batch.host[sizeof s.batch.host - 1] = '\0';
		if (is_alive(t->st, key_get_u64(&w.key, 1)))
			continue;
		enum cut how = cut(t, s.from, s.from_disk);
		if (how == LATER) {
			all = false;
			continue;
		}
		/* Where the source's list may say that they are gone, the
		 * copies are all that there is. */
		if (how == CUT) {
			cut(t, s.mailbox, s.disk);
			if (!undo(t->st, &s)) {
				all = false;
				continue;
			}
		}
		walk_delete(&w);
	}
	walk_end(&w);
	return all;
}

void
intent_moved(struct txn *t, uint32_t mailbox, const char *disk)
{
	struct key from = key_start('i');
	struct stored s;
	struct walk w;

	walk_start(&w, t, &from, 1);
	while (walk_next(&w)) {
		if (w.val.mv_size != sizeof s)
			continue;
		memcpy(&s, w.val.mv_data, sizeof s);
		if (s.mailbox == mailbox)
			set_disk(s.disk, disk);
		if (s.from == mailbox)
			set_disk(s.from_disk, disk);
		walk_replace(&w, &s, sizeof s);
	}
	walk_end(&w);
}

bool
intent_any(struct txn *t)
{
	struct key from = key_start('i');
	struct walk w;

	walk_start(&w, t, &from, 1);
	bool yes = walk_next(&w);
	walk_end(&w);
	return yes;
}

bool
intent_covers(struct txn *t, uint32_t mailbox, struct span name)
{
	struct key from = key_start('i');
	struct stored s;
	struct walk w;
	bool yes = false;

	walk_start(&w, t, &from, 1);
	while (!yes && walk_next(&w))
		if (w.val.mv_size == sizeof s) {
			memcpy(&s, w.val.mv_data, sizeof s);
			yes = s.mailbox == mailbox &&
			    batch_has(&s.batch, name);
		}
	walk_end(&w);
	return yes;
}
