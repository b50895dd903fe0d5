/* SPDX-License-Identifier: ISC */
/* Several at one mailbox, the index deleted under them, a full disk. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store.h"

static const char text[] = "Subject: one\r\n\r\nHello\r\n";

enum { EACH = 40 };

static int
appender(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	for (int i = 0; i < EACH; i++)
		if (t_append(mb, text, 0, NULL) == 0)
			return 1;
	return 0;
}

static int
deliverer(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	for (int i = 0; i < EACH; i++) {
		struct draft *d = t_draft(mb, text, 0, NULL);

		if (mailbox_place(mb, &d, 1, true, NULL, NULL) != STORE_OK ||
		    (i % 3 == 0 && mailbox_settle(mb) != STORE_OK))
			return 1;
		draft_free(d);
	}
	return mailbox_settle(mb) != STORE_OK;
}

static int
flagger(void)
{
	struct store *st = t_store();
	struct view *v;

	if (view_open(t_inbox(st), &v) != STORE_OK)
		return 1;
	for (int i = 0; i < EACH; i++)
		if (t_change(v, 1, 20, i % 2 ? FLAGS_REMOVE : FLAGS_ADD,
		    MSG_FLAGGED, NULL) != STORE_OK)
			return 1;
	return 0;
}

/* Another program: it delivers, and renames without asking. */
static int
stranger(void)
{
	char from[300], to[300];

	for (int i = 0; i < EACH; i++) {
		snprintf(from, sizeof from, "M/tmp/%d.x", i);
		snprintf(to, sizeof to, "M/new/2000%d.stranger", i);
		int fd = open(from, O_WRONLY | O_CREAT, 0600);
		if (fd == -1 || write(fd, "Subject: s\n\ns\n", 14) != 14 ||
		    close(fd) == -1 || rename(from, to) == -1)
			return 1;
		for (int k = 0; k < 20; k++) {
			snprintf(from, sizeof from, "M/cur/1.storm%d:2,%s", k,
			    i % 2 ? "S" : "");
			snprintf(to, sizeof to, "M/cur/1.storm%d:2,%s", k,
			    i % 2 ? "" : "S");
			rename(from, to);
			snprintf(from, sizeof from, "M/cur/1.storm%d:2,F%s",
			    k, i % 2 ? "S" : "");
			snprintf(to, sizeof to, "M/cur/1.storm%d:2,F%s", k,
			    i % 2 ? "" : "S");
			rename(from, to);
		}
	}
	return 0;
}

static pid_t
start(int (*act)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(act());
	return pid;
}

static void
vanished(void *arg, uint32_t seq, uint32_t uid)
{
	(void)seq;
	printf("# UID %u vanished\n", uid);
	++*(int *)arg;
}

static bool
unseen_before(void *arg, uint32_t seq, const struct msg *m, struct span d)
{
	uint32_t *last = arg;

	(void)seq, (void)d;
	if (m->uid <= *last || m->object == 0)
		return false;
	*last = m->uid;
	return true;
}

/* Nobody expunges, so whatever vanishes is a phantom. */
static void
together(void)
{
	int (*const act[])(void) = { appender, appender, deliverer, flagger,
		stranger };
	struct store *st = t_store();
	char path[300];

	for (int k = 0; k < 20; k++) {
		snprintf(path, sizeof path, "M/cur/1.storm%d:2,", k);
		close(open(path, O_WRONLY | O_CREAT, 0600));
	}
	struct mailbox *mb = t_inbox(st);
	struct mailbox_status s;
	struct view_changes ch = { 0 };
	struct view *v;
	pid_t pid[COUNT(act)];
	size_t left = COUNT(act);
	int gone = 0, bad = 0, code;
	unsigned looks = 0;
	bool held;

	view_open(mb, &v);
	store_close(NULL);
	for (size_t i = 0; i < COUNT(act); i++)
		pid[i] = start(act[i]);
	while (left > 0) {
		bad += view_rescan(v) != STORE_OK;
		bad += view_sync(v, true, &ch, &held, vanished, &gone) !=
		    STORE_OK;
		looks++;
		for (size_t i = 0; i < COUNT(act); i++)
			if (pid[i] != 0 && waitpid(pid[i], &code,
			    WNOHANG) == pid[i]) {
				bad += code != 0;
				pid[i] = 0;
				left--;
			}
	}
	printf("# %u looks\n", looks);
	ok(bad == 0, "writers, a reader and a stranger all come to their end");
	bad += mailbox_status(mb, &s) != STORE_OK;
	ok(s.messages == 20 + 4 * EACH, "every message is there, once");
	printf("# %u messages\n", s.messages);
	view_sync(v, true, &ch, &held, vanished, &gone);
	ok(gone == 0, "and none was thought expunged");
	view_changes_free(&ch);
	view_close(v);
	uint32_t last = 0;
	view_open(mb, &v);
	view_each(v, NULL, 0, unseen_before, &last);
	ok(last == view_uid(v, view_exists(v)), "UIDs rise");
	view_close(v);
	t_close(mb);
}

static void
deleted(void)
{
	struct store *st = t_store(), *other;
	struct mailbox *mb = t_inbox(st), *mb2;
	struct view_changes ch = { 0 };
	struct view *v;
	bool held;

	t_append(mb, text, MSG_SEEN, NULL);
	t_append(mb, text, 0, "$Work");
	view_open(mb, &v);
	t_remove("M/.lemon/index");
	t_is_view(v, "1:1S 2:2+$Work",
	    "the index deleted, a session goes on");
	t_remove("M/.lemon");
	uint32_t uid = t_append(mb, text, 0, NULL);
	ok(uid > 2, "also with the directory it was in");
	ok(view_sync(v, true, &ch, &held, NULL, NULL) == STORE_OK &&
	    ch.vanished.n == 0 && view_exists(v) == 3 &&
	    view_uid(v, 3) == uid, "its view stays");
	pid_t pid = fork();
	if (pid == 0) {
		other = t_store();
		mb2 = t_inbox(other);
		t_remove("M/.lemon/index/data.mdb");
		_exit(t_append(mb2, text, 0, NULL) != uid + 1 &&
		    t_append(mb2, text, 0, NULL) == 0);
	}
	int code;
	waitpid(pid, &code, 0);
	ok(code == 0, "another goes on, the data alone deleted");
	int fd = open("M/.lemon/index/data.mdb", O_WRONLY | O_TRUNC);
	close(fd);
	ok(view_sync(v, true, &ch, &held, NULL, NULL) == STORE_OK &&
	    view_exists(v) >= 4 && view_uid(v, 1) == 1,
	    "and the first, the data cut short");
	view_changes_free(&ch);
	view_close(v);
	t_close(mb);
}

static bool
tell(void *arg, uint32_t seq, const struct msg *m, struct span d)
{
	(void)seq, (void)d;
	view_told(arg, m);
	return true;
}

/* Made anew, the index gives each message a new MODSEQ. */
static void
told(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct view_changes ch = { 0 };
	struct view *v;
	bool held;

	t_append(mb, text, MSG_SEEN, NULL);
	t_append(mb, text, 0, "$Work");
	t_append(mb, text, MSG_FLAGGED, NULL);
	view_open(mb, &v);
	view_each(v, NULL, 0, tell, v);
	for (int i = 0; i < 3; i++) {
		t_remove("M/.lemon");
		ok(view_sync(v, true, &ch, &held, NULL, NULL) == STORE_OK &&
		    ch.changed.n == 0 && ch.vanished.n == 0 && !ch.exists &&
		    !ch.keywords, "an index made anew is nothing to tell");
	}
	ok(system("rm -r M/.lemon; cd M/cur && f=$(ls *:2,F) && "
	    "mv $f ${f%F}RF") == 0 && view_sync(v, true, &ch, &held, NULL,
	    NULL) == STORE_OK && ch.changed.n == 1 && set_has(&ch.changed, 3),
	    "but what changed meanwhile is told");
	view_changes_free(&ch);
	view_close(v);
	t_close(mb);
}

static void
fill_up(const char *path)
{
	static char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	size_t n = sizeof block;

	while (n > 0) {
		if (write(fd, block, n) <= 0)
			n /= 2;
	}
	close(fd);
}

static enum store_result
try_append(struct mailbox *mb)
{
	struct draft_info info = { .internaldate = INT64_MIN };
	struct draft *d = NULL;
	uint64_t wire;
	uint32_t uid, v;
	static char big[20000];
	enum store_result r;

	memset(big, 'x', sizeof big);
	if ((r = draft_open(mb, &info, &d)) != STORE_OK)
		return r;
	draft_write(d, SPAN("Subject: x\r\n\r\n"));
	draft_write(d, (struct span){ big, sizeof big });
	if ((r = draft_finish(d, &wire)) == STORE_OK)
		r = mailbox_place(mb, &d, 1, false, &uid, &v);
	draft_free(d);
	return r;
}

static void
full(void)
{
	struct mailbox_status s, s2;
	struct view *v;
	uint64_t modseq, done;
	uint32_t n = 0;

	if (geteuid() != 0) {
		ok(true, "a full disk # skip needs root");
		return;
	}
	mkdir("disk", 0700);
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", "disk", "tmpfs", 0, "size=6m") == -1 ||
	    chdir("disk") == -1) {
		ok(false, "a small disk can be mounted");
		return;
	}
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	enum store_result r;
	while ((r = try_append(mb)) == STORE_OK && n < 10000)
		n++;
	ok(r == STORE_FULL && n > 10, "on a full disk APPEND says so");
	fill_up("rest");
	r = try_append(mb);
	ok(r == STORE_FULL, "again without one octet left");
	ok(mailbox_status(mb, &s) == STORE_OK && s.messages == n,
	    "and the mailbox is as before");
	t_close(mb);
	st = t_store();
	mb = t_inbox(st);
	ok(view_open(mb, &v) == STORE_OK && view_exists(v) == n,
	    "one can log in");
	r = t_store_flags(v, 1, 5, FLAGS_ADD, MSG_DELETED, NULL, &done);
	ok(r == STORE_OK && done == 5, "\\Deleted can be set");
	r = view_expunge(v, NULL, &modseq);
	if (r != STORE_OK)
		printf("# %d %s\n", r, store_why(st));
	ok(r == STORE_OK && view_tidy(v, NULL, NULL) == STORE_OK, "EXPUNGE works");
	ok(try_append(mb) == STORE_OK, "and makes room");
	ok(mailbox_status(mb, &s2) == STORE_OK &&
	    s2.messages == n - 5 + 1, "for one more");
	view_close(v);
	t_close(mb);
	if (chdir("..") == 0)
		umount("disk");
}

static bool
has_uids(struct mailbox *mb, uint32_t first, uint32_t last)
{
	struct view *v;

	if (view_open(mb, &v) != STORE_OK)
		return false;
	bool yes = view_exists(v) == last - first + 1 &&
	    view_uid(v, 1) == first &&
	    view_uid(v, view_exists(v)) == last;

	view_close(v);
	return yes;
}

/* The power went: the list has its size, but not its last octets. */
static void
blank_tail(void)
{
	int fd = open("M/lemon-uidlist", O_RDWR);
	char last[20] = { 0 };
	off_t end = lseek(fd, 0, SEEK_END);

	if (pwrite(fd, last, sizeof last, end - (off_t)sizeof last) == -1)
		exit(1);
	close(fd);
}

static void
cut_off(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	uint32_t uid = t_append(mb, text, MSG_SEEN, "$Work");

	t_append(mb, text, 0, NULL);
	t_close(mb);
	blank_tail();
	st = t_store();
	mb = t_inbox(st);
	uint32_t last = t_append(mb, text, 0, NULL);
	t_close(mb);
	t_remove("M/.lemon");
	st = t_store();
	mb = t_inbox(st);
	ok(has_uids(mb, uid, last) && last == uid + 2,
	    "what the power took of the uidlist the index gives back");
	t_close(mb);
	blank_tail();
	st = t_store();
	mb = t_inbox(st);
	bool seen = has_uids(mb, uid, last);
	t_close(mb);
	t_remove("M/.lemon");
	st = t_store();
	mb = t_inbox(st);
	ok(seen && has_uids(mb, uid, last), "even if it was only looked at");
	t_close(mb);
}

int
main(void)
{
	t_make_dir();
	cut_off();
	t_remove("M");
	together();
	t_remove("M");
	deleted();
	t_remove("M");
	told();
	t_remove("M");
	full();
	t_remove_dir();
	return done();
}
