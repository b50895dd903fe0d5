/* SPDX-License-Identifier: ISC */
/*
 * What a session does that somebody else has taken over: linked into the
 * real programs by the Makefile (build/evil), never into what is installed.
 * The linker sends their calls of confine_paths, and of what reads the first
 * command after it, here (--wrap).  Then everything is tried that must not
 * succeed, in the session's own process, and each outcome is a line of
 * standard error: "evil: refused NAME", or "evil: DONE NAME".
 *
 * From the environment: EVIL_HOME the Maildir, EVIL_OTHER another user's,
 * EVIL_CONTROL the control directory, EVIL_VICTIM a process of the same user,
 * EVIL_PORT where somebody listens on loopback, EVIL_SOCKET the same on a UNIX
 * socket.  With EVIL_LAST one more act follows, which ends the process where it
 * is refused; with EVIL_OPEN nothing is confined.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "auth/confine.h"
#include "base/die.h"
#include "imap/reader.h"
#include "smtp/param.h"

int __real_confine_paths(const struct confine *c, const char **why);
int __wrap_confine_paths(const struct confine *c, const char **why);
enum reader_result __real_reader_command(struct reader *r, struct lex *l,
    const char **why);
enum reader_result __wrap_reader_command(struct reader *r, struct lex *l,
    const char **why);
bool __real_smtp_mail_parse(struct span args, unsigned features,
    unsigned allow, struct arena *a, struct smtp_mail *m,
    struct smtp_reply *why);
bool __wrap_smtp_mail_parse(struct span args, unsigned features,
    unsigned allow, struct arena *a, struct smtp_mail *m,
    struct smtp_reply *why);

/* --- where --- */

/* VARIABLE's value and what follows.  Four of them are good at a time. */
static const char *
at(const char *variable, const char *rest)
{
	static char path[4][512];
	static unsigned turn;
	char *p = path[turn++ % 4];
	const char *value = getenv(variable);

	snprintf(p, sizeof path[0], "%s%s", value == NULL ? "/none" : value,
	    rest);
	return p;
}

static const char *home(const char *rest) { return at("EVIL_HOME", rest); }
static const char *other(const char *rest) { return at("EVIL_OTHER", rest); }

static pid_t
victim(void)
{
	return (pid_t)strtol(at("EVIL_VICTIM", ""), NULL, 10);
}

static const char *
proc(pid_t pid, const char *name)
{
	static char path[64];

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	return path;
}

static bool reads(const char *path) { return open(path, O_RDONLY) >= 0; }

static bool
writes(const char *path)
{
	return open(path, O_WRONLY) >= 0;
}

static bool
makes(const char *path)
{
	return open(path, O_WRONLY | O_CREAT, 0600) >= 0;
}

/* --- other people's files --- */

static bool other_read(void) { return reads(other("/new/1.secret")); }
static bool other_list(void) { return reads(other("/new")); }
static bool other_write(void) { return writes(other("/new/1.secret")); }
static bool other_make(void) { return makes(other("/new/2.evil")); }
static bool other_unlink(void) { return unlink(other("/new/1.secret")) == 0; }
static bool other_mkdir(void) { return mkdir(other("/evil"), 0700) == 0; }
static bool other_rmdir(void) { return rmdir(other("/tmp")) == 0; }
static bool other_cut(void) { return truncate(other("/new/1.secret"), 0) == 0; }
static bool other_mode(void) { return chmod(other("/new"), 0777) == 0; }
static bool other_owner(void) { return chown(other("/new"), getuid(), -1u) == 0; }
static bool other_times(void) { return utimes(other("/new"), NULL) == 0; }

static bool
other_rename(void)
{
	return rename(other("/new/1.secret"), home("/new/stolen")) == 0;
}

static bool
other_link(void)
{
	return link(other("/new/1.secret"), home("/new/linked")) == 0;
}

static bool
other_by_link(void)
{
	return reads(home("/planted"));
}

static bool
other_by_dots(void)
{
	int fd = open(home(""), O_RDONLY | O_DIRECTORY);

	return openat(fd, "../../bob/Maildir/new/1.secret", O_RDONLY) >= 0;
}

static bool
other_by_chdir(void)
{
	return chdir(other("")) == 0 && reads("new/1.secret");
}

static bool
other_by_path_fd(void)
{
	int fd = open(other("/new/1.secret"), O_PATH);

	char name[16];

	snprintf(name, sizeof name, "fd/%d", fd);
	return fd >= 0 && reads(proc(getpid(), name));
}

static bool
other_xattr(void)
{
	return setxattr(other("/new"), "user.evil", "x", 1, 0) == 0;
}

static bool
other_handle(void)
{
	char room[sizeof(struct file_handle) + 128] = { 0 };
	struct file_handle *h = (struct file_handle *)room;
	int mount;

	h->handle_bytes = 128;
	return name_to_handle_at(AT_FDCWD, other("/new/1.secret"), h, &mount,
	    0) == 0 || open_by_handle_at(AT_FDCWD, h, O_RDONLY) >= 0;
}

static bool
other_openat2(void)
{
	uint64_t how[3] = { O_RDONLY, 0, 0 };

	return syscall(SYS_openat2, AT_FDCWD, other("/new/1.secret"), how,
	    sizeof how) >= 0;
}

/* --- the system's --- */

static bool sees_shadow(void) { return reads("/etc/shadow"); }
static bool sees_passwd(void) { return reads("/etc/passwd"); }
static bool sees_root(void) { return reads("/"); }
static bool sees_homes(void) { return reads(home("/../..")); }
static bool sees_init(void) { return reads("/proc/1/environ"); }
static bool sees_self(void) { return reads("/proc/self/environ"); }
static bool sees_null(void) { return writes("/dev/null"); }
static bool sees_memory(void) { return reads("/dev/mem"); }
static bool sees_kernel(void) { return reads("/proc/kallsyms"); }
static bool makes_in_tmp(void) { return makes("/var/tmp/lemon-evil"); }
static bool makes_in_shm(void) { return makes("/dev/shm/lemon-evil"); }
static bool makes_above(void) { return makes(home("/../evil")); }
static bool makes_in_lib(void) { return makes("/usr/lib/lemon-evil"); }
static bool writes_self(void) { return writes("/proc/self/mem"); }

static bool
makes_nameless(void)
{
	return open("/var/tmp", O_TMPFILE | O_RDWR, 0600) >= 0;
}

static bool
sees_verifiers(void)
{
	return reads(at("EVIL_CONTROL", "/users/bob/verifier"));
}

static bool
sees_certificate(void)
{
	return reads(at("EVIL_CONTROL", "/tls.pem"));
}

static bool
changes_control(void)
{
	return makes(at("EVIL_CONTROL", "/users/alice/verifier")) ||
	    makes(at("EVIL_CONTROL", "/evil"));
}

static bool
moves_out(void)
{
	makes(home("/mine"));
	return rename(home("/mine"), home("/../mine")) == 0 ||
	    link(home("/mine"), home("/../mine")) == 0;
}

static bool
links_symbolically(void)
{
	return symlink("/etc/passwd", home("/evil")) == 0 ||
	    symlinkat("/etc/passwd", AT_FDCWD, home("/evil")) == 0;
}

static bool
makes_setuid(void)
{
	int fd = open(home("/mine"), O_WRONLY | O_CREAT, 0600);

	return fchmod(fd, 04755) == 0 || fchmod(fd, 02755) == 0 ||
	    open(home("/suid"), O_WRONLY | O_CREAT, 04755) >= 0 ||
	    openat(AT_FDCWD, home("/suid"), O_WRONLY | O_CREAT, 06755) >= 0 ||
	    mknod(home("/suid"), S_IFREG | 04755, 0) == 0;
}

static bool
makes_device(void)
{
	return mknod(home("/mem"), S_IFCHR | 0600, 0x101) == 0 ||
	    mknod(home("/sock"), S_IFSOCK | 0600, 0) == 0;
}

static bool gives_away(void)
{
	return fchown(open(home("/mine"), O_WRONLY), 0, 0) == 0;
}

static bool
hears_all(void)
{
	return fanotify_init(FAN_CLASS_NOTIF, O_RDONLY) >= 0;
}

/* --- the network --- */

static bool
opens(int family, int type, int protocol)
{
	return socket(family, type, protocol) >= 0;
}

static bool net_tcp(void) { return opens(AF_INET, SOCK_STREAM, 0); }
static bool net_tcp6(void) { return opens(AF_INET6, SOCK_STREAM, 0); }
static bool net_udp(void) { return opens(AF_INET, SOCK_DGRAM, 0); }
static bool net_raw(void) { return opens(AF_INET, SOCK_RAW, 1); }
static bool net_packet(void) { return opens(AF_PACKET, SOCK_RAW, 0); }
static bool net_netlink(void) { return opens(AF_NETLINK, SOCK_RAW, 0); }
static bool net_vsock(void) { return opens(40, SOCK_STREAM, 0); }
static bool net_alg(void) { return opens(38, SOCK_SEQPACKET, 0); }
static bool net_listen(void) { return listen(0, 1) == 0; }
static bool net_accept(void) { return accept(0, NULL, NULL) >= 0; }

static struct sockaddr_in
tcp(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtol(at("EVIL_PORT", ""), NULL,
		10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Over a socket of our own, or the client's. */
static bool
net_connect(void)
{
	struct sockaddr_in to = tcp();
	int s = socket(AF_INET, SOCK_STREAM, 0);

	return connect(s < 0 ? 0 : s, (struct sockaddr *)&to, sizeof to) == 0;
}

static bool
net_send(void)
{
	struct sockaddr_in to = tcp();
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	return sendto(s < 0 ? 0 : s, "x", 1, MSG_NOSIGNAL,
	    (struct sockaddr *)&to, sizeof to) == 1;
}

static bool
net_fastopen(void)
{
	struct sockaddr_in to = tcp();
	int s = socket(AF_INET, SOCK_STREAM, 0);

	return s >= 0 && sendto(s, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
	    (struct sockaddr *)&to, sizeof to) == 1;
}

static bool
net_bind(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	return bind(s < 0 ? 0 : s, (struct sockaddr *)&to, sizeof to) == 0;
}

static bool
net_unix_bind(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	const char *path = home("/bound");

	memcpy(un.sun_path, path, strnlen(path, sizeof un.sun_path - 1));
	return s >= 0 && bind(s, (struct sockaddr *)&un, sizeof un) == 0;
}

/* lemon-submit may: local delivery is behind one. */
static bool
net_unix(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	const char *path = at("EVIL_SOCKET", "");

	memcpy(un.sun_path, path, strnlen(path, sizeof un.sun_path - 1));
	return s >= 0 && connect(s, (struct sockaddr *)&un, sizeof un) == 0;
}

static bool
net_pair(void)
{
	int s[2];

	return socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0;
}

/* --- programs and processes --- */

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
	return other_read() ? arg : NULL;
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

/* --- privileges --- */

static bool root_uid(void) { return setuid(0) == 0 || seteuid(0) == 0; }
static bool root_gid(void) { return setgid(0) == 0 || setregid(0, 0) == 0; }
static bool root_groups(void) { gid_t g = 0; return setgroups(1, &g) == 0; }

static bool
root_files(void)
{
	setfsuid(0);
	return errno != EPERM;
}

static bool
capable(void)
{
	struct __user_cap_header_struct h = {
		_LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { ~0u, ~0u, ~0u },
		{ ~0u, ~0u, ~0u } };

	return syscall(SYS_capset, &h, d) == 0;
}

static bool dumps(void) { return prctl(PR_SET_DUMPABLE, 1) == 0; }
static bool names_tracer(void) { return prctl(PR_SET_PTRACER, -1L) == 0; }
static bool ambient(void) { return prctl(PR_CAP_AMBIENT, 2, 1, 0, 0) == 0; }
static bool securebits(void) { return prctl(PR_SET_SECUREBITS, 0) == 0; }
static bool keeps_caps(void) { return prctl(PR_SET_KEEPCAPS, 1) == 0; }
static bool outlives(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0; }
static bool changes_persona(void) { return personality(ADDR_NO_RANDOMIZE) >= 0; }
static bool space_user(void) { return syscall(SYS_unshare, CLONE_NEWUSER) == 0; }
static bool space_files(void) { return syscall(SYS_unshare, CLONE_NEWNS) == 0; }
static bool space_enter(void) { return syscall(SYS_setns, 0, 0) == 0; }
static bool roots(void) { return chroot(home("")) == 0; }

static bool
mounts(void)
{
	return mount("none", home(""), "tmpfs", 0, NULL) == 0 ||
	    umount2("/", MNT_DETACH) == 0 ||
	    syscall(SYS_pivot_root, ".", ".") == 0;
}

/* The newer way: open_tree, move_mount, fsopen, fsconfig, fsmount,
 * mount_setattr. */
static bool
mounts_anew(void)
{
	static const long nr[] = { 428, 429, 430, 431, 432, 442 };

	for (size_t i = 0; i < COUNT(nr); i++)
		if (syscall(nr[i], 0, "", 0, 0, 0) >= 0 || errno != ENOSYS)
			return true;
	return false;
}

static bool
keys(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
	    KEY_SPEC_SESSION_KEYRING, 1) >= 0 ||
	    syscall(SYS_add_key, "user", "evil", "x", 1,
	    KEY_SPEC_PROCESS_KEYRING) >= 0 ||
	    syscall(SYS_request_key, "user", "evil", NULL, 0) >= 0;
}

/* --- the kernel's wide doors --- */

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

struct act {
	const char *name;
	bool (*run)(void);
};

static const struct act acts[] = {
	{ "read another user's message", other_read },
	{ "list another user's mail", other_list },
	{ "write to another user's message", other_write },
	{ "put a message into another user's mail", other_make },
	{ "remove another user's message", other_unlink },
	{ "make a directory in another user's mail", other_mkdir },
	{ "remove a directory from another user's mail", other_rmdir },
	{ "cut another user's message", other_cut },
	{ "change modes in another user's mail", other_mode },
	{ "change owners in another user's mail", other_owner },
	{ "change times in another user's mail", other_times },
	{ "take another user's message away", other_rename },
	{ "link another user's message here", other_link },
	{ "follow a link to another user's message", other_by_link },
	{ "go to another user's message by ..", other_by_dots },
	{ "go into another user's directory", other_by_chdir },
	{ "open another user's message by /proc", other_by_path_fd },
	{ "set another user's attributes", other_xattr },
	{ "open another user's message by its handle", other_handle },
	{ "open another user's message by openat2", other_openat2 },
	{ "read /etc/shadow", sees_shadow },
	{ "read /etc/passwd", sees_passwd },
	{ "list /", sees_root },
	{ "list the homes", sees_homes },
	{ "read the environment of init", sees_init },
	{ "read one's own environment in /proc", sees_self },
	{ "write to one's own memory in /proc", writes_self },
	{ "open /dev/null to write", sees_null },
	{ "open /dev/mem", sees_memory },
	{ "read the kernel's symbols", sees_kernel },
	{ "make a file in /var/tmp", makes_in_tmp },
	{ "make a file without a name", makes_nameless },
	{ "make a file in /dev/shm", makes_in_shm },
	{ "make a file beside the Maildir", makes_above },
	{ "make a file among the libraries", makes_in_lib },
	{ "read another account's verifiers", sees_verifiers },
	{ "read the certificate's key", sees_certificate },
	{ "change the control directory", changes_control },
	{ "move a file out of the Maildir", moves_out },
	{ "make a symbolic link", links_symbolically },
	{ "make a set-uid file", makes_setuid },
	{ "make a device or a socket file", makes_device },
	{ "give a file away", gives_away },
	{ "hear of all files by fanotify", hears_all },
	{ "open a TCP socket", net_tcp },
	{ "open a TCP socket of IPv6", net_tcp6 },
	{ "open a UDP socket", net_udp },
	{ "open a raw socket", net_raw },
	{ "open a packet socket", net_packet },
	{ "open a netlink socket", net_netlink },
	{ "open a vsock socket", net_vsock },
	{ "open a crypto socket", net_alg },
	{ "connect by TCP", net_connect },
	{ "connect by TCP fast open", net_fastopen },
	{ "send a datagram", net_send },
	{ "bind a port", net_bind },
	{ "bind a UNIX socket", net_unix_bind },
	{ "connect to a UNIX socket", net_unix },
	{ "listen", net_listen },
	{ "accept", net_accept },
	{ "make a socket pair", net_pair },
	{ "run a program", run_program },
	{ "run a program by execveat", run_at },
	{ "run a program from memory", run_memory },
	{ "run a file of one's own", run_own },
	{ "fork", run_fork },
	{ "clone", run_clone },
	{ "clone3", run_clone3 },
	{ "start a thread", run_thread },
	{ "read another user's mail in a thread", thread_reads },
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
	{ "become root", root_uid },
	{ "become root's group", root_gid },
	{ "join groups", root_groups },
	{ "become root for files", root_files },
	{ "gain capabilities", capable },
	{ "become dumpable", dumps },
	{ "let itself be traced", names_tracer },
	{ "raise an ambient capability", ambient },
	{ "change the secure bits", securebits },
	{ "keep capabilities", keeps_caps },
	{ "become a reaper", outlives },
	{ "change its personality", changes_persona },
	{ "make a user name space", space_user },
	{ "make a mount name space", space_files },
	{ "enter a name space", space_enter },
	{ "chroot", roots },
	{ "mount", mounts },
	{ "mount by the newer calls", mounts_anew },
	{ "use keys", keys },
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
};

static void
tell(const struct act *a)
{
	errno = 0;
	bool done = a->run();
	char line[160];
	int n = snprintf(line, sizeof line, "evil: %s %s\n",
	    done ? "DONE" : "refused", a->name);

	if (write(2, line, (size_t)n) != n)
		_exit(99);
}

static void
attack(void)
{
	static const struct act last = { "use the 32-bit calls", door_i386 };

	for (size_t i = 0; i < COUNT(acts); i++)
		tell(&acts[i]);
	if (getenv("EVIL_LAST") != NULL)
		tell(&last);
}

/* --- when --- */

static bool armed;

static void
first_time(void)
{
	bool now = armed;

	armed = false;
	if (now)
		attack();
}

int
__wrap_confine_paths(const struct confine *c, const char **why)
{
	bool open = getenv("EVIL_OPEN") != NULL;
	int r = open ? 0 : __real_confine_paths(c, why);

	/* Where nothing is confined, as under a sanitizer, it would do all of
	 * it. */
	armed = r == 0 && (open || strcmp(confine_level(), "full") == 0);
	/* It has no command after that. */
	if (strcmp(program_name(), "lemon-deliver") == 0)
		first_time();
	return r;
}

enum reader_result
__wrap_reader_command(struct reader *r, struct lex *l, const char **why)
{
	first_time();
	return __real_reader_command(r, l, why);
}

bool
__wrap_smtp_mail_parse(struct span args, unsigned features, unsigned allow,
    struct arena *a, struct smtp_mail *m, struct smtp_reply *why)
{
	first_time();
	return __real_smtp_mail_parse(args, features, allow, a, m, why);
}
