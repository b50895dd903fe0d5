/* SPDX-License-Identifier: ISC */
#include "store/intent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/line.h"
#include "store/list.h"
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

void
intent_next(struct intent *i, struct txn *t, const struct batch *b)
{
	struct key k = key_intent(i->token);
	struct stored s;

	if (!txn_get_fixed(t, &k, &s, sizeof s))
		return;
	s.batch = *b;
	txn_put(t, &k, (struct span){ (char *)&s, sizeof s });
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
 * the file with the locks, and not yet the intents.  -1: nobody can tell now. */
static int
is_alive(struct store *st, uint64_t token)
{
	struct flock l = octet(token);

	if (token == st->intent)
		return 1;
	int fd = openat(st->index_dir, "writers",
	    O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	int yes = fcntl(fd, F_OFD_GETLK, &l) == -1 ? -1 : l.l_type != F_UNLCK;
	close(fd);
	return yes;
}

/*
 * What a folder's list says beyond what this index committed.  The writer may
 * have died between that and its commit; or its batch was finished or undone
 * long ago, and the index is an old one that was put back.  What its change
 * never writes tells, and where nothing does it is kept: the files of a batch
 * of which all lines are there are all that there is.
 */
struct said {
	bool anew;		/* it is not the file that was committed */
	bool others;		/* lines that are not of the batch's change */
	size_t lines, gone;	/* messages of the batch; UIDs that went */
	uint64_t committed;	/* octets */
};

/* Whether the first UID of "WHAT UIDS" is below that. */
static bool
is_older(struct span line, uint32_t uidnext)
{
	struct span what = span_cut(&line, ' ');
	uint64_t uid = 0;

	(void)what;
	while (line.n > 0 && ascii_digit(line.p[0]) && uid < uidnext) {
		uid = uid * 10 + (uint64_t)(line.p[0] - '0');
		line = span_skip(line, 1);
	}
	return uid < uidnext;
}

static void
hear_line(struct said *h, struct span line, const struct batch *b,
    uint32_t uidnext)
{
	size_t at = span_find(line, SPAN(" :"));

	if (line.n == 0)
		return;
	if (ascii_digit(line.p[0]) && at < line.n) {
		bool ours = batch_has(b, span_skip(line, at + 2));

		h->lines += ours;
		h->others = h->others || !ours;
	} else if (line.p[0] == 'X')
		for (size_t i = 0; i < line.n; i++)
			h->gone += line.p[i] == '/';
	else if (line.p[0] == '=')
		h->others = true;
	else if (line.p[0] == '+' || line.p[0] == '-')
		h->others = h->others ||
		    is_older(span_skip(line, 2), uidnext);
}

/* A symbolic link or a device in its place is not followed. */
static int
open_in(struct store *st, const char *disk, const char *name, int flags)
{
	struct buf path = { 0 };

	buf_adds(&path, disk);
	buf_addc(&path, '/');
	buf_adds(&path, name);
	int fd = openat(st->dir, buf_cstr(&path),
	    flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	buf_free(&path);
	return fd;
}

/* The lines that the index does not know: what is beyond those of its last
 * commit, or a whole list that is another one.  -1 with errno. */
static int
read_news(int fd, const struct meta *m, struct said *h, struct buf *text)
{
	struct stat s;

	if (fstat(fd, &s) != 0)
		return -1;
	h->anew = s.st_ino != m->list_ino;
	if (!S_ISREG(s.st_mode) || (!h->anew && (uint64_t)s.st_size <= m->list_size))
		return 0;
	if (!h->anew && lseek(fd, (off_t)m->list_size, SEEK_SET) == -1)
		return -1;
	return file_read_fd(fd, LIST_MAX, text);
}

/* False if it cannot be read now. */
static bool
hear(struct txn *t, uint32_t mailbox, const char *disk,
    const struct batch *b, struct said *h)
{
	struct buf text = { 0 };
	struct meta m;

	*h = (struct said){ 0 };
	if (mailbox == 0 || !meta_get(t, mailbox, &m))
		return true;
	h->anew = true;
	h->committed = m.list_size;
	int fd = open_in(t->st, disk, UIDLIST_FILE, O_RDONLY);
	/* Who takes the list away has the files count. */
	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
	bool good = read_news(fd, &m, h, &text) == 0;
	struct span rest = buf_span(&text), line;
	for (size_t n; (n = span_chr(rest, '\n')) < rest.n &&
	    line_check(span_head(rest, n), &line); rest = span_skip(rest, n + 1))
		hear_line(h, line, b, h->anew ? 0 : m.uidnext);
	buf_free(&text);
	close(fd);
	return good;
}

/* Lines that were written for a commit that never came. */
static bool
cut(struct store *st, const char *disk, const struct said *h)
{
	struct stat s;

	if (h->anew || h->others || h->committed == 0)
		return true;
	int fd = open_in(st, disk, UIDLIST_FILE, O_WRONLY);
	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
	bool good = fstat(fd, &s) == 0 &&
	    ((uint64_t)s.st_size <= h->committed ||
	    (ftruncate(fd, (off_t)h->committed) == 0 && fdatasync(fd) == 0));
	close(fd);
	return good;
}

/* The folder's cur or new, to be read; NULL: *gone tells whether there is
 * none. */
static DIR *
open_sub(struct store *st, const char *disk, const char *sub, bool *gone)
{
	int fd = open_in(st, disk, sub, O_RDONLY | O_DIRECTORY);

	*gone = fd == -1 && (errno == ENOENT || errno == ENOTDIR);
	return file_dir(fd);
}

/* Count the batch's files, or remove them.  The names are long and random: no
 * other program's file is like them. */
static bool
each_file(struct store *st, const struct stored *s, bool remove, size_t *n)
{
	struct dirent *e;
	bool good;
	DIR *d = open_sub(st, s->disk, "cur", &good);

	*n = 0;
	if (d == NULL)
		return good;
	good = true;
	while ((errno = 0, e = readdir(d)) != NULL) {
		if (!batch_has(&s->batch, span_str(e->d_name)))
			continue;
		++*n;
		if (remove && unlinkat(dirfd(d), e->d_name, 0) != 0 &&
		    errno != ENOENT)
			good = false;
	}
	good = good && errno == 0 && (!remove || fsync(dirfd(d)) == 0);
	closedir(d);
	return good;
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Add the inodes of what is in a directory; of the batch's files alone, or of
 * all if there is none.  1, 0 if it cannot be read, -1 if only now. */
static int
inodes(struct store *st, const char *disk, const char *sub,
    const struct batch *b, struct buf *to)
{
	struct dirent *e;
	bool gone;
	DIR *d = open_sub(st, disk, sub, &gone);

	if (d == NULL)
		return errno == EMFILE || errno == ENFILE ||
		    errno == ENOMEM ? -1 : 0;
	while ((errno = 0, e = readdir(d)) != NULL) {
		uint64_t ino = e->d_ino;

		if (b == NULL || batch_has(b, span_str(e->d_name)))
			buf_add(to, (struct span){ (char *)&ino, sizeof ino });
	}
	int err = errno;
	closedir(d);
	return err == 0;
}

/* Whether each file of the batch is surely in the source too; -1: nobody can
 * look now. */
static int
have_sources(struct store *st, const struct stored *s)
{
	struct buf all = { 0 }, ours = { 0 };
	size_t one = sizeof(uint64_t);
	int yes = inodes(st, s->from_disk, "cur", NULL, &all);

	if (yes > 0)
		yes = inodes(st, s->from_disk, "new", NULL, &all);
	if (yes > 0)
		yes = inodes(st, s->disk, "cur", &s->batch, &ours);
	if (yes > 0 && all.n > 0)
		qsort(all.p, all.n / one, one, by_number);
	for (size_t i = 0; yes > 0 && i < ours.n; i += one)
		yes = all.n > 0 && bsearch(ours.p + i, all.p, all.n / one,
		    one, by_number) != NULL;
	buf_free(&all);
	buf_free(&ours);
	return yes;
}

/* Whether the files are to stay: the batch was finished, or nobody can tell;
 * -1: nobody can now. */
static int
is_done(struct store *st, const struct stored *s, const struct said *to,
    const struct said *from, size_t files)
{
	bool whole = to->lines >= files || (to->others && to->lines > 0);

	/* A list that was written anew for it says what left; where none says
	 * so, and all are where they were, nothing did. */
	if (from->anew) {
		int there = from->gone > 0 ? 0 : have_sources(st, s);

		return there < 0 ? -1 : !there;
	}
	return files > 0 && whole && (s->from == 0 || from->others ||
	    from->gone >= to->lines);
}

/* False if it cannot be done now. */
static bool
undo(struct txn *t, const struct stored *s)
{
	struct said to, from;
	size_t files;

	if (!hear(t, s->mailbox, s->disk, &s->batch, &to) ||
	    !hear(t, s->from, s->from_disk, &s->batch, &from) ||
	    !each_file(t->st, s, false, &files))
		return false;
	to.others = to.others || (s->from == 0 && to.gone > 0);
	/* Whoever opens the folders takes them in from their lists. */
	int done = is_done(t->st, s, &to, &from, files);
	if (done != 0)
		return done > 0;
	return cut(t->st, s->from_disk, &from) &&
	    cut(t->st, s->disk, &to) && each_file(t->st, s, true, &files);
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
		int alive = is_alive(t->st, key_get_u64(&w.key, 1));

		if (alive > 0)
			continue;
		if (alive == 0 && undo(t, &s))
			walk_delete(&w);
		else
			all = false;
	}
	walk_end(&w);
	return all;
}

/* The next of a walk over them. */
static bool
next(struct walk *w, struct stored *s)
{
	while (walk_next(w))
		if (w->val.mv_size == sizeof *s) {
			memcpy(s, w->val.mv_data, sizeof *s);
			return true;
		}
	return false;
}

/* Those of a mailbox get another number for it, and another directory. */
static void
change_all(struct txn *t, uint32_t mailbox, uint32_t now, const char *disk)
{
	struct key from = key_start('i');
	struct stored s;
	struct walk w;

	walk_start(&w, t, &from, 1);
	while (next(&w, &s)) {
		if (s.mailbox == mailbox) {
			s.mailbox = now;
			if (disk != NULL)
				set_disk(s.disk, disk);
		}
		if (s.from == mailbox) {
			s.from = now;
			if (disk != NULL)
				set_disk(s.from_disk, disk);
		}
		walk_replace(&w, &s, sizeof s);
	}
	walk_end(&w);
}

void
intent_moved(struct txn *t, uint32_t mailbox, const char *disk)
{
	change_all(t, mailbox, mailbox, disk);
}

void
intent_renumbered(struct txn *t, uint32_t mailbox, uint32_t now)
{
	change_all(t, mailbox, now, NULL);
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
intent_touches(struct txn *t, uint32_t mailbox)
{
	struct key from = key_start('i');
	struct stored s;
	struct walk w;
	bool yes = false;

	walk_start(&w, t, &from, 1);
	while (!yes && next(&w, &s))
		yes = mailbox != 0 && (s.mailbox == mailbox ||
		    s.from == mailbox);
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
	while (!yes && next(&w, &s))
		yes = s.mailbox == mailbox && batch_has(&s.batch, name);
	walk_end(&w);
	return yes;
}
