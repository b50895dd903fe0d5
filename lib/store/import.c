/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/filename.h"
#include "store/internal.h"

enum {
	FILE_OCTETS = 256 * 1024 * 1024,	/* some four million messages */
	KEYWORD_FILE = 64 * 1024,
	HEAD_OCTETS = 4096,
	KEYWORDS = 1000				/* in one Courier folder */
};

/* What a keyword may be on the wire: an atom of a sane length. */
static bool
keyword_ok(struct span k)
{
	if (k.n == 0 || k.n > 255)
		return false;
	for (size_t i = 0; i < k.n; i++) {
		unsigned char c = (unsigned char)k.p[i];

		if (c <= ' ' || c > '~' || strchr("(){%*\"\\]", c) != NULL)
			return false;
	}
	return true;
}

static bool
number(struct span s, uint32_t *v)
{
	uint64_t n;

	if (!span_u64(s, UINT32_MAX - 1, &n))
		return false;
	*v = (uint32_t)n;
	return true;
}

/* "3 V<validity> N<next> G<guid>" of Dovecot, or "1 <validity> <next>" of
 * both.  Other fields are skipped. */
static char
header(struct span line, struct import *im)
{
	struct span version = span_cut(&line, ' ');
	bool v3 = span_eq(version, SPAN("3"));
	int at = 0;

	if (!v3 && !span_eq(version, SPAN("1")))
		return '\0';
	while (line.p != NULL) {
		struct span f = span_cut(&line, ' ');
		char c = v3 && f.n > 0 ? f.p[0] : "VN."[at < 2 ? at++ : 2];

		if (v3)
			f = span_skip(f, 1);
		if (c == 'V')
			(void)number(f, &im->uidvalidity);
		else if (c == 'N')
			(void)number(f, &im->uidnext);
		else if (c == 'G')
			im->has_guid = span_unhex(f, im->guid,
			    sizeof im->guid);
	}
	return im->uidvalidity == 0 ? '\0' : version.p[0];
}

static void
add(struct import *im, size_t *cap, struct import_msg m)
{
	im->msg = arena_grow(&im->mem, im->msg, cap, im->n + 1, sizeof(m));
	im->msg[im->n++] = m;
}

/* Lines "uid [field…] :name" (3) or "uid name" (1).  One that is damaged or
 * whose UID does not rise is left out: that message gets a new UID. */
static void
lines(struct span text, char version, struct import *im, size_t *cap)
{
	uint32_t last = 0;

	while (text.p != NULL) {
		struct span line = span_cut(&text, '\n');
		struct span uid = span_cut(&line, ' ');
		struct import_msg m = { 0 };

		if (line.p == NULL || !number(uid, &m.uid) || m.uid <= last)
			continue;
		while (version == '3' && line.n > 0 && line.p[0] != ':')
			(void)span_cut(&line, ' ');
		m.base = filename_base(span_skip(line, version == '3'));
		if (m.base.n == 0)
			continue;
		last = m.uid;
		add(im, cap, m);
	}
	if (im->uidnext <= last)
		im->uidnext = last + 1;
}

/* A file of the wrong kind is none of theirs; but one that cannot be read
 * for now holds numbers that must not be lost. */
static void
failed(struct import *im, int err)
{
	if (err == EIO || err == EMFILE || err == ENFILE || err == ENOMEM ||
	    err == EACCES || err == EINTR || err == ESTALE)
		im->err = err;
}

/* Read a file into the arena; false if it cannot be had. */
static bool
slurp(int dir, const char *name, size_t max, struct import *im,
    struct span *text)
{
	struct buf b = { 0 };
	bool good = file_read(dir, name, max, &b) == 0;

	if (good)
		*text = arena_dup(&im->mem, buf_span(&b));
	else
		failed(im, errno);
	buf_free(&b);
	return good;
}

static bool
uids(int dir, const char *name, struct import *im, size_t *cap)
{
	struct span text;
	char version;

	if (!slurp(dir, name, FILE_OCTETS, im, &text))
		return false;
	version = header(span_cut(&text, '\n'), im);
	if (version == '\0') {
		im->uidvalidity = im->uidnext = 0;
		im->has_guid = false;
		return false;
	}
	lines(text, version, im, cap);
	return true;
}

/* Lines "number name"; the first 26 are the letters a to z. */
static bool
letters(int dir, struct import *im)
{
	struct span text;

	if (!slurp(dir, "dovecot-keywords", KEYWORD_FILE, im, &text))
		return false;
	while (text.p != NULL) {
		struct span line = span_cut(&text, '\n');
		struct span n = span_cut(&line, ' ');
		uint32_t at;

		if (number(n, &at) && at < COUNT(im->letter) &&
		    keyword_ok(line))
			im->letter[at] = line;
	}
	return true;
}

static int
by_base(const void *a, const void *b)
{
	const struct import_msg *x = a, *y = b;
	int c = span_cmp(x->base, y->base);

	return c != 0 ? c : x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int
by_uid(const void *a, const void *b)
{
	const struct import_msg *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid ? 1 :
	    span_cmp(x->base, y->base);
}

/* Each base once, in the order of bases; of two the later UID counts, since
 * that is the one that clients saw last. */
static void
unique(struct import *im)
{
	size_t n = 0;

	if (im->n > 1)
		qsort(im->msg, im->n, sizeof(*im->msg), by_base);
	for (size_t i = 0; i < im->n; i++) {
		if (n > 0 && span_eq(im->msg[n - 1].base, im->msg[i].base))
			n--;
		im->msg[n++] = im->msg[i];
	}
	im->n = n;
}

/* The message of that base among the first n, which are sorted; else a new
 * one at the end without a UID. */
static struct import_msg *
message(struct import *im, size_t n, size_t *cap, struct span base)
{
	struct import_msg key = { .base = base };
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = span_cmp(im->msg[mid].base, base);

		if (c == 0)
			return &im->msg[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	add(im, cap, key);
	return &im->msg[im->n - 1];
}

struct courier {
	struct import *im;
	size_t *cap;
	size_t sorted;
	struct span *name;	/* [names], of :list */
	size_t names, names_cap;
};

/* "1 0": numbers of names. */
static void
numbered(struct courier *c, struct import_msg *m, struct span rest)
{
	struct span *k = NULL;
	size_t cap = 0, n = 0;

	while (rest.p != NULL) {
		uint32_t at;

		if (!number(span_cut(&rest, ' '), &at) || at >= c->names ||
		    c->name[at].n == 0)
			continue;
		k = arena_grow(&c->im->mem, k, &cap, n + 1, sizeof(*k));
		k[n++] = c->name[at];
	}
	m->keyword = k;
	m->keywords = n;
}

/* Names, an empty line, then lines "base:numbers". */
static void
courier_list(struct courier *c, struct span text)
{
	while (text.p != NULL) {
		struct span line = span_cut(&text, '\n');

		if (line.n == 0 || c->names == KEYWORDS)
			break;
		c->name = arena_grow(&c->im->mem, c->name, &c->names_cap,
		    c->names + 1, sizeof(line));
		/* A name that cannot be one keeps its number. */
		c->name[c->names++] = keyword_ok(line) ? line :
		    (struct span){ 0 };
	}
	while (text.p != NULL) {
		struct span line = span_cut(&text, '\n');
		size_t at = span_rchr(line, ':');
		struct span base = filename_base(span_head(line, at));

		if (base.n > 0 && at < line.n)
			numbered(c, message(c->im, c->sorted, c->cap, base),
			    span_skip(line, at + 1));
	}
}

/* A file of one message: its keywords, one a line. */
static void
courier_file(struct courier *c, int dir, const char *file, struct span base)
{
	struct span text, *k = NULL;
	size_t cap = 0, n = 0;
	struct import_msg *m;

	base = arena_dup(&c->im->mem, base);
	if (!slurp(dir, file, KEYWORD_FILE, c->im, &text))
		return;
	while (text.p != NULL) {
		struct span line = span_cut(&text, '\n');

		if (!keyword_ok(line) || n == KEYWORDS)
			continue;
		k = arena_grow(&c->im->mem, k, &cap, n + 1, sizeof(*k));
		k[n++] = line;
	}
	m = message(c->im, c->sorted, c->cap, base);
	m->keyword = k;
	m->keywords = n;
}

/* Files named as their message are newer than :list; those named ".N." and
 * the message went into it, unless they are younger. */
static void
courier_files(struct courier *c, DIR *d, const struct timespec *list)
{
	struct dirent *e;

	for (int dotted = 1; dotted >= 0; dotted--) {
		unique(c->im);
		c->sorted = c->im->n;
		rewinddir(d);
		while ((e = readdir(d)) != NULL) {
			struct span name = span_str(e->d_name);
			struct stat s;

			if (name.p[0] == ':' ||
			    (name.p[0] == '.') != (dotted == 1))
				continue;
			if (dotted == 1) {
				name = span_skip(name, 1);
				(void)span_cut(&name, '.');
				if (fstatat(dirfd(d), e->d_name, &s,
				    AT_SYMLINK_NOFOLLOW) != 0 ||
				    s.st_mtim.tv_sec <= list->tv_sec)
					continue;
			}
			if (name.n > 0)
				courier_file(c, dirfd(d), e->d_name, name);
		}
	}
}

static bool
courier_keywords(int dir, struct import *im, size_t *cap)
{
	struct courier c = { .im = im, .cap = cap, .sorted = im->n };
	DIR *d = file_dir(openat(dir, "courierimapkeywords",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	struct timespec list = { 0, 0 };
	struct span text;
	struct stat s;

	if (d == NULL) {
		failed(im, errno);
		return false;
	}
	if (slurp(dirfd(d), ":list", FILE_OCTETS, im, &text)) {
		if (fstatat(dirfd(d), ":list", &s, AT_SYMLINK_NOFOLLOW) == 0)
			list = s.st_mtim;
		courier_list(&c, text);
	}
	courier_files(&c, d, &list);
	closedir(d);
	return true;
}

bool
import_folder(int dir, struct import *im)
{
	size_t cap = 0;
	bool found, dovecot;

	*im = (struct import){ 0 };
	dovecot = found = uids(dir, "dovecot-uidlist", im, &cap);
	found |= letters(dir, im);
	if (!dovecot) {
		found |= uids(dir, "courierimapuiddb", im, &cap);
		unique(im);
		found |= courier_keywords(dir, im, &cap);
	}
	unique(im);
	if (im->n > 1)
		qsort(im->msg, im->n, sizeof(*im->msg), by_uid);
	return found;
}

/* --- once --- */

#define OVER "lemon-imported"

bool
import_there(int dir)
{
	static const char *const file[] = { "dovecot-uidlist",
		"dovecot-keywords", "courierimapuiddb",
		"courierimapkeywords" };
	bool yes = false;

	for (size_t i = 0; i < COUNT(file) && !yes; i++)
		yes = faccessat(dir, file[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return yes;
}

bool
import_over(int dir)
{
	return faccessat(dir, OVER, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int
import_end(int dir)
{
	int fd = openat(dir, OVER, O_WRONLY | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	close(fd);
	return fsync(dir);
}

static bool
unread(int dir, const char *name)
{
	struct import im = { 0 };
	char head[HEAD_OCTETS];
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);

	if (fd == -1)
		return false;
	ssize_t n = file_pread(fd, head, sizeof head, 0);
	struct span text = { head, n > 0 ? (size_t)n : 0 };

	close(fd);
	return text.n > 0 && header(span_cut(&text, '\n'), &im) == '\0';
}

const char *
import_unread(int dir)
{
	return unread(dir, "dovecot-uidlist") ? "dovecot-uidlist" :
	    unread(dir, "courierimapuiddb") ? "courierimapuiddb" : NULL;
}
