/* SPDX-License-Identifier: ISC */
/*
 * Stop a program before the Nth system call that changes something: kill the
 * process that makes it, or cut the power of its disk; or have the call fail.
 *
 * usage: stop -o FILE [-n N] [-k CALL [-a]] [-c FLAG -d DIR] PROGRAM ...
 *        stop -o FILE -n N -e ERRNO [-k CALL [-f]] PROGRAM ...
 *
 * The calls of the program and of all its children are counted together,
 * with -k only those of one name.  FILE gets "COUNT CALL", how many were seen
 * and which was the last, and then the names of all, a line each; with N 0
 * (and if there are fewer) the program comes to its end.  -c shuts the file
 * system of DIR down (FS_IOC_SHUTDOWN; FLAG 1 writes its journal first, 2 does
 * not), before that call or at the end, and kills everybody.  Exits with what
 * the program did, 137 if it was killed.  With -a it is killed after that
 * call: before the next that changes something.
 *
 * With -e calls that only look count as well, from main on.  The Nth is not
 * made, but fails with that error; with -f so do all after it, and with 0
 * none.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHUTDOWN _IOR('X', 125, uint32_t)	/* FS_IOC_SHUTDOWN */
#define COUNT(a) (sizeof (a) / sizeof (a)[0])

struct call {
	long nr;
	const char *name;
};

#define CALL(x) { SYS_##x, #x }
static const struct call calls[] = {
	CALL(write), CALL(writev), CALL(pwrite64), CALL(pwritev),
	CALL(pwritev2), CALL(sendto), CALL(sendmsg), CALL(sendfile),
	CALL(copy_file_range), CALL(splice), CALL(ftruncate),
	CALL(truncate), CALL(fallocate), CALL(fsync), CALL(fdatasync),
	CALL(sync_file_range), CALL(syncfs), CALL(msync), CALL(renameat),
	CALL(renameat2), CALL(linkat), CALL(symlinkat), CALL(unlinkat),
	CALL(mkdirat), CALL(mknodat), CALL(fchmod), CALL(fchmodat),
	CALL(fchown), CALL(fchownat), CALL(utimensat), CALL(fsetxattr),
	CALL(openat),
#ifdef SYS_open
	CALL(open), CALL(creat), CALL(rename), CALL(link), CALL(symlink),
	CALL(unlink), CALL(mkdir), CALL(rmdir), CALL(chmod), CALL(chown),
#endif
}, looks[] = {
	CALL(openat), CALL(newfstatat), CALL(fstat), CALL(statx),
	CALL(getdents64), CALL(flock), CALL(fcntl), CALL(mmap), CALL(read),
	CALL(pread64),
#ifdef SYS_open
	CALL(open), CALL(stat), CALL(lstat),
#endif
};

static struct {
	const char *report, *name;
	unsigned long n;
	uint32_t flag;		/* 0: only kill */
	int disk;
	int error;		/* -1: none, 0: only to be counted */
	bool from_on, after;
} ask = { .disk = -1, .error = -1 };

static pid_t alive[64];

/* The name of a call that changes something, or NULL.  What goes to standard
 * error changes nothing. */
static const char *
changes(const struct ptrace_syscall_info *i)
{
	const __u64 *a = i->entry.args;
	long nr = (long)i->entry.nr;
	uint64_t flags = nr == SYS_openat ? a[2] : O_CREAT;

#ifdef SYS_open
	flags = nr == SYS_open ? a[1] : flags;
#endif
	if (nr == SYS_write && a[0] == 2)
		return NULL;
	for (size_t k = 0; k < COUNT(calls); k++)
		if (calls[k].nr == nr)
			return (flags & (O_CREAT | O_TRUNC)) != 0 ?
			    calls[k].name : NULL;
	return NULL;
}

/* The same for a call that may only look: at files, and not at the client. */
static const char *
looks_at(const struct ptrace_syscall_info *i)
{
	const __u64 *a = i->entry.args;
	long nr = (long)i->entry.nr;

	if ((nr == SYS_read && a[0] <= 2) ||
	    (nr == SYS_fcntl && a[1] != F_SETLK && a[1] != F_OFD_SETLK))
		return NULL;
	for (size_t k = 0; k < COUNT(looks); k++)
		if (looks[k].nr == nr)
			return looks[k].name;
	return NULL;
}

static void
fail(const char *what)
{
	perror(what);
	exit(125);
}

/* The call that pid is about to make is none; and what it then gives. */
static void
skip_call(pid_t pid)
{
#if defined(__x86_64__)
	ptrace(PTRACE_POKEUSER, pid,
	    (void *)offsetof(struct user, regs.orig_rax), (void *)-1L);
#elif defined(__aarch64__)
	int none = -1;
	struct iovec v = { &none, sizeof none };

	ptrace(PTRACE_SETREGSET, pid, (void *)0x404L, &v);
#else
	(void)pid;
#endif
}

static void
give_result(pid_t pid, long result)
{
#if defined(__x86_64__)
	ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, regs.rax),
	    (void *)result);
#elif defined(__aarch64__)
	struct user_regs_struct r;
	struct iovec v = { &r, sizeof r };

	ptrace(PTRACE_GETREGSET, pid, (void *)1L, &v);
	r.regs[0] = (uint64_t)result;
	ptrace(PTRACE_SETREGSET, pid, (void *)1L, &v);
#else
	(void)pid, (void)result;
#endif
}

static void
remember(pid_t pid, bool on)
{
	pid_t from = on ? 0 : pid;

	for (size_t k = 0; on && k < COUNT(alive); k++)
		if (alive[k] == pid)
			return;
	for (size_t k = 0; k < COUNT(alive); k++)
		if (alive[k] == from) {
			alive[k] = on ? pid : 0;
			return;
		}
}

static void
cut(void)
{
	if (ask.flag == 0)
		return;
	if (ioctl(ask.disk, SHUTDOWN, &ask.flag) != 0)
		fail("shutdown");
	for (size_t k = 0; k < COUNT(alive); k++)
		if (alive[k] != 0)
			kill(alive[k], SIGKILL);
}

static struct {
	const char *name[65536];
	size_t n;
	pid_t refused;		/* who is in a call that is to fail */
	bool begun;		/* main runs: it looks after SIGPIPE first */
} seen_all;

/* At a call of pid: true if it was the one. */
static bool
count(pid_t pid, unsigned long *seen, const char **last)
{
	struct ptrace_syscall_info i;
	const char *name;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid,
	    (void *)(uintptr_t)sizeof i, &i) <= 0 ||
	    i.op != PTRACE_SYSCALL_INFO_ENTRY ||
	    (name = changes(&i)) == NULL)
		return false;
	if (ask.after && *seen == ask.n) {
		cut();
		kill(pid, SIGKILL);
		return true;
	}
	if (ask.name != NULL && strcmp(ask.name, name) != 0)
		return false;
	*last = name;
	if (seen_all.n < COUNT(seen_all.name))
		seen_all.name[seen_all.n++] = name;
	if (++*seen != ask.n || ask.after)
		return false;
	cut();
	kill(pid, SIGKILL);
	return true;
}

/* At a call of pid, or at its end: count it, and have it fail. */
static void
refuse(pid_t pid)
{
	struct ptrace_syscall_info i;
	const char *name;
	size_t n;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid,
	    (void *)(uintptr_t)sizeof i, &i) <= 0)
		return;
	if (i.op == PTRACE_SYSCALL_INFO_EXIT && seen_all.refused == pid) {
		give_result(pid, -ask.error);
		seen_all.refused = 0;
	}
	if (i.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	if (i.entry.nr == SYS_rt_sigaction && i.entry.args[0] == SIGPIPE)
		seen_all.begun = true;
	name = changes(&i);
	if (name == NULL)
		name = looks_at(&i);
	if (name == NULL || !seen_all.begun ||
	    (ask.name != NULL && strcmp(ask.name, name) != 0) ||
	    seen_all.n == COUNT(seen_all.name))
		return;
	seen_all.name[n = seen_all.n++] = name;
	if (ask.error > 0 && (n + 1 == ask.n || (ask.from_on && n >= ask.n))) {
		skip_call(pid);
		seen_all.refused = pid;
	}
}

static void
report(unsigned long seen, const char *last)
{
	FILE *f = fopen(ask.report, "w");

	if (f == NULL || fprintf(f, "%lu %s\n", seen, last) < 0)
		fail(ask.report);
	for (size_t k = 0; k < seen_all.n; k++)
		fprintf(f, "%s\n", seen_all.name[k]);
	if (fclose(f) != 0)
		fail(ask.report);
}

static int
trace(pid_t program)
{
	unsigned long seen = 0;
	const char *last = "-";
	int s, code = 137;
	pid_t pid;

	while ((pid = waitpid(-1, &s, __WALL)) > 0) {
		int sig = 0;

		remember(pid, WIFSTOPPED(s));
		if (pid == program && WIFEXITED(s))
			code = WEXITSTATUS(s);
		if (!WIFSTOPPED(s))
			continue;
		if (WSTOPSIG(s) == (SIGTRAP | 0x80)) {
			if (ask.error >= 0)
				refuse(pid);
			else if (count(pid, &seen, &last))
				continue;
		} else if (s >> 16 == 0 && WSTOPSIG(s) != SIGSTOP)
			sig = WSTOPSIG(s);	/* nobody sends SIGSTOP here
						   but ptrace itself */
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig);
	}
	if (ask.n == 0 || seen < ask.n)
		cut();
	report(seen, last);
	return code;
}

static pid_t
start(char **argv)
{
	pid_t pid = fork();
	int s;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			fail("ptrace");
		raise(SIGSTOP);
		execvp(argv[0], argv);
		fail(argv[0]);
	}
	if (pid == -1 || waitpid(pid, &s, 0) != pid || !WIFSTOPPED(s) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
	    (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
	    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
	    PTRACE_O_EXITKILL)) != 0)
		exit(125);
	remember(pid, true);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	return pid;
}

int
main(int argc, char **argv)
{
	const char *dir = ".";
	int c;

	while ((c = getopt(argc, argv, "+o:n:k:c:d:e:fa")) != -1) {
		if (c == 'o')
			ask.report = optarg;
		else if (c == 'n')
			ask.n = strtoul(optarg, NULL, 10);
		else if (c == 'k')
			ask.name = optarg;
		else if (c == 'c')
			ask.flag = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'd')
			dir = optarg;
		else if (c == 'e')
			ask.error = atoi(optarg);
		else if (c == 'f')
			ask.from_on = true;
		else if (c == 'a')
			ask.after = true;
		else
			return 125;
	}
	if (ask.report == NULL || optind == argc)
		return 125;
	if (ask.flag != 0) {
		ask.disk = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (ask.disk == -1)
			fail(dir);
	}
	pid_t pid = start(argv + optind);
	/* The ends of the connection are the program's alone. */
	close(0);
	close(1);
	return trace(pid);
}
