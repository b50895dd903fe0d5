/* SPDX-License-Identifier: ISC */
#include "auth/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/span.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0
#endif

/*
 * What a session may call with any arguments.  Files are Landlock's matter.
 * Since these do not depend on arguments, kernels from 5.11 on decide them
 * once and not at each call.
 */
static const int plain[] = {
	/* descriptors */
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64,
	SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_lseek,
	SYS_close, SYS_close_range, SYS_dup, SYS_dup3, SYS_pipe2, SYS_ppoll,
	SYS_pselect6, SYS_eventfd2, SYS_epoll_create1, SYS_epoll_ctl,
	SYS_epoll_pwait, SYS_sendfile, SYS_splice, SYS_copy_file_range,
	SYS_flock,
	/* files */
	SYS_fstat, SYS_newfstatat, SYS_statx,
	SYS_fstatfs, SYS_statfs, SYS_faccessat, SYS_faccessat2,
	SYS_readlinkat, SYS_getdents64, SYS_getcwd, SYS_chdir, SYS_fchdir,
	SYS_renameat, SYS_renameat2, SYS_linkat, SYS_unlinkat,
	SYS_ftruncate, SYS_fallocate, SYS_fadvise64, SYS_fsync, SYS_fdatasync,
	SYS_sync_file_range, SYS_syncfs, SYS_umask, SYS_inotify_init1,
	SYS_inotify_add_watch, SYS_inotify_rm_watch,
	/* memory */
	SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_msync, SYS_mincore,
	SYS_mlock, SYS_munlock, SYS_futex, SYS_set_robust_list,
	SYS_get_robust_list, SYS_rseq, SYS_membarrier, SYS_getrandom,
	/* the client's connection */
	SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_sendmsg, SYS_shutdown,
	SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_setsockopt,
	/* signals and time */
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_rt_sigpending, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
	SYS_sigaltstack, SYS_setitimer, SYS_getitimer, SYS_nanosleep,
	SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres,
	SYS_gettimeofday, SYS_times, SYS_restart_syscall,
	/* oneself */
	SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid,
	SYS_getgid, SYS_getegid, SYS_getgroups, SYS_getresuid,
	SYS_getresgid, SYS_getpgid, SYS_getsid, SYS_getrusage, SYS_uname,
	SYS_sysinfo, SYS_sched_yield, SYS_sched_getaffinity, SYS_getcpu,
	SYS_capget, SYS_exit, SYS_exit_group,
#ifdef __x86_64__
	SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_getdents,
	SYS_rename, SYS_link, SYS_unlink, SYS_rmdir, SYS_dup2, SYS_pipe, SYS_poll,
	SYS_select, SYS_epoll_wait, SYS_eventfd, SYS_inotify_init, SYS_alarm,
	SYS_time, SYS_getpgrp, SYS_arch_prctl, SYS_getrlimit,
#endif
};

/* What makes files or changes their mode, and which argument that is. */
static const struct {
	int nr;
	unsigned argument;
} with_mode[] = {
	{ SYS_openat, 3 }, { SYS_mkdirat, 2 }, { SYS_mknodat, 2 },
	{ SYS_fchmod, 1 },
#ifdef __x86_64__
	{ SYS_open, 2 }, { SYS_mkdir, 1 }, { SYS_mknod, 1 },
#endif
};

/* Refused with EPERM; for everything else, newer calls among it, ENOSYS, to
 * which the C library answers by trying an older way. */
static const int forbidden[] = {
	SYS_execve, SYS_execveat, SYS_clone, SYS_ptrace, SYS_kill, SYS_tgkill,
	SYS_tkill, SYS_rt_sigqueueinfo, SYS_socket, SYS_socketpair,
	SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4,
	SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
	SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset,
	SYS_chroot, SYS_mount, SYS_umount2, SYS_unshare, SYS_setns,
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_keyctl, SYS_bpf,
	SYS_perf_event_open, SYS_userfaultfd, SYS_symlinkat, SYS_ioctl,
	SYS_prctl, SYS_prlimit64, SYS_mmap, SYS_mprotect, SYS_fcntl,
	SYS_fchown, SYS_fchownat, SYS_fchmodat, SYS_utimensat, SYS_truncate,
#ifdef __x86_64__
	SYS_fork, SYS_vfork, SYS_symlink, SYS_chown, SYS_lchown, SYS_chmod,
	SYS_utime, SYS_utimes, SYS_futimesat,
#endif
};

enum {
	CALLS = 512,		/* no processor's table is longer */
	FILTER_MAX = 480	/* half of it is a jump that can be written */
};

struct filter {
	struct sock_filter f[FILTER_MAX];
	unsigned short n;
};

static void
add(struct filter *f, unsigned code, uint32_t k, unsigned jt, unsigned jf)
{
	if (f->n < COUNT(f->f))
		f->f[f->n++] = (struct sock_filter){ (uint16_t)code,
			(uint8_t)jt, (uint8_t)jf, k };
}

static void
answer(struct filter *f, uint32_t what)
{
	add(f, BPF_RET | BPF_K, what, 0, 0);
}

static void
load_nr(struct filter *f)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr),
	    0, 0);
}

/* The low (or high) half of an argument; both processors are little-endian
 * here. */
static void
load_arg(struct filter *f, unsigned i, bool high)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)
	    (offsetof(struct seccomp_data, args) + 8 * i + 4 * high), 0, 0);
}

/* Each of these is skipped unless the loaded call is nr, and leaves it
 * loaded when it has not answered.  begin returns what end needs. */
static unsigned short
begin(struct filter *f, int nr)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 0);
	return f->n;
}

static void
end(struct filter *f, unsigned short from)
{
	load_nr(f);
	if (from <= f->n)
		f->f[from - 1].jf = (uint8_t)(f->n - from);
}

static void
allow_if(struct filter *f, uint32_t value)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	answer(f, SECCOMP_RET_ALLOW);
}

static void
refuse_if(struct filter *f, uint32_t value)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	answer(f, SECCOMP_RET_ERRNO | EPERM);
}

static void
refuse_if_bits(struct filter *f, uint32_t bits)
{
	add(f, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
	answer(f, SECCOMP_RET_ERRNO | EPERM);
}

/* Allow nr when its argument i is one of the n values. */
static void
allow_values(struct filter *f, int nr, unsigned i, const uint32_t *v,
    size_t n)
{
	unsigned short b = begin(f, nr);

	load_arg(f, i, false);
	for (size_t j = 0; j < n; j++)
		allow_if(f, v[j]);
	end(f, b);
}

static void
allow_value(struct filter *f, int nr, unsigned i, uint32_t v)
{
	allow_values(f, nr, i, &v, 1);
}

/* Allow nr unless its argument i has one of these bits. */
static void
allow_without(struct filter *f, int nr, unsigned i, uint32_t bits)
{
	unsigned short b = begin(f, nr);

	load_arg(f, i, false);
	refuse_if_bits(f, bits);
	answer(f, SECCOMP_RET_ALLOW);
	end(f, b);
}

/* The same where it is a file's mode, which must not let others run as us. */
static void
modes(struct filter *f, int nr, unsigned i)
{
	allow_without(f, nr, i, S_ISUID | S_ISGID);
}

/* Libraries may still be loaded, so a file may be mapped to be run, but
 * memory that was written, or that others write, may not. */
static void
memory(struct filter *f)
{
	unsigned short b;

	allow_without(f, SYS_mprotect, 2, PROT_EXEC);
	b = begin(f, SYS_mmap);
	load_arg(f, 2, false);
	add(f, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
	answer(f, SECCOMP_RET_ALLOW);
	refuse_if_bits(f, PROT_WRITE);
	load_arg(f, 3, false);
	refuse_if_bits(f, MAP_ANONYMOUS | MAP_SHARED);
	answer(f, SECCOMP_RET_ALLOW);
	end(f, b);
}

/* Reading one's own limits. */
static void
limits(struct filter *f)
{
	unsigned short b = begin(f, SYS_prlimit64);

	load_arg(f, 0, false);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5);
	load_arg(f, 2, false);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
	load_arg(f, 2, true);
	allow_if(f, 0);
	end(f, b);
}

/* futimens: a descriptor and no path.  Landlock has no say in modes, times
 * and (before its third version) lengths, so they are changed only of what
 * could be opened. */
static void
times_of_descriptor(struct filter *f)
{
	unsigned short b = begin(f, SYS_utimensat);

	load_arg(f, 1, false);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
	load_arg(f, 1, true);
	allow_if(f, 0);
	end(f, b);
}

/* From the calls' number from on the verdict is another one. */
struct run {
	uint32_t from, verdict;
};

/* Of the verdicts over all calls, the runs of equal ones. */
static size_t
decide(bool connect, struct run *runs)
{
	uint32_t verdict[CALLS];
	size_t n = 0;

	for (size_t i = 0; i < CALLS; i++)
		verdict[i] = SECCOMP_RET_ERRNO | ENOSYS;
	for (size_t i = 0; i < COUNT(forbidden); i++)
		verdict[forbidden[i]] = SECCOMP_RET_ERRNO | EPERM;
	for (size_t i = 0; i < COUNT(plain); i++)
		verdict[plain[i]] = SECCOMP_RET_ALLOW;
	/* Answered before; so they divide no run. */
	for (size_t i = 0; i < COUNT(with_mode); i++)
		verdict[with_mode[i].nr] = SECCOMP_RET_ALLOW;
	if (connect)
		verdict[SYS_connect] = SECCOMP_RET_ALLOW;
	for (uint32_t i = 0; i < CALLS; i++)
		if (i == 0 || verdict[i] != verdict[i - 1])
			runs[n++] = (struct run){ i, verdict[i] };
	if (runs[n - 1].verdict != (SECCOMP_RET_ERRNO | ENOSYS))
		runs[n++] = (struct run){ CALLS,
			SECCOMP_RET_ERRNO | ENOSYS };
	return n;
}

/* Halve the runs until one is left.  Setting a filter, the kernel walks
 * through it once for each call there is: in a row of comparisons that took
 * longer than all the rest of confinement. */
static void
halve(struct filter *f, const struct run *runs, size_t n)
{
	if (n == 1) {
		answer(f, runs->verdict);
		return;
	}
	unsigned short at = f->n;

	add(f, BPF_JMP | BPF_JGE | BPF_K, runs[n / 2].from, 0, 0);
	halve(f, runs, n / 2);
	if (at < COUNT(f->f))
		f->f[at].jt = (uint8_t)(f->n - at - 1);
	halve(f, runs + n / 2, n - n / 2);
}

/* A thread as the C libraries make it, and nothing else that shares less with
 * us.  glibc asks for clone3 first, whose arguments no filter sees. */
static void
thread(struct filter *f)
{
	static const uint32_t flags[] = {
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
		CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
		/* musl */
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
		CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED
	};

	allow_values(f, SYS_clone, 0, flags, COUNT(flags));
}

static void
build(struct filter *f, bool connect, bool threads)
{
	struct run runs[CALLS + 1];
	static const uint32_t ioctls[] = { TCGETS, FIONREAD, TIOCGWINSZ };
	static const uint32_t prctls[] = { PR_SET_NAME, PR_GET_NAME,
		PR_GET_DUMPABLE, PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS };
	uint32_t pid = (uint32_t)getpid();

	add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch),
	    0, 0);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	answer(f, SECCOMP_RET_KILL_PROCESS);
	load_nr(f);
	for (size_t i = 0; i < COUNT(with_mode); i++)
		modes(f, with_mode[i].nr, with_mode[i].argument);
	memory(f);

	/* Not F_SETOWN and the like: they would send signals to others. */
	unsigned short b = begin(f, SYS_fcntl);

	load_arg(f, 1, false);
	refuse_if(f, F_SETOWN);
	refuse_if(f, F_SETOWN_EX);
	refuse_if(f, F_SETSIG);
	answer(f, SECCOMP_RET_ALLOW);
	end(f, b);

	allow_value(f, SYS_kill, 0, pid);
	allow_value(f, SYS_tgkill, 0, pid);
	allow_values(f, SYS_ioctl, 1, ioctls, COUNT(ioctls));
	allow_values(f, SYS_prctl, 0, prctls, COUNT(prctls));
	limits(f);
	times_of_descriptor(f);
	if (connect)
		allow_value(f, SYS_socket, 0, AF_UNIX);
	if (threads)
		thread(f);
	halve(f, runs, decide(connect, runs));
}

int
seccomp_enter(bool connect, bool threads)
{
	struct filter f = { .n = 0 };

	if (ARCH == 0)
		return 0;
	build(&f, connect, threads);
	if (f.n == COUNT(f.f)) {
		errno = E2BIG;
		return -1;
	}
	struct sock_fprog p = { .len = f.n, .filter = f.f };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0)
		return 1;
	return errno == EINVAL ? 0 : -1;
}
