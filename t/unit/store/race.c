/* SPDX-License-Identifier: ISC */
/* Other programs rename in the middle of what the store does: reap, copy. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "store.h"
#include "store/view.h"

/* The one file of a directory. */
static bool
only(const char *dir, char name[300])
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	name[0] = '\0';
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && ++n == 1)
			snprintf(name, 300, "%s/%s", dir, e->d_name);
	if (d != NULL)
		closedir(d);
	return n == 1;
}

/* A file that was expunged and that a reading of the directory missed, as
 * one beside renames can: it is dead still when it is seen again. */
static void
missed(struct mailbox *mb)
{
	struct view *v;
	char was[300], to[400];
	int64_t took = 100;
	uint64_t modseq;

	/* Only what was quick is no proof that the file is gone. */
	for (int i = 0; i < 100 && took >= 80; i++) {
		t_append(mb, "Subject: x\n\n", MSG_DELETED, NULL);
		view_open(mb, &v);
		only("M/cur", was);
		view_expunge(v, NULL, &modseq);
		int64_t t = clock_ms();
		rename(was, "aside");
		view_tidy(v, NULL, NULL);
		took = clock_ms() - t;
		snprintf(to, sizeof to, "%.*sFS", (int)strlen(was) - 1, was);
		rename("aside", to);
		if (took >= 80)
			unlink(to);
		view_close(v);
	}
	t_is(mb, "", "what was expunged is not taken in again");
	view_open(mb, &v);
	view_tidy(v, NULL, NULL);
	ok(access(to, F_OK) == -1, "and goes when it is seen again");
	view_close(v);
}

/* --- a COPY whose new file is renamed before it has its record --- */

struct renamer {
	int watch;
	bool done;
	bool index;	/* not the file: the index goes */
};

static void *
rename_first(void *arg)
{
	struct renamer *r = arg;
	char event[4096], was[300], to[400];

	if (read(r->watch, event, sizeof event) > 0 && r->index)
		t_remove("M/.lemon");
	else if (only("M/.There/cur", was)) {
		snprintf(to, sizeof to, "%sS", was);
		r->done = rename(was, to) == 0;
	}
	return NULL;
}

/* *stays: the UID of the one that was copied, or was before. */
static void
copied(struct store *st, struct mailbox *mb, bool move, bool index,
    uint32_t *stays)
{
	struct renamer other = { inotify_init(), false, index };
	struct copied done = { 0 };
	struct set last = { 0 };
	struct mailbox *there;
	struct view *v;
	pthread_t thread;

	store_create(st, SPAN("There"));
	uint32_t uid = t_append(mb, "Subject: y\n\n", MSG_FLAGGED, "$k");
	set_add(&last, uid, uid);
	if (!move)
		*stays = uid;
	mailbox_open(st, SPAN("There"), RIGHT_READ | RIGHT_WRITE, &there);
	inotify_add_watch(other.watch, "M/.There/cur", IN_CREATE);
	view_open(mb, &v);
	pthread_create(&thread, NULL, rename_first, &other);
	enum store_result res = view_copy(v, &last, there, move, &done);
	if (res != STORE_OK || done.n != 1)
		printf("# %d %s, %zu\n", res, store_why(st), done.n);
	ok(res == STORE_OK && done.n == 1,
	    move ? "a MOVE names what it moved, renamed or not" :
	    "a COPY names what it copied, renamed or not");
	pthread_join(thread, NULL);
	/* As if it had rested for a while. */
	utimensat(AT_FDCWD, "M/.There/cur", (struct timespec[]){ { 1, 0 },
	    { 1, 0 } }, 0);
	if (done.n != 1)
		return;
	char want[40];
	snprintf(want, sizeof want, "1:%u%sF+$k", (unsigned)*done.to,
	    other.done ? "S" : "");
	t_is(there, want, "it is there once");
	snprintf(want, sizeof want, "1:%uF+$k", (unsigned)*stays);
	t_is(mb, want, move ? "and no longer in its old place" :
	    "and in its old place");
	set_free(&last);
	free(done.from);
	free(done.to);
	view_close(v);
	mailbox_close(there);
	store_delete(st, SPAN("There"));
	close(other.watch);
}

/* --- an index that is made anew between two steps of one session --- */

static bool
first_object(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	(void)seq, (void)digest;
	*(uint64_t *)arg = m->object;
	return false;
}

static void
objects(struct mailbox *mb)
{
	uint64_t before = 0, after = 0;
	struct buf digest = { 0 };
	struct view *v;

	view_open(mb, &v);
	view_each(v, NULL, 0, first_object, &before);
	t_remove("M/.lemon");
	view_each(v, NULL, NEED_DIGEST, first_object, &after);
	ok(before != 0 && after != 0 && before != after &&
	    object_digest(mb->st, after, &digest),
	    "an object has another number in another index");
	buf_clear(&digest);
	object_learn(v, view_uid(v, 1), before, SPAN("of another"));
	ok(!object_digest(mb->st, before, &digest),
	    "where the old number is no object's");
	buf_free(&digest);
	view_close(v);
}

/* --- an index that is made anew while files are renamed --- */

enum { FILES = 600 };

struct storm {
	bool stop;
};

static void *
rename_all(void *arg)
{
	struct storm *s = arg;
	bool seen[FILES] = { false };

	for (int i = 0; !__atomic_load_n(&s->stop, __ATOMIC_RELAXED);
	    i = (i + 7) % FILES) {
		char a[80], b[80];

		snprintf(a, sizeof a, "M/cur/1.%03d.x:2,%s", i,
		    seen[i] ? "S" : "");
		snprintf(b, sizeof b, "M/cur/1.%03d.x:2,%s", i,
		    seen[i] ? "" : "S");
		seen[i] = rename(a, b) == 0 ? !seen[i] : seen[i];
	}
	return NULL;
}

static void
rebuilt(void)
{
	struct storm storm = { false };
	struct mailbox_status s;
	uint32_t last = FILES, top = 0;
	struct mailbox *mb;
	struct store *st;
	struct view *v;
	pthread_t thread;
	char name[80];

	t_remove("M");
	st = t_store();
	mb = t_inbox(st);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "M/cur/1.%03d.x:2,", i);
		close(open(name, O_WRONLY | O_CREAT, 0600));
	}
	mailbox_status(mb, &s);
	pthread_create(&thread, NULL, rename_all, &storm);
	for (int i = 0; i < 5; i++) {
		t_close(mb);
		t_remove("M/.lemon");
		st = t_store();
		mb = t_inbox(st);
		view_open(mb, &v);
		last = view_exists(v) < last ? view_exists(v) : last;
		top = view_uid(v, view_exists(v));
		view_close(v);
	}
	__atomic_store_n(&storm.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ok(last == FILES, "all are there when the index is made anew");
	ok(top == FILES, "each with its UID");
	t_close(mb);
}

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	uint32_t stays = 0;

	missed(mb);
	copied(st, mb, false, false, &stays);
	copied(st, mb, true, false, &stays);
	copied(st, mb, true, true, &stays);
	objects(mb);
	t_close(mb);
	rebuilt();
	t_remove_dir();
	return done();
}
