/* SPDX-License-Identifier: ISC */
#include "auth/checkpassword.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

enum {
	CREDENTIALS_MAX = 512,	/* the interface's own limit */
	REPLY_MAX = 8192,
	WORDS_MAX = 64,
	HIGH = 10		/* above every descriptor the child is given */
};

extern char **environ;

/* --- the reply --- */

static const char magic[] = "lemon-checkreply 1";

static void
add_string(struct buf *to, const char *s)
{
	buf_adds(to, s);
	buf_addc(to, '\0');
}

void
checkreply_make(struct buf *to, const char *user, const char *home,
    const char *maildir, uid_t uid, gid_t gid)
{
	add_string(to, magic);
	add_string(to, user);
	add_string(to, home);
	add_string(to, maildir);
	buf_addu(to, uid);
	buf_addc(to, '\0');
	buf_addu(to, gid);
	buf_addc(to, '\0');
}

bool
checkreply_parse(struct span reply, struct account *a)
{
	uint64_t uid, gid;

	memset(a, 0, sizeof *a);
	if (!span_eq(span_cut(&reply, '\0'), span_str(magic)))
		return false;
	struct span user = span_cut(&reply, '\0');
	struct span home = span_cut(&reply, '\0');
	struct span maildir = span_cut(&reply, '\0');

	if (!account_foreign(user) || home.n == 0 || home.p[0] != '/' ||
	    !span_u64(span_cut(&reply, '\0'), (uid_t)-2, &uid) ||
	    !span_u64(span_cut(&reply, '\0'), (gid_t)-2, &gid) ||
	    reply.p == NULL || reply.n != 0)
		return false;
	memcpy(a->name, user.p, user.n);
	memcpy(a->label, "-", 2);
	buf_add(&a->home, home);
	buf_add(&a->maildir, maildir);
	a->uid = (uid_t)uid;
	a->gid = (gid_t)gid;
	return true;
}

/* --- the child --- */

static char *
checkreply_path(const struct control *c, struct arena *mem)
{
	struct buf b = { 0 };
	char self[4096];
	ssize_t n;

	if (!control_line(c, "checkreply", &b) &&
	    (n = readlink("/proc/self/exe", self, sizeof self)) > 0) {
		struct span s = { self, (size_t)n };

		buf_add(&b, span_head(s, span_rchr(s, '/') + 1));
		buf_adds(&b, "lemon-checkreply");
	}
	char *path = arena_cstr(mem, buf_span(&b));

	buf_free(&b);
	return path;
}

/* The words of the command line and lemon-checkreply, or NULL. */
static char **
command(const struct control *c, struct arena *mem)
{
	struct buf b = { 0 };
	size_t n = 0;
	char **argv = arena_alloc(mem, (WORDS_MAX + 2) * sizeof *argv);

	control_line(c, "checkpassword", &b);
	struct span s = buf_span(&b);

	while (s.p != NULL && n < WORDS_MAX) {
		struct span word = span_trim(span_cut(&s, ' '));

		if (word.n > 0)
			argv[n++] = arena_cstr(mem, word);
	}
	buf_free(&b);
	argv[n] = checkreply_path(c, mem);
	if (n == 0 || argv[0][0] != '/' || argv[n][0] != '/' ||
	    access(argv[n], X_OK) < 0) {
		log_warn("checkpassword: it and lemon-checkreply need "
		    "absolute paths to programs");
		return NULL;
	}
	if (access(argv[0], X_OK) < 0) {
		log_warn("checkpassword: %s: %s", argv[0], strerror(errno));
		return NULL;
	}
	argv[n + 1] = NULL;
	return argv;
}

/* Our environment without what says who somebody is: the child's must come
 * from the program alone. */
static char **
environment(struct arena *mem)
{
	static const char *const not[] = { "USER", "HOME", "SHELL", "LOGNAME",
	    "UID", "GID", "MAIL", "MAILBOX", "MAILDIR", "AUTHENTICATED",
	    "IMAPLOGINTAG" };
	size_t n = 0, count = 0, i;

	while (environ[count] != NULL)
		count++;
	char **env = arena_alloc(mem, (count + 2) * sizeof *env);
	bool path = false;

	for (char **e = environ; *e != NULL; e++) {
		struct span s = span_str(*e), name = span_cut(&s, '=');

		for (i = 0; i < COUNT(not); i++)
			if (span_eq(name, span_str(not[i])))
				break;
		if (i == COUNT(not))
			env[n++] = *e;
		if (span_eq(name, SPAN("PATH")))
			path = true;
	}
	if (!path)
		env[n++] = arena_cstr(mem, SPAN("PATH=/usr/local/bin:"
		    "/usr/bin:/bin:/usr/sbin:/sbin"));
	env[n] = NULL;
	return env;
}

__attribute__((noreturn)) static void
child(char **argv, char **env, int credentials, int reply, int null)
{
	struct sigaction def = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&none);
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &def, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (dup2(null, 0) == 0 && dup2(reply, 1) == 1 &&
	    dup2(credentials, 3) == 3 && close_range(4, ~0U, 0) == 0)
		execve(argv[0], argv, env);
	_exit(111);
}

/* A pipe away from the numbers that the child is given. */
static int
high_pipe(int p[2])
{
	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		int fd = fcntl(p[i], F_DUPFD_CLOEXEC, HIGH);

		if (fd < 0) {
			close(p[0]);
			close(p[1]);
			return -1;
		}
		close(p[i]);
		p[i] = fd;
	}
	return 0;
}

/* Start the program with its credentials written; its pid, or -1. */
static pid_t
start(char **argv, char **env, struct span credentials, int *reply)
{
	int in[2], out[2], null = -1;
	pid_t pid = -1;

	if (high_pipe(in) < 0)
		return -1;
	if (high_pipe(out) < 0) {
		close(in[0]);
		close(in[1]);
		return -1;
	}
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		null = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
		close(fd);
	}
	/* 512 octets fit into a pipe, so this never waits. */
	if (null >= 0 && file_write(in[1], credentials) == 0) {
		pid = fork();
		if (pid == 0)
			child(argv, env, in[0], out[1], null);
	}
	close(in[0]);
	close(in[1]);
	close(out[1]);
	if (null >= 0)
		close(null);
	if (pid < 0)
		close(out[0]);
	*reply = out[0];
	return pid;
}

/* --- the parent --- */

/* Take what the child says until it is gone.  It may leave others behind
 * that keep the pipe open, so its end is what counts.  False: too late, or
 * too long. */
static bool
listen_to(int reply, int pidfd, int64_t deadline, struct buf *b)
{
	struct pollfd p[2] = {
		{ .fd = reply, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};
	bool gone = false;

	for (;;) {
		int64_t left = deadline - clock_ms();

		if (left <= 0 && !gone)
			return false;
		if (poll(p, 2, gone ? 0 : (int)left) < 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		gone = gone || p[1].revents != 0;
		if (p[0].revents == 0) {
			if (gone)
				return true;
			continue;
		}
		ssize_t n = read(reply, buf_room(b, REPLY_MAX), REPLY_MAX);

		if (n > 0)
			b->n += (size_t)n;
		else if (n == 0)
			p[0].fd = -1;
		if (b->n > REPLY_MAX)
			return false;
	}
}

/* Its exit code, or -1 for every way that tells nothing. */
static int
run(char **argv, char **env, struct span credentials, int64_t timeout,
    struct buf *answer)
{
	struct sigaction def = { .sa_handler = SIG_DFL }, old;
	int reply, status = -1;
	int64_t deadline = clock_ms() + timeout;

	/* Ignored (some callers leave it so) its status would be lost. */
	sigaction(SIGCHLD, &def, &old);
	pid_t pid = start(argv, env, credentials, &reply);

	if (pid > 0) {
		int pidfd = pidfd_open(pid, 0);
		bool good = pidfd >= 0 &&
		    listen_to(reply, pidfd, deadline, answer);

		if (!good) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (!good)
			status = -1;
		if (pidfd >= 0)
			close(pidfd);
		close(reply);
	}
	sigaction(SIGCHLD, &old, NULL);
	return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whom we may become: as root anybody but root; else ourselves only. */
static bool
settle_ids(struct account *a)
{
	if (geteuid() == 0)
		return a->uid != 0;
	if (a->uid != geteuid())
		return false;
	a->uid = (uid_t)-1;
	a->gid = (gid_t)-1;
	return true;
}

static enum auth
judge(int code, struct span answer, struct account *a)
{
	switch (code) {
	case 0:
		if (!checkreply_parse(answer, a)) {
			log_warn("checkpassword: no good reply");
			return AUTH_TEMP;
		}
		if (settle_ids(a))
			return AUTH_OK;
		log_warn("checkpassword: it left uid %lu, which we cannot "
		    "become", (unsigned long)a->uid);
		account_free(a);
		return AUTH_TEMP;
	case 1:		/* bad */
	case 2:		/* misuse: some say so of a strange login */
	case 100:	/* bad, from Debian's cvm-checkpassword */
		return AUTH_BAD;
	default:
		log_warn("checkpassword: it failed (%d)", code);
		return AUTH_TEMP;
	}
}

static bool
has_nul(struct span s)
{
	return span_chr(s, '\0') != s.n;
}

enum auth
checkpassword(const struct control *c, struct span login,
    struct span password, struct account *a)
{
	struct arena mem = { 0 };
	struct buf text = { 0 }, answer = { 0 };
	enum auth r = AUTH_TEMP;

	memset(a, 0, sizeof *a);
	if (has_nul(login) || has_nul(password) ||
	    login.n + password.n > CREDENTIALS_MAX - 32)
		return AUTH_BAD;
	buf_room(&text, CREDENTIALS_MAX);
	buf_add(&text, login);
	buf_addc(&text, '\0');
	buf_add(&text, password);
	buf_addc(&text, '\0');
	buf_addc(&text, 'Y');
	buf_addu(&text, (uint64_t)clock_now());
	buf_addc(&text, '\0');
	char **argv = command(c, &mem);

	if (argv != NULL) {
		uint64_t timeout = control_num(c, "checkpassword-timeout",
		    30, 1, 3600);

		int code = run(argv, environment(&mem), buf_span(&text),
		    (int64_t)timeout * 1000, &answer);

		r = judge(code, buf_span(&answer), a);
	}
	OPENSSL_cleanse(text.p, text.cap);
	buf_free(&text);
	buf_free(&answer);
	arena_free(&mem);
	return r;
}
