/* SPDX-License-Identifier: ISC */
/* What belongs to no single mailbox. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/check_internal.h"
#include "store/intent.h"
#include "store/line.h"
#include "store/metadata.h"
#include "store/subscriptions.h"

struct whole {
	struct store *st;
	struct check *ask;
	struct arena mem;
	uint64_t *object;	/* of every record that holds one */
	size_t n, cap;
	enum store_result failed;
};

__attribute__((format(printf, 3, 4)))
static void
say(struct whole *w, const char *todo, const char *fmt, ...)
{
	struct finding f = { .todo = todo, .note = todo == NULL };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	f.what = text;
	w->ask->found(w->ask->arg, &f);
}

/* --- objects --- */

static void
hold(struct whole *w, struct txn *t, const MDB_val *key, const struct rec *r)
{
	struct key p = key_uid('p', key_get_u32(key, 1), key_get_u32(key, 5));
	struct span v;

	if ((r->flags & REC_GONE) && !txn_get(t, &p, &v))
		return;
	w->object = arena_grow(&w->mem, w->object, &w->cap, w->n + 1,
	    sizeof *w->object);
	w->object[w->n++] = r->object;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
count_objects(struct whole *w, struct txn *t)
{
	struct key from = key_start('o');
	struct object o;
	struct walk k;
	size_t i = 0, wrong = 0, idle = 0, lone = 0;

	if (w->n > 0)
		qsort(w->object, w->n, sizeof *w->object, by_number);
	walk_start(&k, t, &from, 1);
	while (walk_next(&k)) {
		uint64_t id = key_get_u64(&k.key, 1);
		uint32_t held = 0;

		while (i < w->n && w->object[i] < id)
			i++;
		for (; i < w->n && w->object[i] == id; i++)
			held++;
		if (k.val.mv_size != sizeof o)
			continue;
		memcpy(&o, k.val.mv_data, sizeof o);
		idle += held == 0;
		wrong += held != 0 && held != o.refs;
		if (id >= t->root.next_object && t->root.next_object != 0)
			say(w, check_rebuild, "object %llu was never given "
			    "out", (unsigned long long)id);
	}
	from = key_start('d');
	walk_seek(&k, &from, 1);
	while (walk_next(&k)) {
		struct key key = key_object('o', key_get_u64(&k.key, 1));
		struct span v;

		lone += !txn_get(t, &key, &v);
	}
	walk_end(&k);
	if (wrong > 0)
		say(w, check_rebuild, "%zu objects are held by more or fewer "
		    "messages than they count", wrong);
	if (idle > 0 || lone > 0)
		say(w, "they only take room; lemon-store rebuild removes them",
		    "%zu objects and %zu digests dangle: no message holds "
		    "them", idle, lone);
}

static void
look_at_objects(struct whole *w, struct txn *t)
{
	struct key from = key_start('m');
	struct walk k;

	walk_start(&k, t, &from, 1);
	while (walk_next(&k)) {
		struct rec r;

		if (k.val.mv_size != sizeof r)
			continue;
		memcpy(&r, k.val.mv_data, sizeof r);
		hold(w, t, &k.key, &r);
	}
	walk_end(&k);
	count_objects(w, t);
}

static unsigned
entries(struct txn *t, char kind)
{
	struct key from = key_start(kind);
	struct walk k;
	unsigned n = 0;

	walk_start(&k, t, &from, 1);
	while (walk_next(&k))
		n++;
	walk_end(&k);
	return n;
}

static void
look_at_index(struct whole *w)
{
	struct txn t;

	enum store_result r = txn_read(w->st, &t);

	if (r != STORE_OK) {
		if (!check_starved(w->ask, r))
			say(w, check_rebuild, "%.300s", store_why(w->st));
		return;
	}
	unsigned buried = entries(&t, 'Z'), intents = entries(&t, 'i');
	look_at_objects(w, &t);
	r = txn_result(&t);
	if (r != STORE_OK && !check_starved(w->ask, r))
		say(w, check_rebuild, "reading the index fails: %.200s",
		    store_why(w->st));
	txn_abort(&t);
	if (intents > 0)
		say(w, NULL, "%u batches are coming in, or their writers "
		    "died: the next writer undoes these", intents);
	if (buried > 0)
		say(w, NULL, "the records of %u mailboxes that are no more "
		    "are being removed", buried);
}

/* --- the text files and the tree --- */

static void
look_at_metadata(struct whole *w)
{
	struct buf text = { 0 };
	struct span rest;
	unsigned n = 0, bad = 0, first = 0;

	if (file_read(w->st->dir, "lemon-metadata", METADATA_FILE_MAX,
	    &text) == -1) {
		int err = errno;

		if (err != ENOENT &&
		    !check_starved(w->ask, store_fail(w->st, "", err)))
			say(w, "look at its owner and mode",
			    "lemon-metadata cannot be read: %s",
			    strerror(err));
		buf_free(&text);
		return;
	}
	for (rest = buf_span(&text); rest.n > 0; ) {
		struct span line = span_cut(&rest, '\n');

		n++;
		if (!line_check(line, &line) && bad++ == 0)
			first = n;
	}
	if (bad > 0)
		say(w, "mend them by hand, or remove them",
		    "%u lines of lemon-metadata are damaged and have no "
		    "effect, line %u first", bad, first);
	buf_free(&text);
}

static void
look_at_subscriptions(struct whole *w)
{
	struct subscriptions s;
	enum store_result r = subscriptions_read(w->st, &s);

	if (r != STORE_OK && !check_starved(w->ask, r))
		say(w, "look at its owner and mode",
		    "subscriptions cannot be read: %.300s",
		    store_why(w->st));
	subscriptions_free(&s);
}

/* What a dead process left beside the folders. */
static void
look_at_tree(struct whole *w)
{
	DIR *d = file_dir(openat(w->st->dir, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	unsigned n = 0;

	if (d == NULL) {
		int err = errno;

		if (!check_starved(w->ask, store_fail(w->st, "", err)))
			say(w, "look at its owner and mode",
			    "the Maildir cannot be read: %s", strerror(err));
		return;
	}
	while ((e = readdir(d)) != NULL) {
		struct span name = span_str(e->d_name);

		n += span_starts(name, SPAN("lemon-trash.")) ||
		    span_starts(name, SPAN("lemon-new.")) ||
		    span_eq(name, SPAN("lemon-rename"));
	}
	closedir(d);
	if (n > 0)
		say(w, NULL, "%u changes of folders are under way, or their "
		    "process died: the next one finishes them", n);
}

static bool
one(void *arg, struct span name, unsigned flags)
{
	struct whole *w = arg;

	if (flags & (FOLDER_EXISTS | FOLDER_UNREADABLE))
		w->failed = check_mailbox(w->st, name, w->ask);
	/* Deleted while we looked. */
	if (w->failed == STORE_NONEXISTENT)
		w->failed = STORE_OK;
	return w->failed == STORE_OK;
}

enum store_result
check_store(struct store *st, struct check *c)
{
	struct whole w = { .st = st, .ask = c };

	if (!index_there(st))
		say(&w, NULL, "there is no index: the next session makes it");
	else
		look_at_index(&w);
	look_at_metadata(&w);
	look_at_subscriptions(&w);
	look_at_tree(&w);
	arena_free(&w.mem);
	enum store_result r = store_list(st, one, &w);
	if (r != STORE_OK || w.failed != STORE_OK)
		return r != STORE_OK ? r : w.failed;
	return check_end(c, st);
}
