/* SPDX-License-Identifier: ISC */
/* The doorbell, and an index directory that is no more. */
#include <poll.h>
#include <sys/wait.h>

#include "store.h"

/* Wait for either; which of the two. */
static int
hear(const struct bell *b)
{
	struct pollfd p[2] = { { bell_fds(b)[0], POLLIN, 0 },
		{ bell_fds(b)[1], POLLIN, 0 } };

	poll(p, 2, 10000);
	return (p[0].revents & POLLIN ? 1 : 0) |
	    (p[1].revents & POLLIN ? 2 : 0);
}

/* Another process appends a message; its UID. */
static uint32_t
change(void)
{
	uint32_t uid = 0;
	int p[2];

	if (pipe(p) == -1)
		return 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct store *st = t_store();
		struct mailbox *mb = t_inbox(st);
		uid = t_append(mb, "Subject: a\n\n", 0, NULL);
		t_close(mb);
		_exit(write(p[1], &uid, sizeof uid) != sizeof uid);
	}
	waitpid(pid, NULL, 0);
	if (read(p[0], &uid, sizeof uid) != sizeof uid)
		uid = 0;
	close(p[0]);
	close(p[1]);
	return uid;
}

static void
lost(struct store *st, void (*lose)(void), const char *name)
{
	struct bell *b;

	/* Of no mailbox, so that nothing but the bell is heard. */
	ok(bell_open(st, NULL, &b) == STORE_OK, "the bell hangs");
	change();
	ok(hear(b) == 1, "and is heard");
	bell_heard(b);
	lose();
	if (bell_fds(b)[1] != -1)
		ok(hear(b) == 2, name);
	bell_heard(b);
	change();
	ok(hear(b) & 1, "and it is heard as before");
	bell_close(b);
}

static void
lose_index(void)
{
	t_remove("M/.lemon");
}

static void
lose_bells(void)
{
	t_remove("M/.lemon/bell");
}

static void
lose_move(void)
{
	t_remove("was");
	if (rename("M/.lemon", "was") == -1)
		ok(false, "rename");
}

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	lost(st, lose_index, "an index that is deleted wakes the waiter");
	lost(st, lose_bells, "so do its bells alone");
	lost(st, lose_move, "and an index that is moved away");
	uint32_t last = t_append(mb, "Subject: b\n\n", 0, NULL);
	lose_move();
	uint32_t theirs = change();
	uint32_t ours = t_append(mb, "Subject: c\n\n", 0, NULL);
	uint32_t more = change();
	struct view *v;
	view_open(mb, &v);
	ok(theirs > last && ours > theirs && more > ours &&
	    view_seq(v, theirs) != 0 && view_seq(v, more) != 0,
	    "who has an index that was moved away takes the new one");
	view_close(v);
	t_close(mb);
	t_remove_dir();
	return done();
}
