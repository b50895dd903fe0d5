/* SPDX-License-Identifier: ISC */
/*
 * Stop a program before the Nth system call that changes something: kill the
 * process that makes it, or cut the power of its disk.
 *
 * usage: stop -o FILE [-n N] [-k CALL] [-c FLAG -d DIR] PROGRAM ...
 *
 * The calls of the program and of all its children are counted together,
 * with -k only those of one name.  FILE gets "COUNT CALL", how many were seen and which was the last; with N
 * 0 (and if there are fewer) the program comes to its end.  -c shuts the
 * file system of DIR down (FS_IOC_SHUTDOWN; FLAG 1 writes its journal first,
 * 2 does not), before that call or at the end, and kills everybody.  Exits
 * with what the program did, 137 if it was killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHUTDOWN _IOR('X', 125, uint32_t)	/* FS_IOC_SHUTDOWN */
#define COUNT(a) (sizeof (a) / sizeof (a)[0])

static const struct call {
	long nr;
	const char *name;
} calls[] = {
#define CALL(x) { SYS_##x, #x }
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
};

static struct {
	const char *report, *name;
	unsigned long n;
	uint32_t flag;		/* 0: only kill */
	int disk;
} ask = { .disk = -1 };

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

static void
fail(const char *what)
{
	perror(what);
	exit(125);
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

/* At a call of pid: true if it was the one. */
static bool
count(pid_t pid, unsigned long *seen, const char **last)
{
	struct ptrace_syscall_info i;
	const char *name;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid,
	    (void *)(uintptr_t)sizeof i, &i) <= 0 ||
	    i.op != PTRACE_SYSCALL_INFO_ENTRY ||
	    (name = changes(&i)) == NULL ||
	    (ask.name != NULL && strcmp(ask.name, name) != 0))
		return false;
	*last = name;
	if (++*seen != ask.n)
		return false;
	cut();
	kill(pid, SIGKILL);
	return true;
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
			if (count(pid, &seen, &last))
				continue;
		} else if (s >> 16 == 0 && WSTOPSIG(s) != SIGSTOP)
			sig = WSTOPSIG(s);	/* nobody sends SIGSTOP here
						   but ptrace itself */
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig);
	}
	if (ask.n == 0 || seen < ask.n)
		cut();
	FILE *f = fopen(ask.report, "w");
	if (f == NULL || fprintf(f, "%lu %s\n", seen, last) < 0 ||
	    fclose(f) != 0)
		fail(ask.report);
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

	while ((c = getopt(argc, argv, "+o:n:k:c:d:")) != -1) {
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
