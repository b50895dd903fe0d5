/* SPDX-License-Identifier: ISC */
/* lib/store/build.c: the first look at a folder full of files. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store.h"

enum { MANY = 4500 };

static void
put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write(fd, "A: b\n\nc\n", 8) != 8)
		ok(false, path);
	close(fd);
}

/* Files in three portions; their times fall as their names rise. */
static void
fill(void)
{
	char path[64];

	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof path, i % 10 == 0 ? "M/new/%d.x%d" :
		    "M/cur/%d.x%d:2,S", 1000000 + MANY - i, i);
		put(path);
	}
}

struct seen {
	uint32_t n, flagged;
	int64_t before;
	bool right;
};

static bool
one(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	struct seen *s = arg;

	(void)digest;
	s->right = s->right && seq == ++s->n && m->savedate > s->before &&
	    m->inode != 0 && (m->dir == NEW) == !(m->flags & MSG_SEEN);
	s->before = m->savedate;
	s->flagged += (m->flags & MSG_FLAGGED) != 0;
	return true;
}

/* All are there once, in the order of their times. */
static uint32_t
look(struct mailbox *mb, uint32_t n, const char *name)
{
	struct seen s = { .right = true };
	struct view *v;
	uint32_t last = 0;

	if (view_open(mb, &v) == STORE_OK) {
		view_each(v, NULL, NEED_FILE, one, &s);
		last = view_uid(v, view_exists(v));
		view_close(v);
	}
	if (!ok(s.right && s.n == n, name))
		printf("# %u messages, %s\n", s.n, store_why(mb->st));
	return last;
}

static void
forget_all(void)
{
	t_remove("M/.lemon");
	unlink("M/lemon-uidlist");
}

static void
whole(void)
{
	struct store *st = t_store();
	struct mailbox *mb;

	fill();
	mb = t_inbox(st);
	ok(look(mb, MANY, "many files come in the order of their times") ==
	    MANY, "with rising UIDs");
	if (rename("M/cur/1000001.x4499:2,S", "M/cur/1000001.x4499:2,FS") ||
	    rename("M/cur/1004499.x1:2,S", "M/cur/1004499.x1:2,FS"))
		ok(false, "rename");
	struct seen s = { .right = true };
	struct view *v;
	ok(view_open(mb, &v) == STORE_OK && view_each(v, NULL, NEED_FILE, one,
	    &s) == STORE_OK && s.right && s.n == MANY && s.flagged == 2,
	    "and are known by their names afterwards");
	view_close(v);
	t_close(mb);
}

/* A builder that can get only so far. */
static bool
hindered(rlim_t size)
{
	struct rlimit few = { size, size }, was;
	struct view *v = NULL;

	forget_all();
	getrlimit(RLIMIT_FSIZE, &was);
	few.rlim_max = was.rlim_max;
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	setrlimit(RLIMIT_FSIZE, &few);
	bool failed = view_open(mb, &v) != STORE_OK;
	setrlimit(RLIMIT_FSIZE, &was);
	view_close(v);
	t_close(mb);
	return failed;
}

static void
broken(void)
{
	struct store *st;
	struct mailbox *mb;
	int failed = 0;

	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t size = 1100 << 10; size < 3000 << 10; size += 250 << 10) {
		failed += hindered(size);
		put("M/new/2000000.late");
		st = t_store();
		mb = t_inbox(st);
		ok(look(mb, MANY + 1, "a successor goes on, and takes "
		    "what came since") == MANY + 1,
		    "and no UID was lost or used twice");
		t_close(mb);
		unlink("M/new/2000000.late");
	}
	ok(failed > 2 && failed < 8, "builders were stopped here and there");

	/* From its own list, with the index lost. */
	unlink("M/cur/1000001.x4499:2,FS");
	t_remove("M/.lemon");
	st = t_store();
	mb = t_inbox(st);
	ok(look(mb, MANY - 1, "built anew, what is gone is not there") == MANY,
	    "and the others keep their UIDs");
	t_close(mb);
}

static void
at_once(void)
{
	int bad = 0, status;

	forget_all();
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			struct store *st = t_store();
			struct mailbox *mb = t_inbox(st);
			struct mailbox_status s;

			_exit(mailbox_status(mb, &s) != STORE_OK ||
			    s.messages != MANY - 1 || s.uidnext != MANY);
		}
	for (int i = 0; i < 4; i++)
		bad += wait(&status) == -1 || status != 0;
	ok(bad == 0, "four at once build one mailbox");
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	ok(look(mb, MANY - 1, "each message once") == MANY - 1,
	    "with UIDs from 1 on");
	t_close(mb);
}

static void
doubles(void)
{
	struct store *st;
	struct mailbox *mb;

	t_remove("M");
	mkdir("M", 0700);
	mkdir("M/cur", 0700);
	mkdir("M/new", 0700);
	mkdir("M/tmp", 0700);
	put("M/cur/1.a:2,S");
	put("M/cur/1.a:2,F");
	put("M/new/1.a");
	put("M/cur/2.b:2,");
	st = t_store();
	mb = t_inbox(st);
	struct view *v;
	ok(view_open(mb, &v) == STORE_OK && view_exists(v) == 4,
	    "files of one name are messages of their own");
	view_close(v);
	ok(access("M/cur/2.b:2,", F_OK) == 0, "and others keep their names");
	t_close(mb);
}

int
main(void)
{
	t_make_dir();
	whole();
	broken();
	at_once();
	doubles();
	t_remove_dir();
	return done();
}
