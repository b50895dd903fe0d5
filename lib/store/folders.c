/* SPDX-License-Identifier: ISC */
#include "store/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/file.h"
#include "store/name.h"
#include "store/subscriptions.h"
#include "store/tree.h"

/* A directory that was touched within this time of being read may have
 * changed since without its mtime showing it; one dated well after that is of
 * a time when the clock was another. */
enum { FRESH_US = 2000000, AHEAD_US = 1000000, FOLDERS_MAX = 1000000 };

struct folders *
folders_of(struct store *st)
{
	if (st->folders == NULL) {
		st->folders = xcalloc(1, sizeof(*st->folders));
		st->folders->lock_fd = -1;
	}
	return st->folders;
}

void
folders_free(struct folders *f)
{
	if (f == NULL)
		return;
	if (f->lock_fd >= 0)
		close(f->lock_fd);
	arena_free(&f->mem);
	free(f);
}

/* Whether that directory has an entry of that kind in it; errno is 0, or
 * tells why nobody knows. */
static bool
has(struct store *st, struct span disk, const char *what, mode_t type)
{
	struct buf path = { 0 };
	struct stat s;
	bool yes;

	buf_add(&path, disk);
	buf_addc(&path, '/');
	buf_adds(&path, what);
	errno = 0;
	yes = fstatat(st->dir, buf_cstr(&path), &s,
	    AT_SYMLINK_NOFOLLOW) == 0 && (s.st_mode & S_IFMT) == type;
	if (errno == ENOENT || errno == ENOTDIR)
		errno = 0;
	buf_free(&path);
	return yes;
}

bool
folders_reserved(struct span disk)
{
	return span_eq(disk, SPAN(".lemon"));
}

void
folders_path(struct store *st, struct span disk, struct buf *to)
{
	struct span path = span_str(st->path);

	buf_add(to, path);
	if (span_eq(disk, SPAN(".")))
		return;
	if (!span_ends(path, SPAN("/")))
		buf_addc(to, '/');
	buf_add(to, disk);
}

enum store_result
folders_fail(struct store *st, struct span disk, int err)
{
	struct buf path = { 0 };
	enum store_result r;

	folders_path(st, disk, &path);
	r = store_fail(st, buf_cstr(&path), err);
	buf_free(&path);
	return r;
}

static bool
is_dir(struct store *st, const struct dirent *e)
{
	struct stat s;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(st->dir, e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(s.st_mode);
}

static int
by_disk(const void *a, const void *b)
{
	return span_cmp(((const struct folder *)a)->disk,
	    ((const struct folder *)b)->disk);
}

static int
by_name(const void *a, const void *b)
{
	const struct folder *x = a, *y = b;
	int c = span_cmp(x->name, y->name);

	if (c == 0 && x->exists != y->exists)
		return x->exists ? -1 : 1;
	return c != 0 ? c : span_cmp(x->disk, y->disk);
}

static void
sort(struct folders *f, int (*order)(const void *, const void *))
{
	if (f->n > 1)
		qsort(f->f, f->n, sizeof(*f->f), order);
}

/* The directories of one pass.  -1 with errno. */
static int
pass(struct store *st, struct folders *f)
{
	DIR *d = file_dir(openat(st->dir, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	size_t cap = 0;

	if (d == NULL)
		return -1;
	arena_reset(&f->mem);
	f->f = NULL;
	f->n = 0;
	f->debris = false;
	while ((errno = 0, e = readdir(d)) != NULL && f->n < FOLDERS_MAX) {
		struct span name = span_str(e->d_name);

		if (tree_debris(name) || span_starts(name, SPAN(".tmp.")))
			f->debris = true;
		if (name.p[0] != '.' || span_eq(name, SPAN(".")) ||
		    span_eq(name, SPAN("..")) || !is_dir(st, e))
			continue;
		f->f = arena_grow(&f->mem, f->f, &cap, f->n + 1,
		    sizeof(*f->f));
		struct folder *me = &f->f[f->n++];

		*me = (struct folder){ .disk = arena_dup(&f->mem, name) };
		me->exists = has(st, name, "cur", S_IFDIR);
		me->err = folders_reserved(name) ? 0 : errno;
	}
	if (errno != 0) {
		int err = errno;

		closedir(d);
		errno = err;
		return -1;
	}
	closedir(d);
	return 0;
}

/* Courier 5 writes names as they are, so "&" stands for itself in a folder
 * that has its files. */
static enum name_form
form(struct store *st, struct span disk)
{
	if (span_chr(disk, '&') == disk.n)
		return NAME_UTF8;
	return has(st, disk, "courierimapuiddb", S_IFREG) ||
	    has(st, disk, "courierimapacl", S_IFREG) ? NAME_COURIER :
	    NAME_UTF8;
}

/* Give folder i its name.  Where the canonical directory of a name is there
 * as well, that one has the name. */
static void
name_one(struct store *st, struct folders *f, size_t i, struct buf *b)
{
	struct folder *me = &f->f[i], key;
	const struct folder *other = NULL;
	struct buf disk = { 0 };

	buf_clear(b);
	name_show(me->disk, NAME_CANONICAL, b);
	if (name_escaped(buf_span(b))) {
		buf_clear(b);
		name_show(me->disk, form(st, me->disk), b);
	}
	if (name_disk(buf_span(b), &disk) == STORE_OK) {
		key.disk = buf_span(&disk);
		if (!span_eq(key.disk, me->disk))
			other = bsearch(&key, f->f, f->n, sizeof(key),
			    by_disk);
	}
	if (other != NULL && other->exists) {
		buf_clear(b);
		name_show(me->disk, NAME_CANONICAL, b);
	}
	buf_free(&disk);
	me->name = arena_dup(&f->mem, buf_span(b));
}

/* Two that are not canonical can still look the same; then both are shown
 * with "%XX". */
static void
apart(struct folders *f, struct buf *b)
{
	bool again = false;

	for (size_t i = 1; i < f->n; i++) {
		if (!f->f[i].exists ||
		    !span_eq(f->f[i].name, f->f[i - 1].name))
			continue;
		for (size_t k = i - 1; k <= i; k++) {
			buf_clear(b);
			name_show(f->f[k].disk, NAME_CANONICAL, b);
			f->f[k].name = arena_dup(&f->mem, buf_span(b));
		}
		again = true;
	}
	if (again)
		sort(f, by_name);
}

/* Whether what was read still holds. */
static bool
holds(struct store *st, struct folders *f, const struct stat *s)
{
	int64_t touched = (int64_t)s->st_mtim.tv_sec * 1000000 +
	    s->st_mtim.tv_nsec / 1000, age = f->read_us - touched;

	if (f->read_us == 0 || f->dir.st_ino != s->st_ino ||
	    f->dir.st_dev != s->st_dev ||
	    f->dir.st_mtim.tv_sec != s->st_mtim.tv_sec ||
	    f->dir.st_mtim.tv_nsec != s->st_mtim.tv_nsec ||
	    (age < FRESH_US && age >= -AHEAD_US))
		return false;
	/* A cur/ made later does not touch the Maildir itself. */
	for (size_t i = 0; i < f->n; i++) {
		if (!f->f[i].exists && has(st, f->f[i].disk, "cur", S_IFDIR))
			return false;
	}
	return true;
}

enum store_result
folders_read(struct store *st)
{
	struct folders *f = folders_of(st);
	struct buf b = { 0 };
	struct stat after;

	tree_settle(st);
	if (fstat(st->dir, &after) != 0)
		return store_fail(st, "stat the Maildir", errno);
	if (holds(st, f, &after))
		return STORE_OK;
	/* One pass beside a rename can miss what is there. */
	for (int tries = 0; tries < 3; tries++) {
		f->dir = after;
		f->read_us = clock_files_us();
		if (pass(st, f) != 0 || fstat(st->dir, &after) != 0) {
			int err = errno;

			f->read_us = 0;
			f->n = 0;
			return store_fail(st, "read the Maildir", err);
		}
		if (after.st_mtim.tv_sec == f->dir.st_mtim.tv_sec &&
		    after.st_mtim.tv_nsec == f->dir.st_mtim.tv_nsec)
			break;
	}
	sort(f, by_disk);
	for (size_t i = 0; i < f->n; i++)
		name_one(st, f, i, &b);
	sort(f, by_name);
	apart(f, &b);
	buf_free(&b);
	return STORE_OK;
}

size_t
folders_from(const struct folders *f, struct span name)
{
	size_t lo = 0, hi = f->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (span_cmp(f->f[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct folder *
folders_find(struct store *st, struct span name)
{
	struct folders *f = folders_of(st);
	size_t i = folders_from(f, name);

	return i < f->n && span_eq(f->f[i].name, name) ? &f->f[i] : NULL;
}

/* Whether a directory that is not canonical may have that name. */
static bool
ambiguous(struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		if ((unsigned char)name.p[i] > 127 || name.p[i] == '&')
			return true;
	}
	return false;
}

enum store_result
folder_disk(struct store *st, struct span name, struct buf *disk)
{
	size_t before = disk->n;
	enum store_result r = name_disk(name, disk);
	const struct folder *f;
	struct stat s;

	tree_settle(st);
	if (r == STORE_OK && (!ambiguous(name) || fstatat(st->dir,
	    buf_cstr(disk) + before, &s, AT_SYMLINK_NOFOLLOW) == 0))
		return STORE_OK;
	if (r != STORE_OK && !name_escaped(name))
		return r;
	if (folders_read(st) == STORE_OK &&
	    (f = folders_find(st, name)) != NULL) {
		disk->n = before;
		buf_add(disk, f->disk);
		r = STORE_OK;
	}
	(void)buf_cstr(disk);
	return r;
}

struct item {
	struct span name;
	unsigned flags;
};

struct items {
	struct arena mem;
	struct item *item;
	size_t n, cap;
};

static void
add(struct items *l, struct span name, unsigned flags)
{
	l->item = arena_grow(&l->mem, l->item, &l->cap, l->n + 1,
	    sizeof(*l->item));
	l->item[l->n++] = (struct item){ name, flags };
}

static int
item_order(const void *a, const void *b)
{
	return span_cmp(((const struct item *)a)->name,
	    ((const struct item *)b)->name);
}

/* The names of from in their order, each once, with the parents that they
 * lack. */
static void
complete(const struct items *from, struct items *to)
{
	for (size_t i = 0; i < from->n; i++) {
		struct span name = from->item[i].name;
		struct item *last = to->n == 0 ? NULL : &to->item[to->n - 1];

		if (last != NULL && span_eq(last->name, name)) {
			last->flags |= from->item[i].flags;
			continue;
		}
		for (size_t k = 1; k < name.n; k++) {
			struct span above = span_head(name, k);

			if (name.p[k] != '\0')
				continue;
			last = to->n == 0 ? NULL : &to->item[to->n - 1];
			if (last == NULL || (!span_eq(last->name, above) &&
			    !name_below(last->name, above)))
				add(to, above, 0);
		}
		add(to, name, from->item[i].flags);
	}
}

/* Tell each name what is below it. */
static void
below(struct items *l)
{
	size_t stack[NAME_MAX_OCTETS], depth = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct item *me = &l->item[i];
		unsigned up = 0;

		if (me->flags & FOLDER_EXISTS)
			up |= FOLDER_HAS_CHILDREN;
		if (me->flags & FOLDER_SUBSCRIBED)
			up |= FOLDER_CHILD_SUBSCRIBED;
		while (depth > 0 && !name_below(me->name,
		    l->item[stack[depth - 1]].name))
			depth--;
		for (size_t k = 0; k < depth; k++)
			l->item[stack[k]].flags |= up;
		if (depth < COUNT(stack))
			stack[depth++] = i;
	}
}

/* All names there are, INBOX apart. */
static void
gather(struct store *st, const struct subscriptions *subs, struct items *all,
    unsigned *inbox)
{
	struct folders *f = folders_of(st);
	struct items raw = { 0 };

	for (size_t i = 0; i < f->n; i++) {
		if (f->f[i].exists)
			add(&raw, f->f[i].name, FOLDER_EXISTS);
		else if (f->f[i].err != 0)
			add(&raw, f->f[i].name, FOLDER_UNREADABLE);
	}
	for (size_t i = 0; i < subs->n; i++) {
		if (name_inbox(subs->sub[i].name))
			*inbox |= FOLDER_SUBSCRIBED;
		else
			add(&raw, subs->sub[i].name, FOLDER_SUBSCRIBED);
	}
	if (raw.n > 1)
		qsort(raw.item, raw.n, sizeof(*raw.item), item_order);
	complete(&raw, all);
	/* The callback may make us read the directory again. */
	for (size_t i = 0; i < all->n; i++)
		all->item[i].name = arena_dup(&all->mem, all->item[i].name);
	below(all);
	arena_free(&raw.mem);
}

/* Tell why, if it is that which the caller is shown. */
static void
explain(struct store *st, const struct item *i)
{
	const struct folder *f = i->flags & FOLDER_UNREADABLE ?
	    folders_find(st, i->name) : NULL;

	if (f != NULL && f->err != 0)
		(void)folders_fail(st, f->disk, f->err);
}

enum store_result
store_list(struct store *st, folder_fn *fn, void *arg)
{
	unsigned inbox = FOLDER_EXISTS;
	struct subscriptions subs;
	struct items all = { 0 };
	enum store_result r = folders_read(st);

	if (r != STORE_OK)
		return r;
	r = subscriptions_read(st, &subs);
	if (r == STORE_OK) {
		gather(st, &subs, &all, &inbox);
		if (fn(arg, SPAN("INBOX"), inbox)) {
			for (size_t i = 0; i < all.n; i++) {
				explain(st, &all.item[i]);
				if (!fn(arg, all.item[i].name,
				    all.item[i].flags))
					break;
			}
		}
	}
	subscriptions_free(&subs);
	arena_free(&all.mem);
	return r;
}
