/* SPDX-License-Identifier: ISC */
#include "auth/confine.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <lmdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "net/connect.h"
#include "../../t.h"

static char dir[] = "/tmp/lemon-confine-XXXXXX";
static struct buf home, socket_path, datagram_path;
static int line[2];
static pid_t victim;
static unsigned short port;
static uid_t who;

/* Two of them are good at a time. */
static const char *
in_home(const char *name)
{
	static char path[2][256];
	static unsigned turn;
	char *p = path[turn++ % 2];

	snprintf(p, sizeof path[0], "%s%s", buf_cstr(&home), name);
	return p;
}

/* --- what must be refused: each gives true when it succeeded --- */

static bool
reads(const char *path)
{
	return open(path, O_RDONLY) >= 0;
}

static bool reads_passwd(void) { return reads("/etc/passwd"); }
static bool reads_root(void) { return reads("/"); }
static bool reads_proc(void) { return reads("/proc/1/status"); }
static bool reads_above(void) { return reads(in_home("/../other")); }

static bool
writes_tmp(void)
{
	return open("/tmp/lemon-confine-escape", O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool
renames_out(void)
{
	return rename(in_home("/file"), in_home("/../stolen")) == 0 &&
	    rename(in_home("/../stolen"), in_home("/file")) == 0;
}

static bool
links_in(void)
{
	return link("/etc/passwd", in_home("/passwd")) == 0;
}

static bool
follows_a_link(void)
{
	return reads(in_home("/link"));
}

static bool
makes_a_link(void)
{
	return symlink("/etc/passwd", in_home("/link2")) == 0;
}

static bool
makes_a_device(void)
{
	return mknod(in_home("/null"), S_IFCHR | 0600, 0x103) == 0;
}

static bool
executes(void)
{
	int fd = dup(2);

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return execl("/bin/true", "true", (char *)NULL) == 0 ||
	    syscall(SYS_execveat, AT_FDCWD, "/bin/true",
	    (char *[]){ NULL }, (char *[]){ NULL }, 0) == 0;
}

static bool
forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool
opens_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ||
	    socket(AF_INET6, SOCK_STREAM, 0) >= 0;
}

static bool opens_udp(void) { return socket(AF_INET, SOCK_DGRAM, 0) >= 0; }
static bool opens_raw(void) { return socket(AF_PACKET, SOCK_RAW, 0) >= 0; }

static bool
connects_tcp(void)
{
	struct buf b = { 0 };
	const char *why;

	buf_addf(&b, "127.0.0.1:%d", (int)port);
	return connect_to(buf_span(&b), "1", 0, &why) >= 0;
}

static bool
connects_unix(void)
{
	const char *why;

	return connect_unix(buf_cstr(&socket_path), 0, &why) >= 0;
}

/* The mail of other users may belong to the same uid. */
static bool
changes_modes(void)
{
	const char *path = in_home("/../other");

	return chmod(path, 0600) == 0 ||
	    fchmodat(AT_FDCWD, path, 0600, 0) == 0 ||
	    fchmod(open(path, O_PATH), 0600) == 0;
}

static bool
cuts(void)
{
	return truncate(in_home("/../other"), 0) == 0;
}

static bool
changes_times(void)
{
	const char *path = in_home("/../other");

	return utimes(path, NULL) == 0 ||
	    utimensat(AT_FDCWD, path, NULL, 0) == 0 ||
	    utimensat(open(path, O_PATH), "", NULL, 0x1000) == 0;
}

/* A datagram needs no connection, so an address is enough. */
static bool
sends_a_datagram(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct span path = buf_span(&datagram_path);
	int s[2];

	memcpy(un.sun_path, path.p, path.n);
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0 &&
	    sendto(s[0], "x", 1, 0, (struct sockaddr *)&un, sizeof un) == 1;
}

static bool kills(void) { return kill(victim, SIGCONT) == 0; }
static bool kills_all(void) { return kill(-1, SIGCONT) == 0; }
static bool kills_group(void) { return kill(0, SIGCONT) == 0; }

static bool
signals_by_fcntl(void)
{
	int fd = open(in_home("/file"), O_RDONLY);

	return fcntl(fd, F_SETOWN, victim) == 0 ||
	    fcntl(fd, F_SETSIG, SIGKILL) == 0;
}

static bool
traces(void)
{
	return ptrace(PTRACE_ATTACH, victim, NULL, NULL) == 0 ||
	    ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool
reads_memory(void)
{
	char c;

	return syscall(SYS_process_vm_readv, victim, &c, 0, NULL, 0, 0) == 0;
}

static bool becomes_root(void) { return setuid(0) == 0; }
static bool sets_uid(void) { return setresuid(who, who, who) == 0; }
static bool sets_gid(void) { return setgid(getgid()) == 0; }
static bool sets_groups(void) { return setgroups(0, NULL) == 0; }
static bool unshares(void) { return syscall(SYS_unshare, 0x10000000) == 0; }
static bool is_dumpable(void) { return prctl(PR_SET_DUMPABLE, 1) == 0; }

static bool
raises_limits(void)
{
	struct rlimit r = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &r) == 0;
}

static bool
runs_written_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ||
	    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
types_into_a_terminal(void)
{
	return ioctl(0, 0x5412, "x") == 0 || errno != EPERM;	/* TIOCSTI */
}

static bool
uses_odd_calls(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno != ENOSYS ||
	    syscall(SYS_clone3, NULL, 0) >= 0 || errno != ENOSYS ||
	    syscall(9999) >= 0 || errno != ENOSYS ||
	    syscall(SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM ||
	    syscall(SYS_userfaultfd, 0) >= 0 || errno != EPERM ||
	    syscall(SYS_keyctl, 0, 0) >= 0 || errno != EPERM;
}

/* --- what must still work: each gives true when it did --- */

static bool
delivers(void)
{
	int d = open(buf_cstr(&home), O_RDONLY | O_DIRECTORY);
	struct stat st;

	if (mkdirat(d, "new", 0700) < 0 || mkdirat(d, "tmp", 0700) < 0)
		return false;
	int fd = openat(d, "tmp/m", O_RDWR | O_CREAT | O_EXCL, 0600);

	return file_write(fd, SPAN("mail\n")) == 0 && fsync(fd) == 0 &&
	    ftruncate(fd, 3) == 0 &&
	    syscall(SYS_renameat2, d, "tmp/m", d, "new/m", 1) == 0 &&
	    fsync(d) == 0 && linkat(d, "new/m", d, "tmp/m2", 0) == 0 &&
	    futimens(fd, NULL) == 0 && fchmod(fd, 0600) == 0 &&
	    fstatat(d, "new/m", &st, 0) == 0 && st.st_size == 3 &&
	    unlinkat(d, "tmp/m2", 0) == 0 && unlinkat(d, "new/m", 0) == 0 &&
	    unlinkat(d, "new", AT_REMOVEDIR) == 0 &&
	    unlinkat(d, "tmp", AT_REMOVEDIR) == 0 &&
	    posix_fallocate(fd, 0, 4096) == 0 &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0 && file_lock(fd, true, 0) == 0;
}

static bool
indexes(void)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = { 1, (void *)(uintptr_t)"k" };
	bool good = mdb_env_create(&env) == 0 &&
	    mdb_env_open(env, in_home("/db"), MDB_NOSUBDIR, 0600) == 0 &&
	    mdb_txn_begin(env, NULL, 0, &txn) == 0 &&
	    mdb_dbi_open(txn, NULL, 0, &dbi) == 0 &&
	    mdb_put(txn, dbi, &k, &k, 0) == 0 && mdb_txn_commit(txn) == 0 &&
	    mdb_reader_check(env, NULL) == 0;

	mdb_env_close(env);
	unlink(in_home("/db"));
	unlink(in_home("/db-lock"));
	return good;
}

static bool
hears(void)
{
	int i = inotify_init1(IN_CLOEXEC);
	struct pollfd p[2] = { { .fd = i, .events = POLLIN } };
	char c;

	if (i < 0 || inotify_add_watch(i, buf_cstr(&home), IN_CREATE) < 0 ||
	    mkfifo(in_home("/bell"), 0600) < 0)
		return false;
	int r = open(in_home("/bell"), O_RDONLY | O_NONBLOCK);
	int w = open(in_home("/bell"), O_WRONLY | O_NONBLOCK);

	p[1] = (struct pollfd){ .fd = r, .events = POLLIN };
	return write(w, "!", 1) == 1 && poll(p, 2, 1000) == 2 &&
	    read(r, &c, 1) == 1 && unlink(in_home("/bell")) == 0;
}

static bool
loads_libraries(void)
{
	/* Whatever is there; the test machine need not have it. */
	if (access("/usr/lib/x86_64-linux-gnu/libicuuc.so.72", F_OK) < 0)
		return true;
	return dlopen("libicuuc.so.72", RTLD_NOW | RTLD_LOCAL) != NULL;
}

static bool
knows_the_time(void)
{
	time_t t = 0;
	char text[32];

	setenv("TZ", "Asia/Tokyo", 1);
	if (access("/usr/share/zoneinfo/Asia/Tokyo", F_OK) < 0)
		return true;
	return strftime(text, sizeof text, "%H", localtime(&t)) == 2 &&
	    strcmp(text, "09") == 0;
}

static bool
allocates(void)
{
	char r[8], *p = malloc(1 << 26);

	if (p == NULL)
		return false;
	memset(p, 1, 1 << 26);
	p = realloc(p, 1 << 27);
	free(p);
	random_fill(r, sizeof r);
	return p != NULL;
}

static bool
talks(void)
{
	char c;

	return send(line[0], "x", 1, MSG_DONTWAIT) == 1 &&
	    recv(line[1], &c, 1, MSG_DONTWAIT) == 1 && kill(getpid(), 0) == 0;
}

struct act {
	const char *name;
	bool (*run)(void);
	bool control;		/* it succeeds where nothing is confined */
};

static const struct act forbidden[] = {
	{ "reading /etc/passwd", reads_passwd, true },
	{ "reading /", reads_root, true },
	{ "reading /proc", reads_proc, true },
	{ "reading beside the home", reads_above, true },
	{ "reading through a link in the home", follows_a_link, true },
	{ "writing to /tmp", writes_tmp, true },
	{ "moving a file out of the home", renames_out, true },
	{ "linking a file into the home", links_in, false },
	{ "making a symbolic link", makes_a_link, true },
	{ "making a device", makes_a_device, false },
	{ "running a program", executes, false },
	{ "forking", forks, true },
	{ "a TCP socket", opens_tcp, true },
	{ "a UDP socket", opens_udp, true },
	{ "a packet socket", opens_raw, false },
	{ "a TCP connection", connects_tcp, true },
	{ "a UNIX connection", connects_unix, true },
	{ "a datagram to a UNIX socket", sends_a_datagram, true },
	{ "changing the mode of a file elsewhere", changes_modes, true },
	{ "cutting a file elsewhere", cuts, true },
	{ "changing the times of a file elsewhere", changes_times, true },
	{ "a signal to another process of the same user", kills, true },
	{ "a signal to all", kills_all, false },
	{ "a signal to the group", kills_group, true },
	{ "a signal by F_SETOWN", signals_by_fcntl, true },
	{ "tracing another process", traces, false },
	{ "reading another process's memory", reads_memory, false },
	{ "becoming root", becomes_root, false },
	{ "setting the user", sets_uid, true },
	{ "setting the group", sets_gid, true },
	{ "setting the groups", sets_groups, false },
	{ "a new user name space", unshares, false },
	{ "becoming dumpable again", is_dumpable, true },
	{ "changing limits", raises_limits, true },
	{ "running memory that was written", runs_written_memory, true },
	{ "typing into the terminal", types_into_a_terminal, false },
	{ "calls nobody needs", uses_odd_calls, false },
};

static const struct act allowed[] = {
	{ "delivering a message", delivers, true },
	{ "an LMDB index", indexes, true },
	{ "inotify and a FIFO", hears, true },
	{ "loading ICU", loads_libraries, true },
	{ "the time zones", knows_the_time, true },
	{ "memory and random octets", allocates, true },
	{ "the connection that is open", talks, true },
};

/* What became of an act in a process of its own: 1 it succeeded, 0 it did
 * not, else something went wrong. */
static int
outcome(bool (*run)(void), bool confined, bool connect)
{
	const char *dirs[] = { buf_cstr(&home), "/nonexistent", NULL };
	struct confine c = { .dirs = dirs, .connect = connect };
	struct account a = { .uid = who, .gid = (gid_t)who };
	const char *why = "";
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		/* kill(0) and kill(-1) are for this process alone to feel. */
		setpgid(0, 0);
		signal(SIGCONT, SIG_IGN);
		if (confine_become(&a, &why) < 0 ||
		    (confined && confine_paths(&c, &why) < 0)) {
			printf("# %s\n", why);
			fflush(stdout);
			_exit(9);
		}
		_exit(run());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static bool
is_full(void)
{
	return strcmp(confine_level(), "full") == 0;
}

static bool
is_none(void)
{
	return strcmp(confine_level(), "none") == 0;
}

/* A confined process cannot read its own status, so its parent does. */
static void
status(void)
{
	const char *dirs[] = { buf_cstr(&home), NULL };
	struct confine c = { .dirs = dirs };
	struct account a = { .uid = who, .gid = (gid_t)who };
	struct buf b = { 0 }, name = { 0 };
	const char *why = "";
	int up[2], down[2];
	char x;

	if (pipe(up) < 0 || pipe(down) < 0)
		exit(1);
	pid_t pid = fork();

	if (pid == 0) {
		close(down[1]);
		if (confine_become(&a, &why) == 0 &&
		    confine_paths(&c, &why) == 0 && write(up[1], "x", 1) == 1)
			(void)!read(down[0], &x, 1);
		_exit(0);
	}
	close(up[1]);
	ok(read(up[0], &x, 1) == 1, "a confined process");
	buf_addf(&name, "/proc/%d/status", (int)pid);
	int fd = open(buf_cstr(&name), O_RDONLY);

	ok(fd >= 0 && file_read_fd(fd, 65536, &b) == 0, "has a status");
	struct span s = buf_span(&b);

	ok(span_find(s, SPAN("NoNewPrivs:\t1\n")) < s.n, "no new privileges");
	ok(span_find(s, SPAN("Seccomp:\t2\n")) < s.n, "a seccomp filter");
	ok(span_find(s, SPAN("CapEff:\t0000000000000000\n")) < s.n &&
	    span_find(s, SPAN("CapPrm:\t0000000000000000\n")) < s.n,
	    "no capabilities");
	ok(geteuid() != 0 || span_find(s, SPAN("Groups:\t \n")) < s.n,
	    "no supplementary groups");
	close(down[1]);
	waitpid(pid, NULL, 0);
	close(fd);
	buf_free(&b);
	buf_free(&name);
}

/* The home of a user, for a server that is somebody else. */
static void
closed_door(void)
{
	struct buf closed = { 0 }, mail = { 0 };
	struct account a = { .uid = who, .gid = (gid_t)who };
	const char *why;
	int status = -1;

	buf_addf(&closed, "%s/closed", dir);
	buf_addf(&mail, "%s/closed/Maildir", dir);
	mkdir(buf_cstr(&closed), 0);
	pid_t pid = fork();

	if (pid == 0) {
		const char *dirs[] = { buf_cstr(&mail), buf_cstr(&home), NULL };
		struct confine c = { .dirs = dirs };

		_exit(confine_become(&a, &why) == 0 &&
		    confine_paths(&c, &why) == 0 && is_full() &&
		    reads(in_home("/file")) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	ok(status == 0, "what may not be entered keeps from nothing else");
	rmdir(buf_cstr(&closed));
	buf_free(&closed);
	buf_free(&mail);
}

static void
refusals(void)
{
	const char *why = "";
	struct account a = { .uid = 0, .gid = 0 };

	if (geteuid() == 0) {
		ok(confine_become(&a, &why) < 0, "root serves no mail");
		a.uid = (uid_t)-1;
		ok(confine_become(&a, &why) < 0, "nor where nobody is named");
		a.uid = 1;
		ok(confine_become(&a, &why) < 0, "nor the group root");
		ok(geteuid() == 0, "and nothing was done by halves");
	} else {
		a.uid = geteuid() + 1;
		ok(confine_become(&a, &why) < 0, "another's mail");
	}
}

/* landlock_enter and seccomp_enter are tried together: what one lets pass
 * the other one must stop.
 * A home, a file beside it, a link out of it, listeners, and a process of
 * the same user to molest. */
static void
stage(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t n = sizeof in;

	if (mkdtemp(dir) == NULL || chmod(dir, 0777) < 0)
		exit(1);
	who = geteuid() == 0 ? 65534 : geteuid();
	buf_addf(&home, "%s/home", dir);
	buf_addf(&socket_path, "%s/socket", dir);
	buf_addf(&datagram_path, "%s/datagram", dir);
	mkdir(buf_cstr(&home), 0700);
	close(open(in_home("/file"), O_WRONLY | O_CREAT, 0644));
	close(open(in_home("/../other"), O_WRONLY | O_CREAT, 0644));
	if (symlink("/etc/passwd", in_home("/link")) < 0 ||
	    (geteuid() == 0 && (chown(buf_cstr(&home), who, who) < 0 ||
	    chown(in_home("/file"), who, who) < 0 ||
	    chown(in_home("/../other"), who, who) < 0)))
		exit(1);

	int l = socket(AF_INET, SOCK_STREAM, 0);
	int u = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof un.sun_path, "%s",
	    buf_cstr(&socket_path));
	if (bind(l, (struct sockaddr *)&in, n) < 0 || listen(l, 99) < 0 ||
	    getsockname(l, (struct sockaddr *)&in, &n) < 0 ||
	    bind(u, (struct sockaddr *)&un, sizeof un) < 0 ||
	    listen(u, 99) < 0 || chmod(un.sun_path, 0777) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, line) < 0)
		exit(1);
	int g = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(un.sun_path, sizeof un.sun_path, "%s",
	    buf_cstr(&datagram_path));
	if (bind(g, (struct sockaddr *)&un, sizeof un) < 0 ||
	    chmod(un.sun_path, 0777) < 0)
		exit(1);
	port = ntohs(in.sin_port);
	victim = fork();
	if (victim == 0) {
		struct account a = { .uid = who, .gid = (gid_t)who };
		const char *why;

		confine_become(&a, &why);
		prctl(PR_SET_DUMPABLE, 1);
		pause();
		_exit(0);
	}
}

static void
unstage(void)
{
	const char *const gone[] = { "/file", "/link", "/link2", "/passwd",
		"/../stolen", "/../other", "/../socket", "/null",
		"/../datagram" };

	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	for (size_t i = 0; i < COUNT(gone); i++)
		unlink(in_home(gone[i]));
	unlink("/tmp/lemon-confine-escape");
	rmdir(buf_cstr(&home));
	ok(rmdir(dir) == 0, "nothing is left");
}

int
main(void)
{
	int bad = 0;

	stage();
	if (outcome(is_none, true, false) == 1) {
		unstage();
		ok(true, "skipped: this kernel or build confines nothing");
		return done();
	}
	refusals();
	ok(outcome(is_full, true, false) == 1, "confinement is full");
	ok(outcome(is_none, false, false) == 1, "or none");
	for (size_t i = 0; i < COUNT(forbidden); i++)
		ok(outcome(forbidden[i].run, true, false) == 0,
		    forbidden[i].name);
	for (size_t i = 0; i < COUNT(allowed); i++)
		ok(outcome(allowed[i].run, true, false) == 1,
		    allowed[i].name);
	ok(outcome(connects_unix, true, true) == 1,
	    "a UNIX connection where that was asked for");
	ok(outcome(connects_tcp, true, true) == 0, "but no TCP even then");
	status();
	closed_door();
	for (size_t i = 0; i < COUNT(forbidden); i++)
		if (forbidden[i].control)
			bad += outcome(forbidden[i].run, false, false) != 1;
	ok(bad == 0, "without confinement these acts succeed");
	unstage();
	buf_free(&home);
	buf_free(&socket_path);
	buf_free(&datagram_path);
	return done();
}
