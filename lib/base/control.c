/* SPDX-License-Identifier: ISC */
#include "base/control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"

enum { CONTROL_MAX = 4 * 1024 * 1024 };

void
control_init(struct control *c)
{
	const char *dir = getenv("LEMON_CONTROL");

	c->dir = dir == NULL || *dir == '\0' ? "/etc/lemon" : dir;
	c->user = NULL;
	c->guest = false;
}

static const char *
from_environment(const char *name)
{
	struct buf b = { 0 };

	buf_adds(&b, "LEMON_");
	for (const char *p = name; *p != '\0'; p++)
		buf_addc(&b, *p == '-' || *p == '.' ? '_' : ascii_upper(*p));
	const char *value = getenv(buf_cstr(&b));

	buf_free(&b);
	return value != NULL && *value == '\0' ? NULL : value;
}

/* A name that is one component of a path and no step out of it. */
static bool
is_component(const char *s)
{
	return s != NULL && *s != '\0' && *s != '.' && strchr(s, '/') == NULL;
}

static void
join(const struct control *c, bool user, const char *name, struct buf *path)
{
	buf_clear(path);
	buf_adds(path, c->dir);
	buf_addc(path, '/');
	if (user) {
		buf_adds(path, "users/");
		buf_adds(path, c->user);
		buf_addc(path, '/');
	}
	buf_adds(path, name);
}

__attribute__((noreturn)) static void
mistake(const char *path, const char *what)
{
	die_setting("%s: %s", path, what);
}

/* EACCES: whether that is of a directory on the way, and not of the file. */
static bool
is_behind_a_door(const char *path)
{
	struct stat st;
	bool closed = stat(path, &st) < 0 && errno == EACCES;

	errno = EACCES;
	return closed;
}

/* The administrator may well use symbolic links here, so they are
 * followed. */
static bool
from_file(const char *path, bool guest, struct buf *b)
{
	int fd;

	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	while (fd < 0 && errno == EINTR);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return false;
	if (fd < 0 && errno == EACCES && guest && is_behind_a_door(path))
		return false;
	if (fd < 0 || file_read_fd(fd, CONTROL_MAX, b) < 0)
		mistake(path, strerror(errno));
	close(fd);
	return true;
}

/* The whole value from where it is set first; *path says where that was. */
static bool
lookup(const struct control *c, const char *name, struct buf *b,
    struct buf *path)
{
	const char *value = from_environment(name);

	if (value != NULL) {
		buf_clear(path);
		buf_adds(path, "the environment's ");
		buf_adds(path, name);
		buf_adds(b, value);
		return true;
	}
	if (is_component(c->user)) {
		join(c, true, name, path);
		if (from_file(buf_cstr(path), c->guest, b))
			return true;
	}
	join(c, false, name, path);
	return from_file(buf_cstr(path), false, b);
}

static struct span
without_trailing_blanks(struct span s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' ||
	    s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

static bool
first_line(const struct control *c, const char *name, struct buf *value,
    struct buf *path)
{
	struct buf all = { 0 };
	bool set = lookup(c, name, &all, path);

	if (set) {
		struct span s = buf_span(&all);

		buf_add(value,
		    without_trailing_blanks(span_head(s, span_chr(s, '\n'))));
	}
	buf_free(&all);
	return set;
}

bool
control_line(const struct control *c, const char *name, struct buf *value)
{
	struct buf path = { 0 };
	bool set = first_line(c, name, value, &path);

	buf_free(&path);
	return set;
}

uint64_t
control_num(const struct control *c, const char *name, uint64_t def,
    uint64_t min, uint64_t max)
{
	struct buf path = { 0 }, value = { 0 };
	uint64_t v = def;

	if (first_line(c, name, &value, &path) &&
	    (!span_u64(buf_span(&value), max, &v) || v < min)) {
		struct buf why = { 0 };

		buf_addf(&why, "not a number from %" PRIu64 " to %" PRIu64,
		    min, max);
		mistake(buf_cstr(&path), buf_cstr(&why));
	}
	buf_free(&path);
	buf_free(&value);
	return v;
}

bool
control_list(const struct control *c, const char *name, struct buf *lines)
{
	struct buf all = { 0 }, path = { 0 };
	bool set = lookup(c, name, &all, &path);
	struct span s = buf_span(&all);

	while (set && s.n > 0) {
		struct span line = span_cut(&s, '\n');

		line = without_trailing_blanks(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		buf_add(lines, line);
		buf_addc(lines, '\n');
	}
	buf_free(&all);
	buf_free(&path);
	return set;
}

bool
control_listed(const struct control *c, const char *name, struct span line)
{
	struct buf lines = { 0 };
	bool found = false;

	control_list(c, name, &lines);
	for (struct span s = buf_span(&lines); s.n > 0 && !found; )
		found = span_ieq(span_cut(&s, '\n'), line);
	buf_free(&lines);
	return found;
}

void
control_path(const struct control *c, const char *name, struct buf *path)
{
	if (*name == '/') {
		buf_clear(path);
		buf_adds(path, name);
		return;
	}
	if (is_component(c->user)) {
		join(c, true, name, path);
		if (access(buf_cstr(path), F_OK) == 0)
			return;
	}
	join(c, false, name, path);
}

bool
control_readable(const char *path)
{
	if (access(path, R_OK) == 0)
		return true;
	if (errno != ENOENT && errno != ENOTDIR)
		mistake(path, strerror(errno));
	return false;
}

static int
secret(int fd, size_t max, struct buf *text)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0) {
		errno = S_ISREG(st.st_mode) ? EPERM : EINVAL;
		return -1;
	}
	return file_read_fd(fd, max, text) == 0 ? 1 : -1;
}

int
control_secret(const struct control *c, const char *name, size_t max,
    struct buf *text)
{
	struct buf path = { 0 };
	int fd, r, e;

	control_path(c, name, &path);
	fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	e = errno;
	buf_free(&path);
	if (fd < 0) {
		errno = e;
		return e == ENOENT ? 0 : -1;
	}
	r = secret(fd, max, text);
	close_quietly(fd);
	return r;
}
