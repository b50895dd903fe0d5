/* SPDX-License-Identifier: ISC */
/* A sync that fails behind the commit: what was refused stays, and who refused
 * it sees that. */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "store.h"

static bool broken;	/* syncs of lemon-uidlist fail */

/* These stand before libc's. */
static int
sync_or_fail(int fd, long how)
{
	char link[64], path[512];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path);
	if (broken && n > 0 && span_ends((struct span){ path, (size_t)n },
	    SPAN("/lemon-uidlist"))) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(how, fd);
}

int
fdatasync(int fd)
{
	return sync_or_fail(fd, SYS_fdatasync);
}

int
fsync(int fd)
{
	return sync_or_fail(fd, SYS_fsync);
}

static void
changes_are(struct view *v, uint32_t changed, uint32_t vanished,
    const char *name)
{
	struct view_changes ch = { 0 };
	bool held;

	ok(view_sync(v, true, &ch, &held, NULL, NULL) == STORE_OK &&
	    set_count(&ch.changed) == (changed != 0) &&
	    (changed == 0 || set_has(&ch.changed, changed)) &&
	    set_count(&ch.vanished) == (vanished != 0) &&
	    (vanished == 0 || set_has(&ch.vanished, vanished)), name);
	view_changes_free(&ch);
}

static void
test_store(struct view *v)
{
	ok(t_change(v, 1, 1, FLAGS_ADD, 0, "known") == STORE_OK,
	    "a keyword is known");
	changes_are(v, 0, 0, "who gave it is not told again");
	broken = true;
	ok(t_change(v, 2, 2, FLAGS_ADD, 0, "known") != STORE_OK,
	    "a STORE is refused whose lines cannot be synced");
	broken = false;
	changes_are(v, 2, 0, "and who asked for it sees what it did");
	t_is_view(v, "1:1+known 2:2+known 3:3 4:4", "which stays");
	ok(t_change(v, 2, 2, FLAGS_ADD, 0, "known") == STORE_OK,
	    "asked for again it is done");
}

static void
test_expunge(struct view *v)
{
	uint64_t modseq;

	ok(t_change(v, 3, 3, FLAGS_ADD, MSG_DELETED, NULL) == STORE_OK,
	    "one is to go");
	broken = true;
	ok(view_expunge(v, NULL, &modseq) != STORE_OK,
	    "an EXPUNGE is refused whose lines cannot be synced");
	broken = false;
	changes_are(v, 0, 3, "and who asked for it sees what is gone");
}

/* Neither lost nor doubled. */
static void
test_move(struct store *st, struct view *v)
{
	struct mailbox *to;
	struct copied done;
	struct set uids = t_set(4, 4);

	store_create(st, SPAN("A"));
	mailbox_open(st, SPAN("A"), RIGHT_READ | RIGHT_WRITE, &to);
	t_is(to, "", "another folder is empty");
	t_append(to, "a: b\r\n\r\n", 0, NULL);	/* its numbers are reserved */
	broken = true;
	ok(view_copy(v, &uids, to, true, &done) != STORE_OK,
	    "a MOVE is refused whose lines cannot be synced");
	broken = false;
	changes_are(v, 0, 4, "and who asked for it sees that it left");
	view_tidy(v, NULL, NULL);
	t_is(to, "1:1 2:2", "it is in the other folder");
	t_is(view_mailbox(v), "1:1+known 2:2+known", "and only there");
	free(done.from);
	free(done.to);
	set_free(&uids);
	mailbox_close(to);
}

/* All or nothing: what came is taken away again. */
static void
test_copy(struct store *st, struct view *v)
{
	struct mailbox *to;
	struct copied done;
	struct set uids = { 0 };

	store_create(st, SPAN("B"));
	mailbox_open(st, SPAN("B"), RIGHT_READ | RIGHT_WRITE, &to);
	t_append(to, "a: b\r\n\r\n", 0, "known");
	set_add(&uids, 1, 2);
	broken = true;
	ok(view_copy(v, &uids, to, false, &done) != STORE_OK,
	    "a COPY is refused whose lines cannot be synced");
	broken = false;
	t_is(to, "1:1+known", "and nothing of it is there");
	t_is(view_mailbox(v), "1:1+known 2:2+known",
	    "what was to be copied is as it was");
	free(done.from);
	free(done.to);
	set_free(&uids);
	mailbox_close(to);
}

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct view *v;

	for (int i = 0; i < 4; i++)
		t_append(mb, "a: b\r\n\r\n", 0, NULL);
	ok(view_open(mb, &v) == STORE_OK, "a mailbox opens");
	test_store(v);
	test_expunge(v);
	test_move(st, v);
	test_copy(st, v);
	view_close(v);
	t_close(mb);
	t_remove_dir();
	return done();
}
