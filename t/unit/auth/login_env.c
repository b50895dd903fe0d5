/* SPDX-License-Identifier: ISC */
/* Each case runs in a process of its own, as nobody where we are root, with
 * a parent whose environment is also chosen. */
#include "auth/login_env.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#include "../../t.h"

enum { SELF = 40, RESULT = 41, NOBODY = 65534 };

static char dir[] = "/tmp/lemon-login.XXXXXX";

/* What the innermost process does: tell. */
static int
tell(void)
{
	struct control c = { .dir = "/nonexistent" };
	struct account a;
	const char *tag, *why;
	struct buf b = { 0 };

	switch (login_env_find(&c, &a, &tag, &why)) {
	case LOGIN_NONE:
		buf_adds(&b, "none");
		break;
	case LOGIN_REFUSED:
		buf_adds(&b, "refused");
		break;
	case LOGIN_CHAIN:
		buf_addf(&b, "%s tag=%s home=", a.name,
		    tag == NULL ? "" : tag);
		buf_add(&b, buf_span(&a.home));
		buf_adds(&b, " maildir=");
		buf_add(&b, buf_span(&a.maildir));
	}
	file_write(RESULT, buf_span(&b));
	account_free(&a);
	buf_free(&b);
	return 0;
}

/* argv: "between" ENV… : become the parent of one that tells. */
static int
between(char **env)
{
	char *argv[] = { (char[]){ "login_env" }, (char[]){ "tell" }, NULL };

	/* As a super-server that has dropped from root. */
	if (getenv("HIDDEN") != NULL)
		prctl(PR_SET_DUMPABLE, 0);
	pid_t pid = fork();

	if (pid == 0) {
		fexecve(SELF, argv, env);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	return 0;
}

/* Run the case: env of the parent and of the child, each ended by NULL. */
static void
run(uid_t uid, const char *const *outer, const char *const *inner,
    struct buf *result)
{
	char *argv[20] = { (char[]){ "login_env" }, (char[]){ "between" } };
	char *env[20] = { NULL };
	int p[2];

	for (size_t i = 0; inner[i] != NULL; i++)
		argv[i + 2] = strdup(inner[i]);
	for (size_t i = 0; outer[i] != NULL; i++)
		env[i] = strdup(outer[i]);
	if (pipe(p) < 0)
		return;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(open("/proc/self/exe", O_RDONLY), SELF);
		dup2(p[1], RESULT);
		close(p[0]);
		if (uid == 0 || getuid() != 0 || (setgid(NOBODY) == 0 &&
		    setuid(uid) == 0))
			fexecve(SELF, argv, env);
		_exit(1);
	}
	close(p[1]);
	buf_clear(result);
	file_read_fd(p[0], 65536, result);
	close(p[0]);
	waitpid(pid, NULL, 0);
	for (size_t i = 2; argv[i] != NULL; i++)
		free(argv[i]);
	for (size_t i = 0; env[i] != NULL; i++)
		free(env[i]);
}

/* In an environment or a result, "^" stands for the home. */
static char *
expand(const char *s)
{
	struct buf b = { 0 };

	for (; *s != '\0'; s++)
		if (*s == '^')
			buf_adds(&b, dir);
		else
			buf_addc(&b, *s);
	buf_cstr(&b);
	return b.p;
}

struct row {
	const char *name;
	const char *outer[5], *inner[9];
	const char *want;
};

static void
check(const struct row *r, uid_t uid)
{
	const char *outer[5] = { NULL }, *inner[9] = { NULL };
	struct buf got = { 0 };

	for (size_t i = 0; r->outer[i] != NULL; i++)
		outer[i] = expand(r->outer[i]);
	for (size_t i = 0; r->inner[i] != NULL; i++)
		inner[i] = expand(r->inner[i]);
	char *want = expand(r->want);

	run(uid, outer, inner, &got);
	is(buf_span(&got), span_str(want), r->name);
	buf_free(&got);
	free(want);
	for (size_t i = 0; i < COUNT(outer); i++)
		free((char *)(uintptr_t)outer[i]);
	for (size_t i = 0; i < COUNT(inner); i++)
		free((char *)(uintptr_t)inner[i]);
}

static const struct row rows[] = {
	{ "an empty environment is no chain", { 0 }, { 0 }, "none" },
	{ "a login shell's is none", { "USER=al", "HOME=^" },
	  { "USER=al", "HOME=^", "SHELL=/bin/sh", "LOGNAME=al" }, "none" },
	{ "nor is one that the parent had already", { "USER=al", "HOME=^" },
	  { "USER=al", "HOME=^", "SHELL=/bin/sh" }, "none" },
	{ "nor is another's home", { 0 },
	  { "USER=al", "HOME=/", "SHELL=/bin/sh" }, "none" },
	{ "nor is a systemd unit's", { 0 }, { "USER=al", "HOME=^",
	  "SHELL=/bin/sh", "LOGNAME=al", "INVOCATION_ID=1" }, "none" },
	{ "without SHELL it is no checkpassword", { 0 },
	  { "USER=al", "HOME=^" }, "none" },
	{ "a checkpassword's is one", { "USER=root", "HOME=/root" },
	  { "USER=al", "HOME=^", "SHELL=/bin/sh" },
	  "al tag= home=^ maildir=" },
	{ "but not where the parent could have been the same and hides it",
	  { "USER=al", "HOME=^", "HIDDEN=1" },
	  { "USER=al", "HOME=^", "SHELL=/bin/sh" }, "none" },
	{ "also in root's own session", { 0 }, { "USER=al", "HOME=^",
	  "SHELL=/bin/sh", "LOGNAME=root" }, "al tag= home=^ maildir=" },
	{ "mailfront's is one", { 0 }, { "AUTHENTICATED=al", "USER=al",
	  "HOME=/h", "IMAPLOGINTAG=a1" }, "al tag=a1 home=/h maildir=" },
	{ "Courier's is one", { 0 }, { "AUTHENTICATED=al@example.org",
	  "HOME=/h", "MAILDIR=./Maildir", "IMAPLOGINTAG=x.1" },
	  "al@example.org tag=x.1 home=/h maildir=/h/Maildir" },
	{ "a tag alone is one", { 0 }, { "USER=al", "HOME=/h",
	  "IMAPLOGINTAG=1" }, "al tag=1 home=/h maildir=" },
	{ "AUTHENTICATED set to nothing is not", { 0 },
	  { "AUTHENTICATED=", "HOME=/h", "USER=al" }, "none" },
	{ "a tag without a user is refused", { 0 },
	  { "HOME=/h", "IMAPLOGINTAG=1" }, "refused" },
	{ "a user without a home is refused", { 0 },
	  { "AUTHENTICATED=al" }, "refused" },
	{ "an absolute MAILDIR is home enough", { 0 },
	  { "AUTHENTICATED=al", "MAILDIR=/m" },
	  "al tag= home= maildir=/m" },
	{ "a relative one is not", { 0 },
	  { "AUTHENTICATED=al", "MAILDIR=m" }, "refused" },
	{ "MAIL may say maildir:", { 0 }, { "AUTHENTICATED=al", "HOME=/h",
	  "MAIL=maildir:/m/a" }, "al tag= home=/h maildir=/m/a" },
	{ "with colons doubled and options after it", { 0 },
	  { "AUTHENTICATED=al", "HOME=/h",
	  "MAIL=maildir:~/m::a:INDEX=/x", "SETUP_ENV=dovecot" },
	  "al tag= home=/h maildir=/h/m:a" },
	{ "MAIL may be a Maildir", { 0 }, { "AUTHENTICATED=al", "HOME=/h",
	  "MAIL=^/M" }, "al tag= home=/h maildir=^/M" },
	{ "MAIL may be an mbox, which is not ours", { 0 },
	  { "AUTHENTICATED=al", "HOME=/h", "MAIL=/var/mail/al" },
	  "al tag= home=/h maildir=" },
	{ "a path is no name", { 0 },
	  { "AUTHENTICATED=../al", "HOME=/h" }, "refused" },
	{ "a name has no line ends", { 0 },
	  { "AUTHENTICATED=al\n", "HOME=/h" }, "refused" },
	{ "a tag has no line ends", { 0 }, { "AUTHENTICATED=al",
	  "HOME=/h", "IMAPLOGINTAG=a OK\r\nb" }, "refused" },
	{ "a tag has no plus", { 0 }, { "AUTHENTICATED=al",
	  "HOME=/h", "IMAPLOGINTAG=+" }, "refused" },
	{ "a home is absolute", { 0 }, { "AUTHENTICATED=al", "HOME=h" },
	  "refused" },
};

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "tell") == 0)
		return tell();
	if (argc > 1 && strcmp(argv[1], "between") == 0)
		return between(argv + 2);
	struct buf path = { 0 };

	if (mkdtemp(dir) == NULL)
		return 1;
	buf_addf(&path, "%s/M", dir);
	mkdir(buf_cstr(&path), 0755);
	buf_adds(&path, "/cur");
	mkdir(buf_cstr(&path), 0755);
	if (getuid() == 0 && chown(dir, NOBODY, NOBODY) < 0)
		return 1;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&rows[i], NOBODY);
	if (getuid() == 0)
		check(&(struct row){ "root is refused", { 0 },
		    { "AUTHENTICATED=al", "HOME=/h", "IMAPLOGINTAG=a" },
		    "refused" }, 0);
	rmdir(buf_cstr(&path));
	path.n -= 4;
	rmdir(buf_cstr(&path));
	rmdir(dir);
	buf_free(&path);
	return done();
}
