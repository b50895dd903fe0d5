/* SPDX-License-Identifier: ISC */
/* A directory that only we changed is not read again, one that others changed
 * too is. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "store.h"
#include "store/attach.h"
#include "store/witness.h"

enum { FILES = DIR_MANY + 1 };

static void
put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write(fd, "Subject: a\n\nb\n", 14) == -1)
		ok(false, path);
	close(fd);
}

static void
witness(struct mailbox *mb)
{
	struct stat s, now;

	put("M/cur/1.a:2,");
	ok(witness_begin(mb, CUR) &&
	    rename("M/cur/1.a:2,", "M/cur/1.a:2,S") == 0 &&
	    witness_end(mb, CUR, 2, &s), "who renames alone was alone");
	put("M/cur/2.b:2,");
	stat("M/cur", &now);
	ok(now.st_mtim.tv_sec != s.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != s.st_mtim.tv_nsec,
	    "what comes in the same moment changes the mtime");
	witness_begin(mb, CUR);
	rename("M/cur/1.a:2,S", "M/cur/1.a:2,");
	put("M/cur/3.c:2,");
	ok(!witness_end(mb, CUR, 2, &s), "beside another he was not");
	witness_begin(mb, CUR);
	put("M/cur/4.d:2,");
	ok(witness_begin(mb, CUR) && unlink("M/cur/4.d:2,") == 0 &&
	    witness_end(mb, CUR, 1, &s),
	    "a change that failed leaves nothing to the next");
	ok(witness_begin(mb, CUR) && !witness_end(mb, CUR, 0, &s),
	    "who did nothing has nothing to say");
	rename("M/cur/1.a:2,", "M/new/1.a");
	rename("M/cur/2.b:2,", "M/new/2.b");
	rename("M/cur/3.c:2,", "M/new/3.c");
}

/* As if cur/ had rested for a while. */
static void
rest(void)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = time(NULL) - 10 } };

	utimensat(AT_FDCWD, "M/cur", t, 0);
}

/* Whether cur/ is to be read once more. */
static bool
is_dirty(struct mailbox *mb)
{
	struct meta m = { 0 };
	struct txn t;
	struct stat s;

	if (mailbox_read(mb, &t, &m) == STORE_OK)
		txn_abort(&t);
	return stat("M/cur", &s) == -1 || !dir_is(&m.dir[CUR], &s) ||
	    m.dir[CUR].dirty;
}

static bool
set(struct view *v, uint32_t uid, uint32_t flags)
{
	return t_change(v, uid, uid, FLAGS_SET, flags, NULL) == STORE_OK;
}

static void
much(struct mailbox *mb)
{
	struct view *v = NULL;
	char path[64];

	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof path, "M/cur/%d.m:2,", 1000 + i);
		if (link("M/new/1.a", path) == -1)
			put(path);
	}
	rest();
	ok(view_open(mb, &v) == STORE_OK && view_exists(v) == FILES + 3 &&
	    !is_dirty(mb), "a big mailbox that rests was read");
	ok(view_settle(v) == STORE_OK && access("M/new/1.a", F_OK) == -1 &&
	    !is_dirty(mb), "taking in what is new leaves nothing to read");
	ok(set(v, 9, MSG_SEEN) && set(v, 9, MSG_SEEN | MSG_FLAGGED) &&
	    !is_dirty(mb), "nor do flags");
	ok(t_append(mb, "Subject: c\n\nd\n", 0, NULL) != 0 && !is_dirty(mb),
	    "nor does a message that is appended");
	put("M/cur/9999999.x:2,");
	ok(set(v, 9, MSG_SEEN) && is_dirty(mb),
	    "but what another program put beside does");
	rest();
	ok(view_rescan(v) == STORE_OK && !is_dirty(mb), "once");
	view_close(v);
	view_open(mb, &v);
	ok(view_exists(v) == FILES + 5, "and it is found");
	view_close(v);
}

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	if (witness_begin(mb, CUR)) {
		witness(mb);
		much(mb);
	} else
		ok(true, "# skip no inotify, or no file system of this machine");
	t_close(mb);
	t_remove_dir();
	return done();
}
