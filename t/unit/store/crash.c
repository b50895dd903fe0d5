/* SPDX-License-Identifier: ISC */
/* SIGKILL before a system call that changes something, and what the next
 * session finds.  Each seventh of them; all with LEMON_SWEEP set. */
#include <signal.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "store.h"

static const char text[] = "Subject: one\r\n\r\nHello\r\n";

static bool
changes(uint64_t nr)
{
	static const long calls[] = { SYS_write, SYS_pwrite64, SYS_writev,
		SYS_pwritev, SYS_ftruncate, SYS_fallocate, SYS_fsync,
		SYS_fdatasync, SYS_renameat, SYS_renameat2, SYS_linkat,
		SYS_unlinkat, SYS_mkdirat, SYS_flock, SYS_utimensat,
		SYS_futex, SYS_openat, SYS_close };

	for (size_t i = 0; i < COUNT(calls); i++)
		if (nr == (uint64_t)calls[i])
			return true;
	return false;
}

/* Run act in a child and kill it before its n-th such call.  False if it
 * came to its end before; *code is then what it returned. */
static bool
killed_at(int (*act)(void), unsigned n, int *code)
{
	struct ptrace_syscall_info i;
	unsigned seen = 0;
	int s;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(act());
	}
	waitpid(pid, &s, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	    (void *)(uintptr_t)PTRACE_O_TRACESYSGOOD);
	while (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0 &&
	    waitpid(pid, &s, 0) == pid && !WIFEXITED(s) && !WIFSIGNALED(s)) {
		if (!WIFSTOPPED(s) || WSTOPSIG(s) != (SIGTRAP | 0x80) ||
		    ptrace(PTRACE_GET_SYSCALL_INFO, pid,
		    (void *)(uintptr_t)sizeof i, &i) <= 0 ||
		    i.op != PTRACE_SYSCALL_INFO_ENTRY ||
		    !changes(i.entry.nr))
			continue;
		if (++seen == n) {
			kill(pid, SIGKILL);
			waitpid(pid, &s, 0);
			return true;
		}
	}
	*code = WIFEXITED(s) ? WEXITSTATUS(s) : -1;
	return false;
}

/* --- what is done --- */

static int
append_one(void)
{
	struct store *st = t_store();

	return t_append(t_inbox(st), text, MSG_SEEN, "$Work") == 0;
}

static int
append_three(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct draft *d[3];
	uint32_t uid[3], v;

	for (int i = 0; i < 3; i++)
		d[i] = t_draft(mb, text, MSG_SEEN, "$Work");
	return mailbox_place(mb, d, 3, false, uid, &v) != STORE_OK;
}

static int
deliver(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct draft *d = t_draft(mb, text, 0, NULL);

	return mailbox_place(mb, &d, 1, true, NULL, NULL) != STORE_OK ||
	    mailbox_settle(mb) != STORE_OK;
}

static int
copy_or_move(bool move)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st), *to;
	struct set u = { 0 };
	struct copied done;
	struct view *v;

	set_add(&u, 1, 2);
	return view_open(mb, &v) != STORE_OK ||
	    mailbox_open(st, SPAN("There"), RIGHT_WRITE, &to) != STORE_OK ||
	    view_copy(v, &u, to, move, &done) != STORE_OK || done.n != 2 ||
	    view_reap(v) != STORE_OK;
}

static int
copy(void)
{
	return copy_or_move(false);
}

static int
move(void)
{
	return copy_or_move(true);
}

static int
expunge(void)
{
	struct store *st = t_store();
	struct view *v;
	uint64_t modseq;

	return view_open(t_inbox(st), &v) != STORE_OK ||
	    view_expunge(v, NULL, &modseq) != STORE_OK ||
	    view_reap(v) != STORE_OK;
}

/* --- what is found --- */

struct count {
	uint32_t n[2];		/* in INBOX, in There */
	uint32_t last;		/* UID in INBOX */
	bool whole;
};

static bool
read_one(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	struct count *c = arg;

	(void)seq, (void)digest;
	c->whole = c->whole && m->size == strlen(text);
	return true;
}

static void
count_in(struct store *st, struct span name, struct count *c, int k)
{
	struct mailbox *mb;
	struct view *v;

	if (mailbox_open(st, name, RIGHT_READ | RIGHT_WRITE, &mb) !=
	    STORE_OK)
		return;
	if (view_open(mb, &v) == STORE_OK) {
		view_each(v, NULL, NEED_SIZE, read_one, c);
		c->n[k] = view_exists(v);
		if (k == 0)
			c->last = view_uidnext(v);
		for (uint32_t i = 1; i <= c->n[k]; i++) {
			struct message *m;

			if (message_open(v, view_uid(v, i), &m) != STORE_OK)
				c->whole = false;
			else
				message_close(m);
		}
		view_settle(v);
		view_close(v);
	} else
		c->whole = false;
	mailbox_close(mb);
}

static struct count
count(void)
{
	struct count c = { .whole = true };
	struct store *st = t_store();

	count_in(st, SPAN("INBOX"), &c, 0);
	count_in(st, SPAN("There"), &c, 1);
	store_close(st);
	return c;
}

static void
begin(bool deleted)
{
	struct store *st;
	struct mailbox *mb;

	t_remove("M");
	st = t_store();
	mb = t_inbox(st);
	store_create(st, SPAN("There"));
	t_append(mb, text, deleted ? MSG_DELETED : 0, NULL);
	t_append(mb, text, deleted ? MSG_DELETED : 0, "$Work");
	mailbox_close(mb);
	store_close(st);
}

static bool
grown(uint32_t by, const struct count *c, bool done)
{
	return c->n[1] == 0 && (c->n[0] == 2 + by || (!done &&
	    c->n[0] == 2));
}

static bool
good_one(const struct count *c, bool done)
{
	return grown(1, c, done);
}

static bool
good_three(const struct count *c, bool done)
{
	return grown(3, c, done);
}

static bool
good_copy(const struct count *c, bool done)
{
	return c->n[0] == 2 && (c->n[1] == 2 || (!done && c->n[1] == 0));
}

static bool
good_move(const struct count *c, bool done)
{
	return (c->n[0] == 0 && c->n[1] == 2) ||
	    (!done && c->n[0] == 2 && c->n[1] == 0);
}

static bool
good_expunge(const struct count *c, bool done)
{
	return c->n[1] == 0 && (c->n[0] == 0 || (!done && c->n[0] == 2));
}

static void
sweep(int (*act)(void), bool deleted, bool (*good)(const struct count *,
    bool), const char *name)
{
	unsigned points = 0, bad = 0;
	unsigned step = getenv("LEMON_SWEEP") == NULL ? 7 : 1;
	bool killed = true;
	int code = -1;

	for (unsigned n = 1; killed && n < 2000; n += step) {
		begin(deleted);
		killed = killed_at(act, n, &code);
		struct count c = count();
		/* The index may be gone as well, and nothing changes. */
		t_remove("M/.lemon");
		struct count d = count();
		points++;
		if (!good(&c, !killed) || !c.whole || !d.whole ||
		    d.n[0] != c.n[0] || d.n[1] != c.n[1] ||
		    d.last < c.last) {
			bad++;
			printf("# %s, call %u: %u+%u whole %d, then %u+%u "
			    "whole %d\n", name, n, c.n[0], c.n[1], c.whole,
			    d.n[0], d.n[1], d.whole);
		}
	}
	printf("# %s: %u points, %u bad\n", name, points, bad);
	ok(!killed && code == 0 && bad == 0 && points > 3, name);
}

int
main(void)
{
	t_make_dir();
	sweep(append_one, false, good_one, "killed in an APPEND");
	sweep(append_three, false, good_three, "killed in a MULTIAPPEND");
	sweep(deliver, false, good_one, "killed in a delivery");
	sweep(copy, false, good_copy, "killed in a COPY");
	sweep(move, false, good_move, "killed in a MOVE");
	sweep(expunge, true, good_expunge, "killed in an EXPUNGE");
	t_remove_dir();
	return done();
}
