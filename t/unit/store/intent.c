/* SPDX-License-Identifier: ISC */
/* Batches that come whole or not at all, and writers that die. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store.h"
#include "store/intent.h"

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
	mailbox_close(peer);
	mailbox_close(mb);
	store_close(other);
	store_close(st);
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
	mailbox_close(mb);
	store_close(st);
	t_remove("M");
}

int
main(void)
{
	t_make_dir();
	life();
	renamed();
	t_remove_dir();
	return done();
}
