/* SPDX-License-Identifier: ISC */
#include "store/metadata.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "store/line.h"
#include "store/tree.h"

struct entry {
	struct span key, value;
	size_t order;		/* the later line counts */
	bool gone;
};

struct table {
	struct arena mem;
	struct entry *e;
	size_t n, cap;
	struct buf damaged;	/* lines, as they are */
};

static void
table_free(struct table *t)
{
	arena_free(&t->mem);
	buf_free(&t->damaged);
}

static void
add(struct table *t, struct span key, struct span value, bool gone)
{
	t->e = arena_grow(&t->mem, t->e, &t->cap, t->n + 1, sizeof(*t->e));
	t->e[t->n] = (struct entry){ key, value, t->n, gone };
	t->n++;
}

static bool
word(struct table *t, struct span text, struct span *to)
{
	struct buf b = { 0 };
	bool good = line_unescape(&b, text);

	if (good)
		*to = arena_dup(&t->mem, buf_span(&b));
	buf_free(&b);
	return good;
}

static void
parse(struct table *t, struct span text)
{
	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');
		struct span body, first, key, value;

		if (line_check(line, &body)) {
			first = span_cut(&body, ' ');
			if (word(t, first, &key) && word(t, body, &value)) {
				add(t, key, value, false);
				continue;
			}
		}
		buf_add(&t->damaged, line);
		buf_addc(&t->damaged, '\n');
	}
}

static int
order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = span_cmp(x->key, y->key);

	return c != 0 ? c : x->order < y->order ? -1 : 1;
}

/* In the order of keys, each once. */
static void
arrange(struct table *t)
{
	size_t n = 0;

	if (t->n > 1)
		qsort(t->e, t->n, sizeof(*t->e), order);
	for (size_t i = 0; i < t->n; i++) {
		if (n > 0 && span_eq(t->e[n - 1].key, t->e[i].key))
			n--;
		t->e[n] = t->e[i];
		t->e[n].order = n;	/* what is added now is later */
		n++;
	}
	t->n = n;
}

static enum store_result
load(struct store *st, struct table *t)
{
	struct buf b = { 0 };
	int err = 0;

	*t = (struct table){ 0 };
	if (file_read(st->dir, METADATA_FILE, METADATA_FILE_MAX, &b) != 0)
		err = errno == ENOENT ? 0 : errno;
	else
		parse(t, buf_span(&b));
	buf_free(&b);
	arrange(t);
	return err == 0 ? STORE_OK : store_fail(st, METADATA_FILE, err);
}

enum store_result
metadata_get(struct store *st, struct span key, struct buf *value)
{
	struct table t;
	enum store_result r = load(st, &t);

	if (r == STORE_OK) {
		r = STORE_NONEXISTENT;
		for (size_t i = 0; i < t.n; i++) {
			if (!span_eq(t.e[i].key, key))
				continue;
			buf_add(value, t.e[i].value);
			r = STORE_OK;
		}
	}
	table_free(&t);
	return r;
}

static void
print(const struct table *t, struct buf *text)
{
	for (size_t i = 0; i < t->n; i++) {
		size_t begin = text->n;

		if (t->e[i].gone)
			continue;
		line_escape(text, t->e[i].key);
		buf_addc(text, ' ');
		line_escape(text, t->e[i].value);
		line_seal(text, begin);
	}
	buf_add(text, buf_span(&t->damaged));
}

static enum store_result
change(struct store *st, const struct metadata *m, size_t n)
{
	struct buf text = { 0 };
	struct table t;
	enum store_result r = load(st, &t);

	for (size_t i = 0; i < n; i++)
		add(&t, m[i].key, m[i].value, m[i].remove);
	arrange(&t);
	if (r == STORE_OK) {
		print(&t, &text);
		if (text.n > METADATA_FILE_MAX)
			r = STORE_LIMIT;
		else if (file_replace(st->dir, METADATA_FILE, buf_span(&text),
		    0600) != 0)
			r = store_fail(st, METADATA_FILE, errno);
	}
	buf_free(&text);
	table_free(&t);
	return r;
}

enum store_result
metadata_set(struct store *st, const struct metadata *m, size_t n)
{
	enum store_result r;

	for (size_t i = 0; i < n; i++) {
		if (m[i].key.n > METADATA_KEY_MAX ||
		    (!m[i].remove && m[i].value.n > METADATA_VALUE_MAX))
			return STORE_LIMIT;
	}
	r = tree_lock(st);
	if (r != STORE_OK)
		return r;
	r = change(st, m, n);
	tree_unlock(st);
	return r;
}

enum store_result
metadata_each(struct store *st, struct span prefix, metadata_fn *fn,
    void *arg)
{
	struct table t;
	enum store_result r = load(st, &t);

	for (size_t i = 0; r == STORE_OK && i < t.n; i++) {
		if (span_starts(t.e[i].key, prefix) &&
		    !fn(arg, t.e[i].key, t.e[i].value))
			break;
	}
	table_free(&t);
	return r;
}
