/* SPDX-License-Identifier: ISC */
/* To run programs, and to reach into other processes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "evil.h"

static char *const no_words[] = { NULL };

static bool
run_program(void)
{
	int fd = fcntl(2, F_DUPFD_CLOEXEC, 3);

	(void)fd;
	return execve("/bin/true", no_words, no_words) == 0;
}

static bool
run_at(void)
{
	return syscall(SYS_execveat, AT_FDCWD, "/bin/true", no_words,
	    no_words, 0) == 0;
}

static bool
run_memory(void)
{
	int fd = (int)syscall(SYS_memfd_create, "evil", 0);

	return fd >= 0 || fexecve(open(home("/mine"), O_RDONLY), no_words,
	    no_words) == 0;
}

static bool
run_own(void)
{
	return execve(home("/mine"), no_words, no_words) == 0;
}

/* A child is not to go on as we do. */
static bool
is_parent(pid_t pid)
{
	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool run_fork(void) { return is_parent(fork()); }

static bool
run_clone(void)
{
	return is_parent((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static bool
run_clone3(void)
{
	uint64_t args[8] = { 0, 0, 0, 0, SIGCHLD };

	return is_parent((pid_t)syscall(SYS_clone3, args, sizeof args));
}

static void *
in_thread(void *arg)
{
	return reads(other("/new/1.secret")) ? arg : NULL;
}

/* Threads are for sessions that may have them, but shut in alike. */
static bool
thread(void **got)
{
	pthread_t t;

	*got = NULL;
	return pthread_create(&t, NULL, in_thread, got) == 0 &&
	    pthread_join(t, got) == 0;
}

static bool
run_thread(void)
{
	void *got;

	return thread(&got);
}

static bool
thread_reads(void)
{
	void *got;

	return thread(&got) && got != NULL;
}

enum { MANY = 2000 };

static void *
in_crowd(void *door)
{
	pthread_mutex_lock(door);
	pthread_mutex_unlock(door);
	return NULL;
}

/* As many as would crowd others out. */
static bool
crowd(void)
{
	static pthread_t t[MANY];
	pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
	pthread_attr_t small;
	size_t n = 0;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	pthread_mutex_lock(&door);
	while (n < MANY && pthread_create(&t[n], &small, in_crowd,
	    &door) == 0)
		n++;
	pthread_mutex_unlock(&door);
	for (size_t i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	return n == MANY;
}

static bool trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static bool trace_victim(void)
{
	return ptrace(PTRACE_SEIZE, victim(), NULL, NULL) == 0;
}

static bool trace_me(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool parent_memory(void) { return reads(proc(getppid(), "mem")); }
static bool victim_memory(void) { return reads(proc(victim(), "mem")); }
static bool victim_environ(void) { return reads(proc(victim(), "environ")); }
static bool kills_parent(void) { return kill(getppid(), 0) == 0; }
static bool kills_victim(void) { return kill(victim(), SIGCONT) == 0; }
static bool kills_all(void) { return kill(-1, 0) == 0; }
static bool kills_group(void) { return kill(0, 0) == 0; }

static bool
kills_thread(void)
{
	return syscall(SYS_tgkill, victim(), victim(), SIGCONT) == 0 ||
	    syscall(SYS_tkill, victim(), SIGCONT) == 0;
}

static bool
kills_queued(void)
{
	siginfo_t i = { .si_code = SI_QUEUE, .si_signo = SIGCONT };

	return syscall(SYS_rt_sigqueueinfo, victim(), SIGCONT, &i) == 0;
}

static bool
kills_by_fcntl(void)
{
	return fcntl(0, F_SETOWN, victim()) == 0 ||
	    fcntl(0, F_SETSIG, SIGKILL) == 0;
}

static bool
kills_by_ioctl(void)
{
	pid_t pid = victim();

	return ioctl(0, FIOSETOWN, &pid) == 0 || ioctl(0, SIOCSPGRP, &pid) == 0;
}

static bool
memory_read(void)
{
	char c;

	return syscall(SYS_process_vm_readv, victim(), &c, 0, NULL, 0, 0) == 0;
}

static bool
memory_write(void)
{
	char c;

	return syscall(SYS_process_vm_writev, victim(), &c, 0, NULL, 0, 0) == 0;
}

static bool
by_pidfd(void)
{
	return syscall(SYS_pidfd_open, victim(), 0) >= 0 ||
	    syscall(SYS_pidfd_getfd, 0, 0, 0) >= 0 || errno != ENOSYS ||
	    syscall(SYS_pidfd_send_signal, 0, SIGCONT, NULL, 0) == 0 ||
	    errno != ENOSYS;
}

static bool lowers(void) { return setpriority(PRIO_PROCESS, (id_t)victim(), 19) == 0; }

static bool
schedules(void)
{
	struct sched_param p = { 0 };

	return sched_setscheduler(victim(), SCHED_BATCH, &p) == 0;
}

static bool
limits(void)
{
	struct rlimit r = { 0, 0 };

	return prlimit(victim(), RLIMIT_NOFILE, &r, NULL) == 0 ||
	    setrlimit(RLIMIT_CORE, &r) == 0;
}

static bool regroups(void) { return setpgid(0, 0) == 0 || setsid() > 0; }

static bool
compares(void)
{
	return syscall(SYS_kcmp, getpid(), victim(), 0, 0, 0) >= 0;
}

const struct act processes_acts[] = {
	{ "run a program", run_program },
	{ "run a program by execveat", run_at },
	{ "run a program from memory", run_memory },
	{ "run a file of one's own", run_own },
	{ "fork", run_fork },
	{ "clone", run_clone },
	{ "clone3", run_clone3 },
	{ "start a thread", run_thread },
	{ "read another user's mail in a thread", thread_reads },
	{ "start threads by the thousand", crowd },
	{ "trace the parent", trace_parent },
	{ "trace another process", trace_victim },
	{ "be traced", trace_me },
	{ "open the parent's memory", parent_memory },
	{ "open another process's memory", victim_memory },
	{ "read another process's environment", victim_environ },
	{ "signal the parent", kills_parent },
	{ "signal another process", kills_victim },
	{ "signal all processes", kills_all },
	{ "signal the process group", kills_group },
	{ "signal a thread", kills_thread },
	{ "queue a signal", kills_queued },
	{ "have a signal sent by fcntl", kills_by_fcntl },
	{ "have a signal sent by ioctl", kills_by_ioctl },
	{ "read another process's memory", memory_read },
	{ "write another process's memory", memory_write },
	{ "take another process's descriptor", by_pidfd },
	{ "lower another process's priority", lowers },
	{ "change another process's scheduling", schedules },
	{ "change limits", limits },
	{ "leave the process group", regroups },
	{ "compare with another process", compares },
	{ 0 }
};
