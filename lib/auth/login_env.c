/* SPDX-License-Identifier: ISC */
#include "auth/login_env.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { TAG_MAX = 128, ENVIRON_MAX = 4 * 1024 * 1024,
	STATUS_MAX = 64 * 1024, PATH_LENGTH = 4096 };

/* A variable of ours; set to nothing is not set. */
static struct span
variable(const char *name)
{
	return span_str(getenv(name));
}

/* The variable of that name among NUL-ended NAME=VALUE. */
static struct span
variable_of(struct span all, const char *name)
{
	while (all.p != NULL) {
		struct span value = span_cut(&all, '\0');

		if (span_eq(span_cut(&value, '='), span_str(name)))
			return value;
	}
	return (struct span){ NULL, 0 };
}

/* The real uid of a process; false if nobody will say. */
static bool
uid_of(long pid, uint64_t *uid)
{
	struct buf path = { 0 }, all = { 0 };
	bool good = false;

	buf_addf(&path, "/proc/%ld/status", pid);
	int fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && file_read_fd(fd, STATUS_MAX, &all) == 0) {
		struct span s = buf_span(&all);

		s = span_skip(s, span_find(s, SPAN("\nUid:\t")) + 6);
		good = span_u64(span_head(s, span_chr(s, '\t')), UINT32_MAX,
		    uid);
	}
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	buf_free(&all);
	return good;
}

/*
 * Whether we may have that user from our parent, the super-server.  It says
 * so itself where its environment can be read.  Where not, a parent of
 * another uid shows that somebody on the way to us became this user; with
 * one of ours there is no telling, and so no login.
 */
static bool
inherited(struct span user, struct span home)
{
	struct buf path = { 0 }, all = { 0 };
	long parent = (long)getppid();
	uint64_t uid;
	bool same = true;

	buf_addf(&path, "/proc/%ld/environ", parent);
	int fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		same = !uid_of(parent, &uid) || uid == getuid();
	else if (file_read_fd(fd, ENVIRON_MAX, &all) == 0)
		same = span_eq(user, variable_of(buf_span(&all), "USER")) &&
		    span_eq(home, variable_of(buf_span(&all), "HOME"));
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	buf_free(&all);
	return same;
}

static bool
is_checkpassword(void)
{
	struct span user = variable("USER"), home = variable("HOME");
	struct stat st;

	return user.n > 0 && home.n > 0 && variable("SHELL").n > 0 &&
	    !span_eq(user, variable("LOGNAME")) &&
	    stat(home.p, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid() && !inherited(user, home);
}

/* RFC 3501 9: tag = 1*<any ASTRING-CHAR except "+"> */
static bool
is_tag(struct span s)
{
	if (s.n == 0 || s.n > TAG_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f ||
		    memchr("(){%*\"\\+", s.p[i], 8) != NULL)
			return false;
	return true;
}

/* The path of "maildir:PATH:OPTION=…". */
static void
mail_location(struct span s, struct buf *to)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ':' && (++i == s.n || s.p[i] != ':'))
			break;
		buf_addc(to, s.p[i]);
	}
}

static bool
is_maildir(struct span path)
{
	struct buf b = { 0 };
	struct stat st;

	buf_add(&b, path);
	buf_adds(&b, "/cur");
	bool good = stat(buf_cstr(&b), &st) == 0 && S_ISDIR(st.st_mode);

	buf_free(&b);
	return good;
}

static void
find_maildir(struct span home, struct buf *to)
{
	struct span dir = variable("MAILDIR"), mail = variable("MAIL");
	struct buf b = { 0 };

	if (dir.n > 0)
		buf_add(&b, dir);
	else if (span_starts(mail, SPAN("maildir:")))
		mail_location(span_skip(mail, 8), &b);
	else if (mail.n > 0 && mail.p[0] == '/' && is_maildir(mail))
		buf_add(&b, mail);
	struct span path = buf_span(&b);

	if (span_starts(path, SPAN("~/")))
		path = span_skip(path, 2);
	else if (span_starts(path, SPAN("./")))
		path = span_skip(path, 2);
	if (path.n > 0 && path.p[0] != '/') {
		buf_add(to, home);
		buf_addc(to, '/');
	}
	buf_add(to, path);
	buf_free(&b);
}

static const char *
fill(const struct control *c, struct span name, struct account *a)
{
	struct span home = variable("HOME");

	if (!account_foreign(name))
		return "the login chain gives no good user name";
	/* By its own name where it is one of ours, for users/NAME/FILE. */
	if (account_locate(c, name, a) != 1) {
		memset(a, 0, sizeof *a);
		memcpy(a->name, name.p, name.n);
		memcpy(a->label, "-", 2);
		a->uid = (uid_t)-1;
		a->gid = (gid_t)-1;
	}
	if (home.n > 0 && (home.p[0] != '/' || home.n > PATH_LENGTH))
		return "HOME is not an absolute path";
	buf_add(&a->home, home);
	find_maildir(home, &a->maildir);
	if (home.n == 0 && (a->maildir.n == 0 || a->maildir.p[0] != '/'))
		return "the login chain gives no home";
	if (home.n == 0 && variable("MAILDIR").n > 0 &&
	    variable("MAILDIR").p[0] != '/')
		return "MAILDIR is relative to no home";
	return NULL;
}

enum login_env
login_env_find(const struct control *c, struct account *a,
    const char **tag, const char **why)
{
	struct span name = variable("AUTHENTICATED");
	struct span login_tag = variable("IMAPLOGINTAG");

	memset(a, 0, sizeof *a);
	*tag = NULL;
	*why = NULL;
	if (name.n == 0 && login_tag.n == 0 && !is_checkpassword())
		return LOGIN_NONE;
	if (name.n == 0)
		name = variable("USER");
	if (getuid() == 0 || geteuid() == 0)
		*why = "the login chain left us root";
	else if (login_tag.n > 0 && !is_tag(login_tag))
		*why = "IMAPLOGINTAG is no tag";
	else
		*why = fill(c, name, a);
	if (*why != NULL) {
		account_free(a);
		return LOGIN_REFUSED;
	}
	if (login_tag.n > 0)
		*tag = login_tag.p;
	return LOGIN_CHAIN;
}
