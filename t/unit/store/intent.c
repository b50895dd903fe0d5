/* SPDX-License-Identifier: ISC */
/* Batches that come whole or not at all, and writers that die. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "store.h"
#include "base/file.h"
#include "store/filename.h"
#include "store/intent.h"
#include "store/list.h"
#include "store/place.h"
#include "store/uidlist.h"

static size_t listed;	/* octets that were read of some lemon-uidlist */

/* This stands before libc's. */
ssize_t
read(int fd, void *p, size_t n)
{
	char link[64], path[512];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t k = readlink(link, path, sizeof path);
	ssize_t got = syscall(SYS_read, fd, p, n);
	if (got > 0 && k > 0 && span_ends((struct span){ path, (size_t)k },
	    SPAN("/" UIDLIST_FILE)))
		listed += (size_t)got;
	return got;
}

/* Whose opening fails, or NULL: the last of a path.  This stands before
 * libc's. */
static const char *refused;

int
openat64(int dir, const char *path, int flags, ...)
{
	va_list v;

	va_start(v, flags);
	mode_t mode = flags & O_CREAT ? va_arg(v, mode_t) : 0;
	va_end(v);
	if (refused != NULL && span_ends(span_str(path), span_str(refused))) {
		errno = EMFILE;
		return -1;
	}
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

/* A file of the batch in cur/ of a folder. */
static struct buf
batch_file(struct batch *b, const char *cur)
{
	struct buf name = { 0 }, path = { 0 };

	batch_name(b, 0, 0, &name);
	buf_adds(&name, ":2,");
	buf_addf(&path, "%s/%s", cur, buf_cstr(&name));
	buf_free(&name);
	int fd = open(buf_cstr(&path), O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1 || write(fd, "a: b\n\n", 6) != 6)
		printf("# cannot make %s\n", buf_cstr(&path));
	close(fd);
	return path;
}

static bool
there(const struct buf *path)
{
	return access(path->p, F_OK) == 0;
}

static void
touch_index(struct mailbox *mb)
{
	struct change c;

	if (change_begin(&c, mb, 0, true) != STORE_OK ||
	    change_commit(&c) != STORE_OK)
		printf("# %s\n", store_why(mb->st));
}

static void
life(void)
{
	struct store *st = t_store(), *other = t_store();
	struct mailbox *mb = t_inbox(st), *peer = t_inbox(other);
	struct intent i = { .fd = -1 };
	struct batch b;
	struct change c;

	batch_start(&b);
	ok(intent_begin(&i, mb, NULL, &b) == STORE_OK, "an intent");
	struct buf one = batch_file(&b, "M/cur");
	struct buf two = batch_file(&b, "M/cur");
	touch_index(peer);
	ok(there(&one) && there(&two), "a living writer's files stay");
	t_is(peer, "", "and nobody takes them for messages");
	change_begin(&c, mb, 0, false);
	ok(intent_covers(c.t, mb->id, span_skip(buf_span(&one), 6)) &&
	    !intent_covers(c.t, mb->id + 1, span_skip(buf_span(&one), 6)) &&
	    !intent_covers(c.t, mb->id, SPAN("1.x:2,")),
	    "it covers its files in its folder only");
	change_abort(&c);
	unlink("M/.lemon/writers");	/* as a rm -r of the index begins */
	touch_index(mb);
	ok(there(&one) && there(&two), "nobody takes himself for dead");
	intent_end(&i);
	touch_index(peer);
	ok(!there(&one) && !there(&two), "what was given up is removed");
	buf_free(&one);
	buf_free(&two);

	batch_start(&b);
	ok(intent_begin(&i, mb, NULL, &b) == STORE_OK, "another");
	one = batch_file(&b, "M/cur");
	change_begin(&c, mb, 0, false);
	intent_done(&i, c.t);
	ok(change_commit(&c) == STORE_OK, "which comes to its end");
	intent_end(&i);
	touch_index(peer);
	ok(there(&one), "leaves its files");
	t_is(peer, "1:1", "as messages");
	buf_free(&one);
	t_close(peer);
	t_close(mb);
	t_remove("M");
}

/* The writer dies, and the folder is renamed before anyone undoes it. */
static void
renamed(void)
{
	struct store *st = t_store();
	struct mailbox *mb;
	struct batch b;

	store_create(st, SPAN("A"));
	store_close(st);
	batch_start(&b);
	pid_t pid = fork();
	if (pid == 0) {
		struct intent i = { .fd = -1 };

		st = t_store();
		if (mailbox_open(st, SPAN("A"), RIGHT_WRITE, &mb) !=
		    STORE_OK || intent_begin(&i, mb, NULL, &b) != STORE_OK)
			_exit(1);
		batch_file(&b, "M/.A/cur");
		_exit(0);
	}
	int s;
	waitpid(pid, &s, 0);
	st = t_store();
	ok(s == 0 && store_rename(st, SPAN("A"), SPAN("B")) == STORE_OK,
	    "a writer dies and its folder is renamed");
	ok(mailbox_open(st, SPAN("B"), RIGHT_READ | RIGHT_WRITE, &mb) ==
	    STORE_OK, "the folder opens");
	touch_index(mb);
	t_is(mb, "", "nothing of the batch is in it");
	t_close(mb);
	t_remove("M");
}

/* --- an old copy of the index, put back while it holds an intent --- */

#define INDEX "M/.lemon/index/data.mdb"

static void
copy(const char *from, const char *to)
{
	struct buf b = { 0 };

	/* In place, as cp(1) does it: the inode stays. */
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (file_read(AT_FDCWD, from, 1 << 30, &b) == -1 || fd == -1 ||
	    file_write(fd, buf_span(&b)) == -1)
		printf("# cannot copy %s\n", from);
	close(fd);
	buf_free(&b);
}

/* The lines and records of a batch's file, as APPEND makes them; the first of
 * two has a keyword. */
static void
record(struct change *c, const struct buf *file, bool keyword)
{
	struct span name = span_skip(buf_span(file),
	    span_rchr(buf_span(file), '/') + 1);
	struct rec r = { .wire = 8 };
	struct span k = SPAN("work");
	struct stat s;

	stat(file->p, &s);
	r.inode = s.st_ino;
	uint32_t uid = change_uid(c, 0);
	if (keyword)
		place_keywords(c, uid, &k, 1, &r.set);
	uidlist_message(&c->lines, uid, filename_base(name));
	r.object = object_new(c->t, SPAN(""));
	change_add(c, uid, &r, CUR, name);
}

/* A batch of two that comes to a mailbox with one message. */
struct coming {
	struct mailbox *mb;
	struct intent i;
	struct buf one, two;	/* its files */
};

static void
come(struct coming *w, const char *keyword)
{
	struct batch b;

	*w = (struct coming){ .mb = t_inbox(t_store()), .i = { .fd = -1 } };
	t_append(w->mb, "a: b\r\n\r\n", 0, keyword);
	batch_start(&b);
	intent_begin(&w->i, w->mb, NULL, &b);
	w->one = batch_file(&b, "M/cur");
	w->two = batch_file(&b, "M/cur");
}

/* The index of before is back. */
static void
put_back(struct coming *w)
{
	t_close(w->mb);
	copy("old", INDEX);
	w->mb = t_inbox(t_store());
}

static void
forget(struct coming *w)
{
	t_close(w->mb);
	buf_free(&w->one);
	buf_free(&w->two);
	t_remove("M");
}

/* A batch that is complete, and the index of before its end. */
static void
finished(void)
{
	struct coming w;
	struct change c;

	come(&w, "other");
	copy(INDEX, "old");
	change_begin(&c, w.mb, 0, false);
	record(&c, &w.one, true);
	record(&c, &w.two, false);
	intent_done(&w.i, c.t);
	ok(change_commit(&c) == STORE_OK, "a batch comes to its end");
	intent_end(&w.i);
	t_is(w.mb, "1:1+other 2:2+work 3:3", "and is there");
	put_back(&w);
	t_is(w.mb, "1:1+other 2:2+work 3:3",
	    "an index of before its end takes nothing of it away");
	ok(there(&w.one) && there(&w.two), "its files neither");
	forget(&w);
}

/* The same after the batch was undone, and others went on. */
static void
undone(void)
{
	struct coming w;

	come(&w, "other");
	copy(INDEX, "old");
	intent_end(&w.i);
	t_append(w.mb, "c: d\r\n\r\n", MSG_SEEN, "work");
	ok(!there(&w.one) && !there(&w.two), "a batch is undone");
	t_is(w.mb, "1:1+other 2:2S+work", "and others come");
	put_back(&w);
	t_is(w.mb, "1:1+other 2:2S+work",
	    "an index of before that takes nothing of them away");
	forget(&w);
}

/* A writer that dies after all its lines, or in the middle of them. */
static void
died(bool whole)
{
	struct coming w;
	struct change c;

	come(&w, "a-keyword-of-some-length");
	change_begin(&c, w.mb, 0, false);
	record(&c, &w.one, true);
	if (whole)
		record(&c, &w.two, false);
	ok(list_append(&c) == STORE_OK, "a writer writes its lines and dies");
	change_abort(&c);
	intent_end(&w.i);
	listed = 0;
	touch_index(w.mb);
	ok(whole || (listed > 0 && listed < 200),
	    "only what it wrote is read to undo it");
	t_is(w.mb, whole ? "1:1+a-keyword-of-some-length 2:2+work 3:3" :
	    "1:1+a-keyword-of-some-length", whole ?
	    "of whom all lines are there the batch is whole" :
	    "of whom some are there the batch never was");
	ok(there(&w.one) == whole && there(&w.two) == whole,
	    "as are its files");
	forget(&w);
}

/* MOVE of the only message of INBOX to A dies after all its lines: *from has
 * INBOX open. */
static struct mailbox *
move_died(void)
{
	struct store *st = t_store();
	struct mailbox *from = t_inbox(st), *to;
	struct intent i = { .fd = -1 };
	struct uidlist_gone gone = { .uid = 1 };
	struct change c, other;
	struct batch b;
	struct span name;
	struct rec r;
	int dir;

	t_append(from, "a: b\r\n\r\n", 0, NULL);
	store_create(st, SPAN("A"));
	mailbox_open(st, SPAN("A"), RIGHT_READ | RIGHT_WRITE, &to);
	touch_index(to);
	batch_start(&b);
	intent_begin(&i, to, from, &b);
	change_begin(&c, to, 0, false);
	struct buf path = { 0 }, file = { 0 };
	if (!rec_get(c.t, from->id, 1, &r) ||
	    !rec_name(c.t, from->id, 1, &dir, &name))
		printf("# it is not there\n");
	buf_addf(&path, "M/%s/%.*s", dir == CUR ? "cur" : "new",
	    (int)name.n, name.p);
	gone.inode = r.inode;
	file = batch_file(&b, "M/.A/cur");
	unlink(file.p);
	if (link(buf_cstr(&path), file.p) == -1 ||
	    change_join(&other, &c, from) != STORE_OK)
		printf("# cannot begin a MOVE\n");
	record(&c, &file, false);
	uidlist_forget(&other.lines, &gone, 1);
	ok(list_append(&c) == STORE_OK && list_append(&other) == STORE_OK,
	    "a MOVE writes its lines and dies");
	change_abort(&other);
	change_abort(&c);
	intent_end(&i);
	mailbox_close(to);
	buf_free(&path);
	buf_free(&file);
	return from;
}

/* Where the message of it is: for good, and once. */
static void
move_ends(struct mailbox *from, const char *name)
{
	struct mailbox *to;

	touch_index(from);
	t_is(from, "", name);
	if (mailbox_open(from->st, SPAN("A"), RIGHT_READ | RIGHT_WRITE,
	    &to) == STORE_OK) {
		t_is(to, "1:1", "and in the other");
		mailbox_close(to);
	}
	t_close(from);
	t_remove("M");
}

/* The next one cannot open something: the message is not to be in neither
 * folder then, nor in both. */
static void
hindered(const char *what)
{
	struct mailbox *from = move_died();
	struct change c;

	refused = what;
	enum store_result r = change_begin(&c, from, 0, true);
	ok(r != STORE_OK, "who cannot look at all of it changes nothing");
	if (r == STORE_OK)
		change_commit(&c);
	refused = NULL;
	move_ends(from, "it is in no folder but one");
}

/* Another folder's change settled it, and the next one's is of this folder,
 * too. */
static void
joined(void)
{
	struct mailbox *from = move_died(), *third;
	struct change c, other;

	store_create(from->st, SPAN("B"));
	mailbox_open(from->st, SPAN("B"), RIGHT_READ | RIGHT_WRITE, &third);
	touch_index(third);
	change_begin(&c, third, 0, true);
	enum store_result r = change_join(&other, &c, from);
	ok(r == STORE_CHANGED, "who joins its folder has to take it in first");
	if (r == STORE_OK)
		uidlist_uidnext(&other.lines, 5000);
	change_commit2(&c, r == STORE_OK ? &other : NULL);
	mailbox_close(third);
	move_ends(from, "and then it is there no more");
}

/* Another dies between its lines and its commit, so the folder is taken in
 * anew while the batch is still coming. */
static void
renumbered(void)
{
	struct store *st = t_store(), *other = t_store();
	struct mailbox *mb = t_inbox(st), *peer = t_inbox(other);
	struct intent i = { .fd = -1 };
	struct batch b;
	struct change c;

	batch_start(&b);
	intent_begin(&i, mb, NULL, &b);
	struct buf one = batch_file(&b, "M/cur");
	t_append(peer, "a: b\r\n\r\n", 0, NULL);
	change_begin(&c, peer, 0, false);
	uidlist_uidnext(&c.lines, 5000);
	ok(list_append(&c) == STORE_OK, "another writes its lines and dies");
	change_abort(&c);
	t_is(peer, "1:1", "nobody takes the batch in before its end");
	change_begin(&c, mb, 0, false);
	ok(!intent_lost(&i, c.t), "it is not lost");
	record(&c, &one, true);
	intent_done(&i, c.t);
	ok(change_commit(&c) == STORE_OK, "and comes to its end");
	intent_end(&i);
	t_is(peer, "1:1 2:5000+work", "as one message");
	t_close(peer);
	t_close(mb);
	buf_free(&one);
	t_remove("M");
}

int
main(void)
{
	t_make_dir();
	life();
	renamed();
	renumbered();
	finished();
	undone();
	died(true);
	died(false);
	hindered("writers");
	hindered(".A/" UIDLIST_FILE);
	hindered("./" UIDLIST_FILE);
	hindered(".A/cur");
	hindered(UIDLIST_FILE);
	joined();
	t_remove_dir();
	return done();
}
