/* SPDX-License-Identifier: ISC */
/* Flags of many messages: the uidlist has them before the answer, the file
 * names after it. */
#include "store/rename.h"

#include <dirent.h>
#include <fcntl.h>

#include "store/record.h"
#include "store.h"

enum { MANY = 40 };

static struct store *st;
static struct mailbox *mb;

static void
start(void)
{
	char name[100];

	t_remove("M");
	st = t_store();
	store_create(st, SPAN("There"));
	mb = t_inbox(st);
	mailbox_close(mb);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "M/%s/10%02d.a%s",
		    i == 0 ? "new" : "cur", i, i == 0 ? "" : ":2,");
		int fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (write(fd, "Subject: x\n\nx\n", 14) != 14)
			exit(1);
		close(fd);
	}
	mb = t_inbox(st);
}

static void
end(void)
{
	t_close(mb);
}

/* A new process and perhaps a new index. */
static void
again(bool lost)
{
	end();
	if (lost)
		t_remove("M/.lemon");
	st = t_store();
	mb = t_inbox(st);
}

/* The files of cur whose letters are these. */
static int
named(const char *dir, const char *letters)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL) {
		char *at = strstr(e->d_name, ":2,");

		n += at != NULL && strcmp(at + 3, letters) == 0;
	}
	closedir(d);
	return n;
}

static void
store(struct view *v, enum flag_op op, uint32_t flags, uint32_t lo,
    uint32_t hi)
{
	uint64_t n;

	ok(t_store_flags(v, lo, hi, op, flags, NULL, &n) == STORE_OK &&
	    n == hi - lo + 1, "flags are stored");
}

static bool
count_flags(void *arg, uint32_t seq, const struct msg *m, struct span d)
{
	uint32_t *n = arg;

	(void)seq, (void)d;
	for (int i = 0; i < 5; i++)
		n[i] += m->flags >> i & 1;
	return m->flags < 32;
}

/* How many have \Seen, \Answered, \Flagged, \Deleted. */
static void
has(uint32_t s, uint32_t a, uint32_t f, uint32_t d, const char *name)
{
	uint32_t n[5] = { 0 };
	struct view *v;

	if (!ok(view_open(mb, &v) == STORE_OK, "the mailbox opens"))
		return;
	view_each(v, NULL, 0, count_flags, n);
	if (!ok(n[0] == s && n[1] == a && n[2] == f && n[3] == d, name))
		printf("# S %u A %u F %u D %u\n", n[0], n[1], n[2], n[3]);
	view_close(v);
}

static bool
never(void *arg)
{
	++*(int *)arg;
	return false;
}

static uint32_t
late(void)
{
	struct meta m = { 0 };
	struct key k;
	struct txn t;

	if (txn_read(st, &t) != STORE_OK)
		return 1000;
	k = key_mailbox('M', mb->id);
	txn_get_fixed(&t, &k, &m, sizeof m);
	txn_abort(&t);
	return m.late;
}

static void
later(void)
{
	struct view *v;
	int asked = 0;

	start();
	view_open(mb, &v);
	store(v, FLAGS_ADD, MSG_FLAGGED, 1, MANY);
	ok(named("M/cur", "F") == 0 && late() == MANY,
	    "the files of many are not renamed before the answer");
	ok(view_is_behind(v), "but that is known to be due");
	view_close(v);
	again(false);
	has(0, 0, MANY, 0, "another session sees the flags");
	again(true);
	has(0, 0, MANY, 0, "the index lost, they are in the uidlist");
	view_open(mb, &v);
	ok(view_settle(v) == STORE_OK && view_is_behind(v),
	    "a new session finds it due");
	ok(view_tidy(v, never, &asked) == STORE_OK && asked > 0 &&
	    view_is_behind(v), "nothing is done while there is no time");
	ok(view_tidy(v, NULL, NULL) == STORE_OK && !view_is_behind(v) &&
	    named("M/cur", "F") == MANY && late() == 0,
	    "then they are renamed, the one in new/ too");
	view_close(v);
	again(true);
	has(0, 0, MANY, 0, "and the names tell it alone");
	ok(late() == 0, "with nothing left to do");
	ok(rename("M/cur/1001.a:2,F", "M/cur/1001.a:2,S") == 0,
	    "another program flags one");
	again(true);
	has(1, 0, MANY - 1, 0, "which now counts");
	end();
}

static void
few(void)
{
	struct view *v;

	start();
	view_open(mb, &v);
	store(v, FLAGS_ADD, MSG_FLAGGED, 2, 4);
	ok(named("M/cur", "F") == 3 && !view_is_behind(v),
	    "the files of a few are renamed at once");
	store(v, FLAGS_ADD, MSG_SEEN, 1, MANY);
	store(v, FLAGS_REMOVE, MSG_SEEN, 2, 2);
	ok(named("M/cur", "F") == 3, "but not of one that is late");
	view_close(v);
	again(true);
	has(MANY - 1, 0, 3, 0, "whose last change counts");
	view_open(mb, &v);
	view_tidy(v, NULL, NULL);
	ok(named("M/cur", "FS") == 2 && named("M/cur", "F") == 1,
	    "and gets into its name");
	view_close(v);
	again(true);
	has(MANY - 1, 0, 3, 0, "for good");
	end();
}

static void
strangers(void)
{
	struct view *v;

	start();
	view_open(mb, &v);
	store(v, FLAGS_ADD, MSG_FLAGGED, 1, MANY);
	rename("M/cur/1001.a:2,", "M/cur/1001.a:2,S");
	rename("M/cur/1002.a:2,", "M/cur/1002.a:2,F");
	rename("M/cur/1003.a:2,", "M/cur/1003.a:2,PRa");
	ok(view_rescan(v) == STORE_OK, "other programs rename meanwhile");
	has(1, 1, MANY, 0, "their flags count beside ours");
	ok(view_tidy(v, NULL, NULL) == STORE_OK && late() == 0 &&
	    named("M/cur", "FS") == 1 && named("M/cur", "FPRa") == 1 &&
	    named("M/cur", "F") == MANY - 2, "and the names get both");
	store(v, FLAGS_REMOVE, MSG_FLAGGED, 1, 4);
	store(v, FLAGS_ADD, MSG_SEEN | MSG_FLAGGED, 1, 4);
	store(v, FLAGS_REMOVE, MSG_FLAGGED, 6, MANY);
	rename("M/cur/1007.a:2,F", "M/cur/1007.a:2,FT");
	rename("M/cur/1008.a:2,F", "M/cur/1008.a:2,");
	view_close(v);
	again(true);
	has(4, 1, 5, 1, "also without the index");
	view_open(mb, &v);
	ok(view_tidy(v, NULL, NULL) == STORE_OK && late() == 0 &&
	    named("M/cur", "T") == 1, "and later");
	view_close(v);
	end();
}

static void
expunged(void)
{
	struct set half = { 0 };
	struct view *v, *w;
	struct copied done;
	struct mailbox *to;
	uint64_t modseq;

	start();
	view_open(mb, &v);
	store(v, FLAGS_ADD, MSG_ANSWERED, 1, MANY);
	store(v, FLAGS_ADD, MSG_DELETED, 3, MANY);
	mailbox_open(st, SPAN("There"), RIGHT_READ | RIGHT_WRITE, &to);
	set_add(&half, 1, 20);
	ok(view_copy(v, &half, to, false, &done) == STORE_OK &&
	    done.n == 20 && named("M/.There/cur", "RT") == 18 &&
	    named("M/.There/cur", "R") == 2,
	    "copies have the flags in their names at once");
	free(done.from);
	free(done.to);
	ok(view_expunge(v, NULL, &modseq) == STORE_OK && late() == 2,
	    "who is expunged needs no name");
	ok(view_tidy(v, NULL, NULL) == STORE_OK && late() == 0 &&
	    named("M/cur", "R") == 2 && named("M/cur", "") == 0,
	    "the others get theirs");
	ok(view_open(to, &w) == STORE_OK && !view_is_behind(w),
	    "nothing is due for the copies");
	view_close(w);
	view_close(v);
	mailbox_close(to);
	again(true);
	has(0, 2, 0, 0, "and so it stays");
	end();
	set_free(&half);
}

/* More than are moved in one transaction. */
static void
moved(void)
{
	enum { ALL = 1100 };
	struct mailbox_status s;
	struct copied done;
	struct mailbox *to;
	struct view *v;
	char name[100];
	bool rise = true;

	start();
	for (int i = MANY; i < ALL; i++) {
		snprintf(name, sizeof name, "M/cur/%d.b:2,S", 2000 + i);
		close(open(name, O_WRONLY | O_CREAT, 0600));
	}
	mailbox_open(st, SPAN("There"), RIGHT_READ | RIGHT_WRITE, &to);
	view_open(mb, &v);
	ok(view_copy(v, NULL, to, true, &done) == STORE_OK && done.n == ALL,
	    "a MOVE of many comes to its end");
	for (uint32_t i = 0; i < done.n; i++)
		rise = rise && done.from[i] == i + 1 && done.to[i] == i + 1;
	ok(rise, "and tells all numbers, which rise");
	free(done.from);
	free(done.to);
	ok(view_tidy(v, NULL, NULL) == STORE_OK &&
	    mailbox_status(mb, &s) == STORE_OK && s.messages == 0 &&
	    mailbox_status(to, &s) == STORE_OK && s.messages == ALL &&
	    s.unseen == MANY, "all are there and none here");
	view_close(v);
	mailbox_close(to);
	end();
}

static void
rewritten(void)
{
	struct view *v;

	start();
	view_open(mb, &v);
	store(v, FLAGS_ADD, MSG_FLAGGED | MSG_SEEN, 1, MANY);
	store(v, FLAGS_REMOVE, MSG_SEEN, 1, 2);
	unlink("M/lemon-uidlist");
	t_append(mb, "Subject: x\r\n\r\nx\r\n", 0, NULL);
	view_close(v);
	again(true);
	has(MANY - 2, 0, MANY, 0, "a uidlist written anew has them too");
	view_open(mb, &v);
	view_tidy(v, NULL, NULL);
	ok(named("M/cur", "FS") == MANY - 2 && named("M/cur", "F") == 2,
	    "and the names follow");
	view_close(v);
	end();
}

int
main(void)
{
	t_make_dir();
	later();
	few();
	strangers();
	expunged();
	rewritten();
	moved();
	t_remove_dir();
	return done();
}
