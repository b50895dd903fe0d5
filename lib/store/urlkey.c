/* SPDX-License-Identifier: ISC */
#include "store/urlkey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "store/attach.h"
#include "store/bell.h"
#include "store/metadata.h"
#include "store/tree.h"
#include "store/uidlist.h"

enum { GUID = 16 };

static const struct span tail = SPAN_INIT("/urlauth");

struct entry {
	uint8_t guid[GUID];
	unsigned char key[URLKEY];
};

/* The mailbox asked for last.  Its folder and list are open, so that no other
 * has their inodes' numbers. */
struct last {
	struct buf name;
	struct mailbox *mb;	/* NULL: none */
	int list;
	ino_t ino;		/* of the list */
	uint8_t guid[GUID];
	uint32_t uidvalidity;
};

/* The keys of the file that fd is.  While it is open no other file has its
 * inode's number. */
struct urlkeys {
	int fd;			/* -1: there was no file */
	struct stat seen;
	struct entry *e;
	size_t n, cap;
	uint64_t look;		/* how often the file was read */
	struct last last;
};

static void
wipe(struct urlkeys *k)
{
	if (k->e != NULL)
		explicit_bzero(k->e, k->cap * sizeof *k->e);
	free(k->e);
	if (k->fd != -1)
		close(k->fd);
	*k = (struct urlkeys){ .fd = -1, .look = k->look + 1,
		.last = k->last };
}

static void
forget(struct last *l)
{
	if (l->mb != NULL)
		close(l->list);
	mailbox_close(l->mb);
	buf_free(&l->name);
	*l = (struct last){ 0 };
}

void
urlkeys_free(struct urlkeys *k)
{
	if (k == NULL)
		return;
	wipe(k);
	forget(&k->last);
	free(k);
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Whether what is kept is what the file says. */
static bool
is_fresh(struct store *st)
{
	const struct urlkeys *k = st->urlkeys;
	struct stat s;

	if (fstatat(st->dir, METADATA_FILE, &s, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT && k->fd == -1;
	return k->fd != -1 && same(&s, &k->seen);
}

static struct urlkeys *
keys_of(struct store *st)
{
	if (st->urlkeys == NULL) {
		st->urlkeys = xcalloc(1, sizeof *st->urlkeys);
		st->urlkeys->fd = -1;
	}
	return st->urlkeys;
}

static bool
keep(void *arg, struct span name, struct span value)
{
	struct urlkeys *k = arg;
	struct entry e;

	if (!span_ends(name, tail) ||
	    !span_unhex(span_head(name, name.n - tail.n), e.guid, GUID) ||
	    !span_unhex(value, e.key, URLKEY))
		return true;
	if (k->n == k->cap) {
		/* Not realloc, which leaves keys where they were. */
		size_t cap = k->cap == 0 ? 16 : 2 * k->cap;
		struct entry *more = xcalloc(cap, sizeof *more);

		if (k->n > 0)
			memcpy(more, k->e, k->n * sizeof *more);
		if (k->e != NULL)
			explicit_bzero(k->e, k->cap * sizeof *k->e);
		free(k->e);
		k->e = more;
		k->cap = cap;
	}
	k->e[k->n++] = e;
	explicit_bzero(&e, sizeof e);
	return true;
}

/* Read the file, unless it is the one that was read. */
static enum store_result
look(struct store *st)
{
	struct urlkeys *k = keys_of(st);

	if (is_fresh(st))
		return STORE_OK;
	wipe(k);
	/* What is read may be newer than this one: then it is read again. */
	k->fd = openat(st->dir, METADATA_FILE, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);
	if (k->fd == -1 && errno == ENOENT)
		return STORE_OK;
	if (k->fd == -1 || fstat(k->fd, &k->seen) == -1)
		return store_fail(st, METADATA_FILE, errno);
	enum store_result r = metadata_each(st, SPAN(""), keep, k);

	if (r != STORE_OK)
		wipe(k);
	return r;
}

static int
order(const void *guid, const void *entry)
{
	return memcmp(guid, ((const struct entry *)entry)->guid, GUID);
}

static enum store_result
find(struct store *st, const uint8_t guid[GUID], unsigned char key[URLKEY])
{
	enum store_result r = look(st);
	const struct urlkeys *k = st->urlkeys;

	if (r != STORE_OK || k->n == 0)
		return r != STORE_OK ? r : STORE_NONEXISTENT;
	/* metadata_each gives them in their order. */
	const struct entry *e = bsearch(guid, k->e, k->n, sizeof *e, order);

	if (e == NULL)
		return STORE_NONEXISTENT;
	memcpy(key, e->key, URLKEY);
	return STORE_OK;
}

/* What the mailbox is known by, whatever its name. */
static enum store_result
guid_of(struct mailbox *mb, uint8_t guid[GUID])
{
	struct meta m;
	enum store_result r = mailbox_meta(mb, &m);

	if (index_again(mb->st, r))
		r = mailbox_meta(mb, &m);
	if (r == STORE_OK)
		memcpy(guid, m.guid, GUID);
	return r;
}

static void
entry_name(struct buf *name, const uint8_t guid[GUID])
{
	buf_addhex(name, guid, GUID);
	buf_add(name, tail);
}

/* A new key, durably. */
static enum store_result
set(struct store *st, const uint8_t guid[GUID], unsigned char key[URLKEY])
{
	struct buf name = { 0 }, value = { 0 };

	random_fill(key, URLKEY);
	entry_name(&name, guid);
	buf_addhex(&value, key, URLKEY);
	const struct metadata m = { .key = buf_span(&name),
		.value = buf_span(&value) };
	enum store_result r = metadata_set(st, &m, 1);

	buf_wipe(&value);
	buf_free(&value);
	buf_free(&name);
	return r;
}

static enum store_result
get(struct store *st, const uint8_t guid[GUID], bool make,
    unsigned char key[URLKEY])
{
	enum store_result r = find(st, guid, key);

	if (r != STORE_NONEXISTENT || !make)
		return r;
	/* Of two that make one at once the second takes the first's. */
	r = tree_lock(st);
	if (r != STORE_OK)
		return r;
	r = find(st, guid, key);
	if (r == STORE_NONEXISTENT)
		r = set(st, guid, key);
	tree_unlock(st);
	return r;
}

enum store_result
urlkey_get(struct mailbox *mb, bool make, unsigned char key[URLKEY])
{
	uint8_t guid[GUID];
	enum store_result r = guid_of(mb, guid);

	return r == STORE_OK ? get(mb->st, guid, make, key) : r;
}

/* Whether it is that mailbox still, and the list which says its guid. */
static bool
is_last(struct store *st, struct span name)
{
	const struct last *l = &keys_of(st)->last;
	struct stat s;

	return l->mb != NULL && span_eq(name, buf_span(&l->name)) &&
	    attach_path(l->mb) == STORE_OK &&
	    fstatat(l->mb->dir, UIDLIST_FILE, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
	    s.st_ino == l->ino;
}

/* Open it.  One whose list is being written anew now is not kept. */
static enum store_result
open_last(struct store *st, struct span name)
{
	struct last *l = &keys_of(st)->last;
	struct stat s;
	struct meta m;

	forget(l);
	enum store_result r = mailbox_open(st, name, RIGHT_READ, &l->mb);

	if (r != STORE_OK)
		return r;
	r = mailbox_meta(l->mb, &m);
	if (index_again(st, r))
		r = mailbox_meta(l->mb, &m);
	l->list = openat(l->mb->dir, UIDLIST_FILE, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);
	if (r == STORE_OK && (l->list == -1 || fstat(l->list, &s) == -1))
		r = mailbox_fail(l->mb, UIDLIST_FILE, errno);
	if (r != STORE_OK) {
		forget(l);
		return r;
	}
	memcpy(l->guid, m.guid, GUID);
	l->uidvalidity = m.uidvalidity;
	l->ino = s.st_ino == m.list_ino ? s.st_ino : 0;
	buf_add(&l->name, name);
	return STORE_OK;
}

enum store_result
urlkey_of(struct store *st, struct span name, bool make,
    uint32_t *uidvalidity, unsigned char key[URLKEY])
{
	enum store_result r = is_last(st, name) ? STORE_OK :
	    open_last(st, name);

	if (r != STORE_OK)
		return r == STORE_CHANGED ? STORE_NONEXISTENT : r;
	*uidvalidity = st->urlkeys->last.uidvalidity;
	r = get(st, st->urlkeys->last.guid, make, key);
	/* The mailbox may be read: a file of ours that may not says nothing
	 * about it. */
	return r == STORE_DENIED ? STORE_ERROR : r;
}

void
urlkey_forget(struct store *st)
{
	forget(&keys_of(st)->last);
}

enum store_result
urlkey_reset(struct mailbox *mb)
{
	unsigned char key[URLKEY];
	uint8_t guid[GUID];
	enum store_result r = guid_of(mb, guid);

	if (r == STORE_OK)
		r = set(mb->st, guid, key);
	explicit_bzero(key, sizeof key);
	if (r == STORE_OK)
		bell_ring(mb->st);
	return r;
}

enum store_result
urlkey_reset_all(struct store *st)
{
	struct metadata *gone = NULL;
	struct arena a = { 0 };
	enum store_result r = tree_lock(st);

	if (r != STORE_OK)
		return r;
	r = look(st);
	size_t n = r == STORE_OK ? st->urlkeys->n : 0;

	if (n > 0)
		gone = arena_zero(&a, n * sizeof *gone);
	for (size_t i = 0; i < n; i++) {
		struct buf name = { 0 };

		entry_name(&name, st->urlkeys->e[i].guid);
		gone[i] = (struct metadata){ .remove = true,
			.key = arena_dup(&a, buf_span(&name)) };
		buf_free(&name);
	}
	if (n > 0)
		r = metadata_set(st, gone, n);
	tree_unlock(st);
	arena_free(&a);
	if (r == STORE_OK)
		bell_ring(st);
	return r;
}

bool
urlkey_mark(struct store *st, struct span name, uint8_t guid[GUID])
{
	unsigned char key[URLKEY];
	struct mailbox *mb;
	bool has = false;

	if (look(st) != STORE_OK || st->urlkeys->n == 0 ||
	    mailbox_open(st, name, RIGHT_READ, &mb) != STORE_OK)
		return false;
	has = guid_of(mb, guid) == STORE_OK &&
	    find(st, guid, key) == STORE_OK;
	explicit_bzero(key, sizeof key);
	mailbox_close(mb);
	return has;
}

void
urlkey_drop(struct store *st, const uint8_t guid[GUID])
{
	struct buf name = { 0 };

	entry_name(&name, guid);
	const struct metadata m = { .key = buf_span(&name), .remove = true };

	metadata_set(st, &m, 1);
	buf_free(&name);
}

/* The key now, as the file was last read. */
static bool
note(struct mailbox *mb, struct urlkey_watch *w)
{
	struct store *st = mb->st;
	enum store_result r = look(st);

	/* Where no mailbox has a key the index need not be asked. */
	if (r == STORE_OK && st->urlkeys->n > 0 && !w->known) {
		r = guid_of(mb, w->guid);
		w->known = r == STORE_OK;
	}
	if (r == STORE_OK)
		r = w->known ? find(st, w->guid, w->key) :
		    STORE_NONEXISTENT;
	if (r != STORE_OK && r != STORE_NONEXISTENT)
		return false;
	w->had = r == STORE_OK;
	w->look = st->urlkeys->look;
	return true;
}

void
urlkey_watch(struct mailbox *mb, struct urlkey_watch *w)
{
	*w = (struct urlkey_watch){ 0 };
	note(mb, w);
}

bool
urlkey_was_reset(struct mailbox *mb, struct urlkey_watch *w)
{
	struct urlkey_watch before = *w;
	struct store *st = mb->st;

	if (keys_of(st)->look == w->look && is_fresh(st))
		return false;
	bool reset = note(mb, w) && before.had &&
	    (!w->had || memcmp(before.key, w->key, URLKEY) != 0);

	explicit_bzero(&before, sizeof before);
	return reset;
}
