/* SPDX-License-Identifier: ISC */
#include "auth/account.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/addresses.h"
#include "base/file.h"
#include "base/log.h"

enum { LOGIN_MAX = 512, ADDRESSES_MAX = 1024 * 1024 };

void
account_free(struct account *a)
{
	buf_free(&a->home);
	buf_free(&a->maildir);
	memset(a, 0, sizeof *a);
}

bool
account_legal(struct span name)
{
	if (name.n == 0 || name.n > ACCOUNT_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if ((c < 'a' || c > 'z') && !ascii_digit(c) &&
		    (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

bool
account_foreign(struct span name)
{
	if (name.n == 0 || name.n > ACCOUNT_NAME_MAX || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f ||
		    name.p[i] == '/')
			return false;
	return true;
}

static void
add_lower(struct buf *to, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addc(to, ascii_lower(s.p[i]));
}

void
account_login(const struct control *c, struct span login, struct buf *to)
{
	struct span local, domain;

	address_split(login, &local, &domain);
	if (domain.p != NULL && control_listed(c, "locals", domain))
		login = local;
	add_lower(to, span_head(login, LOGIN_MAX));
}

/* The directory of all accounts, or of one; -1 with errno. */
static int
open_dir(int dirfd, const char *name)
{
	int fd;

	do
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd;
}

static int
open_users(const struct control *c)
{
	struct buf path = { 0 };

	buf_adds(&path, c->dir);
	buf_adds(&path, "/users");
	int fd = open_dir(AT_FDCWD, buf_cstr(&path));

	buf_free(&path);
	return fd;
}

static bool
is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

bool
account_nowhere(const struct control *c)
{
	int fd = open_users(c);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

void
account_trouble(const struct control *c, struct buf *why)
{
	int error = errno;

	buf_adds(why, c->dir);
	buf_adds(why, "/users: ");
	buf_adds(why, strerror(error));
}

bool
account_meant_maildir(const char *name)
{
	struct stat st;
	int dir = strchr(name, '/') == NULL ? open_dir(AT_FDCWD, name) : -1;
	bool yes = dir >= 0 && fstatat(dir, "cur", &st, 0) == 0 &&
	    S_ISDIR(st.st_mode);

	if (dir >= 0)
		close(dir);
	return yes;
}

/* Whether users/NAME is there: 1, 0, or -1 with errno. */
static int
exists(const struct control *c, const char *name)
{
	struct stat st;
	int fd = open_users(c), r = 1;

	if (fd < 0)
		return is_absent(errno) ? 0 : -1;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = is_absent(errno) ? 0 : -1;
	else if (!S_ISDIR(st.st_mode))
		r = 0;
	close_quietly(fd);
	return r;
}

static void
set(char *to, struct span s)
{
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

int
account_locate(const struct control *c, struct span login,
    struct account *a)
{
	struct buf b = { 0 };
	struct span label, name;
	int r = 0;

	memset(a, 0, sizeof *a);
	a->uid = (uid_t)-1;
	a->gid = (gid_t)-1;
	if (login.n > LOGIN_MAX)
		return 0;
	account_login(c, login, &b);
	name = address_base(buf_span(&b), &label);
	if (label.p == NULL)
		label = SPAN("-");
	else if (!account_legal(label))
		name.n = 0;
	if (account_legal(name)) {
		set(a->name, name);
		set(a->label, label);
		r = exists(c, a->name);
	}
	buf_free(&b);
	return r;
}

void
account_expand(const struct account *a, struct span text, struct buf *to)
{
	while (text.n > 0) {
		size_t at = span_find(text, SPAN("%u"));

		buf_add(to, span_head(text, at));
		if (at < text.n)
			buf_adds(to, a->name);
		text = span_skip(text, at + 2);
	}
}

void
account_maildir(const struct account *a, struct buf *to)
{
	if (a->maildir.n > 0) {
		buf_add(to, buf_span(&a->maildir));
		return;
	}
	buf_add(to, buf_span(&a->home));
	buf_adds(to, "/Maildir");
}

bool
account_index(const struct control *c, const struct account *a,
    struct buf *to)
{
	struct control of_user = { c->dir, a->name, c->guest };
	struct buf value = { 0 };
	bool set = control_line(&of_user, "index", &value) && value.n > 0;

	if (set)
		account_expand(a, buf_span(&value), to);
	buf_free(&value);
	return set;
}

/* False, with errno, where nobody said and /etc would be the place. */
static bool
home_path(const struct control *c, struct account *a)
{
	struct control of_user = { c->dir, a->name, false };
	struct buf value = { 0 };

	if (!control_line(&of_user, "home", &value) || value.n == 0) {
		if (span_starts(span_str(c->dir), SPAN("/etc/"))) {
			log_warn("%s/home is not there: it says where the "
			    "mail is, as in /home/%%u", c->dir);
			buf_free(&value);
			errno = ENOENT;
			return false;
		}
		buf_adds(&value, "../users/%u");
	}
	struct span s = buf_span(&value);

	buf_clear(&a->home);
	if (s.n == 0 || s.p[0] != '/') {
		buf_adds(&a->home, c->dir);
		buf_addc(&a->home, '/');
	}
	account_expand(a, s, &a->home);
	buf_free(&value);
	return true;
}

int
account_owner(const char *maildir, struct account *a)
{
	struct buf path = { 0 };
	struct stat st;

	if (geteuid() != 0)
		return 0;
	buf_adds(&path, maildir);
	/* With a slash behind it a link would be followed. */
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	/* A link is its owner's: it must not lead us to what is root's. */
	int r = lstat(buf_cstr(&path), &st);
	if (r == 0 && st.st_uid == 0)
		r = stat(path.p, &st);
	int e = errno;
	buf_free(&path);
	errno = e;
	if (r == -1)
		return errno == ENOENT ? 0 : -1;
	if (st.st_uid != 0) {
		a->uid = st.st_uid;
		a->gid = st.st_gid;
	}
	return 0;
}

int
account_ourselves(const char *maildir, struct account *a)
{
	/* Looking it up would cost more than all the rest of a start. */
	struct span user = span_str(getenv("USER"));
	struct buf uid = { 0 };

	*a = (struct account){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (account_owner(maildir, a) != 0)
		return -1;
	buf_addf(&uid, "uid%u", (unsigned)geteuid());
	if (!account_legal(user))
		user = buf_span(&uid);
	memcpy(a->name, user.p, user.n);
	memcpy(a->label, "-", 2);
	buf_adds(&a->maildir, maildir);
	buf_free(&uid);
	return 0;
}

int
account_settle(const struct control *c, struct account *a)
{
	struct stat st;

	if (!home_path(c, a))
		return -1;
	if (geteuid() != 0)
		return 0;
	if (stat(buf_cstr(&a->home), &st) < 0) {
		int error = errno;

		log_warn("%s: %s", buf_cstr(&a->home), strerror(error));
		buf_free(&a->home);
		errno = error;
		return -1;
	}
	a->uid = st.st_uid;
	a->gid = st.st_gid;
	return 0;
}

int
account_find(const struct control *c, struct span login, struct account *a)
{
	int r = account_locate(c, login, a);

	if (r == 1 && account_settle(c, a) < 0)
		r = -1;
	return r;
}

/* The text of users/NAME/addresses; nothing where there is none. */
static int
read_addresses(int users, const char *name, struct buf *text)
{
	char path[ACCOUNT_NAME_MAX + sizeof "/addresses"];
	struct span s = span_str(name);

	buf_clear(text);
	memcpy(path, s.p, s.n);
	memcpy(path + s.n, "/addresses", sizeof "/addresses");
	if (file_read(users, path, ADDRESSES_MAX, text) == 0)
		return 0;
	buf_clear(text);
	return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

/* Who has the address in the file: the first by name, so that the answer
 * does not hang on the order of the directory. */
struct search {
	struct span full, base;		/* with and without the detail */
	char by_full[ACCOUNT_NAME_MAX + 1];
	char by_base[ACCOUNT_NAME_MAX + 1];
};

static void
take_first(char *best, const char *name)
{
	if (*best == '\0' || strcmp(name, best) < 0)
		set(best, span_str(name));
}

static int
search_addresses(const struct control *c, struct search *s)
{
	DIR *d = file_dir(open_users(c));
	struct buf text = { 0 };
	struct dirent *e;
	int r = 0;

	if (d == NULL)
		return is_absent(errno) ? 0 : -1;
	while (r == 0 && (errno = 0, e = readdir(d)) != NULL) {
		if (!account_legal(span_str(e->d_name)))
			continue;
		r = read_addresses(dirfd(d), e->d_name, &text);
		if (addresses_has(buf_span(&text), s->full))
			take_first(s->by_full, e->d_name);
		if (s->base.n != s->full.n &&
		    addresses_has(buf_span(&text), s->base))
			take_first(s->by_base, e->d_name);
	}
	if (errno != 0)
		r = -1;
	int error = errno;

	closedir(d);
	buf_free(&text);
	errno = error;
	return r;
}

/* The first account by name; 1, 0 or -1. */
static int
first(const struct control *c, char *name)
{
	DIR *d = file_dir(open_users(c));
	struct dirent *e;
	int r;

	if (d == NULL)
		return is_absent(errno) ? 0 : -1;
	while ((errno = 0, e = readdir(d)) != NULL)
		if (account_legal(span_str(e->d_name)) &&
		    exists(c, e->d_name) == 1)
			take_first(name, e->d_name);
	r = errno != 0 ? -1 : name[0] != '\0';
	closedir(d);
	return r;
}

/* RFC 5321 4.5.1: mail for the postmaster is never for nobody. */
static int
locate_postmaster(const struct control *c, struct account *a)
{
	struct control general = { c->dir, NULL, false };
	char name[ACCOUNT_NAME_MAX + 1] = "";
	struct buf b = { 0 };
	int r;

	if (control_line(&general, "postmaster", &b) && b.n > 0) {
		r = account_locate(c, buf_span(&b), a);
		if (r == 0) {
			log_warn("postmaster: there is no such account");
			r = -1;
		}
	} else {
		r = first(c, name);
		if (r == 1)
			r = account_locate(c, span_str(name), a);
	}
	buf_free(&b);
	return r;
}

/* NAME@DOMAIN with a domain of ours, or NAME alone. */
static int
locate_local(const struct control *c, struct span local, bool ours,
    struct account *a)
{
	struct buf b = { 0 };
	int r = 0;

	if (!ours || local.n > ACCOUNT_NAME_MAX)
		return 0;
	add_lower(&b, local);
	if (account_legal(buf_span(&b)))
		r = account_locate(c, buf_span(&b), a);
	buf_free(&b);
	return r;
}

static int
locate_address(const struct control *c, struct span address,
    struct account *a, struct span *detail)
{
	struct span local, domain, base;
	struct search s = { .full = address };
	struct buf without = { 0 };

	address_split(address, &local, &domain);
	bool ours = domain.p == NULL || control_listed(c, "locals", domain);
	int r = locate_local(c, local, ours, a);

	if (r != 0)
		return r;
	base = address_base(local, detail);
	if (detail->p != NULL)
		r = locate_local(c, base, ours, a);
	if (r != 0)
		return r;
	buf_add(&without, base);
	buf_add(&without, span_skip(address, local.n));
	s.base = buf_span(&without);
	r = search_addresses(c, &s);
	if (r == 0 && s.by_full[0] != '\0') {
		*detail = (struct span){ NULL, 0 };
		r = account_locate(c, span_str(s.by_full), a);
	} else if (r == 0 && s.by_base[0] != '\0') {
		r = account_locate(c, span_str(s.by_base), a);
	} else if (r == 0 && ours && span_ieq(base, SPAN("postmaster"))) {
		r = locate_postmaster(c, a);
	}
	buf_free(&without);
	return r;
}

int
account_of_address(const struct control *c, struct span address,
    struct account *a, struct span *detail)
{
	memset(a, 0, sizeof *a);
	*detail = (struct span){ NULL, 0 };
	if (address.n == 0 || address.n > LOGIN_MAX)
		return 0;
	int r = locate_address(c, address, a, detail);

	if (r == 1 && account_settle(c, a) < 0)
		r = -1;
	if (r != 1)
		*detail = (struct span){ NULL, 0 };
	return r;
}

/* Whether that very address, without a thought of details, is a's. */
static bool
owns(const struct control *c, const struct account *a, struct span text,
    struct span address)
{
	struct span local, domain;

	if (addresses_has(text, address) ||
	    span_ieq(address, span_str(a->name)))
		return true;
	address_split(address, &local, &domain);
	return domain.p != NULL && span_ieq(local, span_str(a->name)) &&
	    control_listed(c, "locals", domain);
}

/* Whether a is the one who reads mail for the postmaster there. */
static bool
is_postmaster(const struct control *c, const struct account *a,
    struct span address)
{
	struct span local, domain, detail;
	struct account owner;

	address_split(address, &local, &domain);
	return span_ieq(local, SPAN("postmaster")) &&
	    locate_address(c, address, &owner, &detail) == 1 &&
	    strcmp(owner.name, a->name) == 0;
}

/* Whether somebody else has that subaddress as an address of his own. */
static bool
taken(const struct control *c, const struct account *a, struct span address)
{
	struct account owner;
	struct span detail;
	int r = locate_address(c, address, &owner, &detail);

	return r < 0 || (r == 1 && strcmp(owner.name, a->name) != 0);
}

bool
account_owns(const struct control *c, const struct account *a,
    struct span address)
{
	struct span local, domain, detail;
	struct buf text = { 0 }, without = { 0 };
	int fd = open_users(c);
	bool good = false;

	if (fd >= 0) {
		if (account_legal(span_str(a->name)) &&
		    read_addresses(fd, a->name, &text) < 0)
			buf_clear(&text);
		close(fd);
	}
	address_split(address, &local, &domain);
	buf_add(&without, address_base(local, &detail));
	buf_add(&without, span_skip(address, local.n));
	if (address.n > 0 && address.n <= LOGIN_MAX)
		good = owns(c, a, buf_span(&text), address) ||
		    is_postmaster(c, a, address) ||
		    (detail.p != NULL && !taken(c, a, address) &&
		    owns(c, a, buf_span(&text), buf_span(&without)));
	buf_free(&text);
	buf_free(&without);
	return good;
}
