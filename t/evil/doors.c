/* SPDX-License-Identifier: ISC */
/* The kernel's wide doors. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "evil.h"

static bool door_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM; }
static bool door_uffd(void) { return syscall(SYS_userfaultfd, 0) >= 0 || errno != EPERM; }

static bool
door_perf(void)
{
	return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) >= 0 ||
	    errno != EPERM;
}

static bool
door_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno != ENOSYS ||
	    syscall(SYS_io_uring_register, 0, 0, 0, 0) >= 0 || errno != ENOSYS;
}

static bool
door_aio(void)
{
	unsigned long ctx = 0;

	return syscall(SYS_io_setup, 1, &ctx) == 0;
}

static bool
door_ipc(void)
{
	return shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) >= 0 ||
	    syscall(SYS_msgget, IPC_PRIVATE, 0600) >= 0 ||
	    syscall(SYS_semget, IPC_PRIVATE, 1, 0600) >= 0 ||
	    syscall(SYS_mq_open, "evil", O_CREAT | O_RDWR, 0600, NULL) >= 0;
}

static bool
door_admin(void)
{
	struct timespec now = { 0, 0 };

	return syscall(SYS_reboot, 0, 0, 0, NULL) == 0 || errno != ENOSYS ||
	    syscall(SYS_sethostname, "x", 1) == 0 || errno != ENOSYS ||
	    syscall(SYS_init_module, NULL, 0, NULL) == 0 || errno != ENOSYS ||
	    syscall(SYS_kexec_load, 0, 0, NULL, 0) == 0 || errno != ENOSYS ||
	    syscall(SYS_swapon, "x", 0) == 0 || errno != ENOSYS ||
	    syscall(SYS_acct, NULL) == 0 || errno != ENOSYS ||
	    syscall(SYS_quotactl, 0, NULL, 0, NULL) == 0 || errno != ENOSYS ||
	    syscall(SYS_syslog, 2, NULL, 0) >= 0 || errno != ENOSYS ||
	    syscall(SYS_clock_settime, 0, &now) == 0 || errno != ENOSYS;
}

static bool
door_seccomp(void)
{
	return syscall(SYS_seccomp, 1, 0, NULL) == 0 || errno != ENOSYS;
}

static bool
door_terminal(void)
{
	return ioctl(0, TIOCSTI, "x") == 0 || errno != EPERM ||
	    ioctl(0, TIOCLINUX, "\3") == 0 || errno != EPERM ||
	    ioctl(0, TIOCSCTTY, 1) == 0 || errno != EPERM;
}

static bool
door_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ||
	    syscall(SYS_pkey_mprotect, p, 4096, PROT_READ | PROT_EXEC, -1) == 0 ||
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
door_shared(void)
{
	int fd = open(home("/mine"), O_RDWR | O_CREAT, 0700);

	return ftruncate(fd, 4096) == 0 && (mmap(NULL, 4096, PROT_READ |
	    PROT_WRITE | PROT_EXEC, MAP_SHARED, fd, 0) != MAP_FAILED ||
	    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0) !=
	    MAP_FAILED);
}

/* The x32 numbers, on the same architecture as the filter sees it. */
static bool
door_x32(void)
{
#ifdef __x86_64__
	return syscall(0x40000000L | SYS_getpid) > 0 ||
	    syscall(0x40000000L | 520) == 0;	/* execve */
#else
	return false;
#endif
}

const struct act doors_acts[] = {
	{ "use bpf", door_bpf },
	{ "use userfaultfd", door_uffd },
	{ "use perf_event_open", door_perf },
	{ "use io_uring", door_uring },
	{ "use io_setup", door_aio },
	{ "use IPC objects", door_ipc },
	{ "use the administrator's calls", door_admin },
	{ "replace the filter", door_seccomp },
	{ "type into a terminal", door_terminal },
	{ "run memory that was written", door_memory },
	{ "run a file that is shared and written", door_shared },
	{ "use x32 calls", door_x32 },
	{ 0 }
};

/* The 32-bit ABI: the filter ends the process for that. */
static bool
door_i386(void)
{
#ifdef __x86_64__
	long r = 20;		/* getpid */

	__asm__ volatile ("int $0x80" : "+a" (r) : : "memory", "cc", "r8",
	    "r9", "r10", "r11");
	return r > 0;
#else
	raise(SIGSYS);
	return false;
#endif
}

const struct act last_act = { "use the 32-bit calls", door_i386 };
