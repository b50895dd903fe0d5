/* SPDX-License-Identifier: ISC */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "store/intent.h"
#include "store/line.h"

enum { JOURNAL_OCTETS = 64 * 1024 * 1024 };

static const char file[] = "lemon-rename";

/* One line, read back. */
struct step {
	char *from, *to;	/* from is NULL for INBOX */
	uint64_t dev, ino;
};

struct plan {
	struct arena mem;
	struct step *step;
	size_t n, cap;
};

bool
journal_there(struct store *st)
{
	struct stat s;

	return fstatat(st->dir, file, &s, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
word(struct arena *mem, struct span *line, char **to)
{
	struct buf b = { 0 };
	bool good = line_unescape(&b, span_cut(line, ' '));

	/* A directory of the Maildir and nothing else. */
	good = good && b.n > 1 &&
	    (b.p[0] == '.' || tree_debris(buf_span(&b))) &&
	    span_chr(buf_span(&b), '/') == b.n &&
	    span_chr(buf_span(&b), '\0') == b.n &&
	    !span_eq(buf_span(&b), SPAN(".."));
	if (good)
		*to = arena_cstr(mem, buf_span(&b));
	buf_free(&b);
	return good;
}

static bool
parse_line(struct plan *p, struct span line)
{
	struct step s = { 0 };
	struct span text, kind;

	if (!line_check(line, &text))
		return false;
	kind = span_cut(&text, ' ');
	if (span_eq(kind, SPAN("R"))) {
		if (!word(&p->mem, &text, &s.from) ||
		    !word(&p->mem, &text, &s.to) ||
		    !span_u64(span_cut(&text, ' '), UINT64_MAX, &s.dev) ||
		    !span_u64(text, UINT64_MAX, &s.ino))
			return false;
	} else if (!span_eq(kind, SPAN("I")) ||
	    !word(&p->mem, &text, &s.to))
		return false;
	p->step = arena_grow(&p->mem, p->step, &p->cap, p->n + 1, sizeof(s));
	p->step[p->n++] = s;
	return true;
}

/* False if any line is damaged: the file is written whole or not at all, so
 * then someone else made it, and it is not acted upon. */
static bool
parse(struct plan *p, struct span text)
{
	while (text.n > 0) {
		if (!parse_line(p, span_cut(&text, '\n')))
			return false;
	}
	return true;
}

/* 1 if that name is the step's folder, 0 if not, -1 if nobody knows. */
static int
is_that(struct store *st, const char *name, const struct step *s)
{
	struct stat now;

	if (fstatat(st->dir, name, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	return now.st_ino == s->ino && now.st_dev == s->dev;
}

/* All renames that are still due; on failure all that can be are undone,
 * those of a dead process too.  The errno, or 0.  *half: some are done that
 * cannot be undone now. */
static int
carry_out(struct store *st, struct plan *p, bool *half)
{
	int err = 0;

	*half = false;
	for (size_t i = 0; i < p->n && err == 0; i++) {
		struct step *s = &p->step[i];

		int due = s->from == NULL ? 0 : is_that(st, s->from, s);
		if (due < 0 || (due > 0 &&
		    tree_rename(st, s->from, s->to) != 0))
			err = errno;
	}
	if (err == 0 && fsync(st->dir) != 0)
		err = errno;
	for (size_t i = p->n; err != 0 && i-- > 0; ) {
		struct step *s = &p->step[i];

		int done = s->from == NULL ? 0 : is_that(st, s->to, s);
		/* Where its name is another folder's by now, that stays so. */
		if (done < 0 || (done > 0 &&
		    tree_rename(st, s->to, s->from) != 0 &&
		    errno != EEXIST))
			*half = true;
	}
	return err;
}

/* Tell the index what is where now. */
static void
announce(struct store *st, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct step *s = &p->step[i];

		if (s->from == NULL)
			continue;
		if (tree_debris(span_str(s->to)))
			(void)folder_gone(st, s->from);
		else
			(void)folder_moved(st, s->from, s->to);
	}
}

enum store_result
tree_forget(struct store *st)
{
	if (unlinkat(st->dir, file, 0) != 0 && errno != ENOENT)
		return store_fail(st, file, errno);
	return fsync(st->dir) == 0 ? STORE_OK :
	    store_fail(st, "sync the Maildir", errno);
}

/* What a dead process had only linked into the new folder is no message. */
static bool
undo_intents(struct store *st)
{
	struct txn t;

	if (txn_write(st, &t, 0, true) != STORE_OK)
		return false;
	bool all = intent_undo_dead(&t);
	return txn_commit(&t) == STORE_OK && all;
}

enum store_result
journal_recover(struct store *st)
{
	struct buf text = { 0 };
	struct plan p = { 0 };
	enum store_result r = STORE_OK;
	bool left = false, half;
	int err = 0;

	if (file_read(st->dir, file, JOURNAL_OCTETS, &text) != 0) {
		if (errno == ENOENT)
			return STORE_OK;
		return store_fail(st, file, errno);
	}
	if (parse(&p, buf_span(&text))) {
		err = carry_out(st, &p, &half);
		if (err == 0)
			announce(st, &p);
		if (half) {
			r = store_fail(st, "rename folders", err);
			left = true;
		}
		for (size_t i = 0; i < p.n; i++) {
			const struct step *s = &p.step[i];

			if (s->from == NULL && !tree_undo_inbox(st, s->to))
				left = true;
		}
	}
	/* A folder that cannot be taken away now is the next one's. */
	if (!left)
		r = tree_forget(st);
	if (r == STORE_OK)
		tree_sweep(st);
	arena_free(&p.mem);
	buf_free(&text);
	return r;
}

static enum store_result
write_down(struct store *st, struct buf *text)
{
	enum store_result r = STORE_OK;

	if (text->n > JOURNAL_OCTETS)
		r = STORE_LIMIT;
	else if (file_replace(st->dir, file, buf_span(text), 0600) != 0) {
		r = store_fail(st, file, errno);
		/* It may be in place and not synced: what was refused must
		 * not be done by the next one. */
		(void)unlinkat(st->dir, file, 0);
	}
	buf_free(text);
	return r;
}

enum store_result
tree_plan_inbox(struct store *st, const char *to)
{
	struct buf text = { 0 };

	buf_adds(&text, "I ");
	line_escape(&text, span_str(to));
	line_seal(&text, 0);
	return write_down(st, &text);
}

static void
add_step(struct buf *text, const char *from, const char *to,
    const struct step *s)
{
	size_t begin = text->n;

	buf_adds(text, "R ");
	line_escape(text, span_str(from));
	buf_addc(text, ' ');
	line_escape(text, span_str(to));
	buf_addc(text, ' ');
	buf_addu(text, s->dev);
	buf_addc(text, ' ');
	buf_addu(text, s->ino);
	line_seal(text, begin);
}

/* What is done and could not be undone the next one undoes; or where not even
 * that can be written, finishes. */
static void
turn_back(struct store *st, const struct plan *p)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		const struct step *s = &p->step[i];

		if (is_that(st, s->to, s) != 0)
			add_step(&text, s->to, s->from, s);
	}
	(void)file_replace(st->dir, file, buf_span(&text), 0600);
	buf_free(&text);
}

/* The plan of these moves, as text too. */
static enum store_result
make_plan(struct store *st, const struct tree_move *m, size_t n,
    struct plan *p, struct buf *text)
{
	for (size_t i = 0; i < n; i++) {
		struct step s = {
			.from = arena_cstr(&p->mem, m[i].from),
			.to = arena_cstr(&p->mem, m[i].to)
		};
		struct stat now;

		if (fstatat(st->dir, s.to, &now, AT_SYMLINK_NOFOLLOW) == 0)
			return STORE_EXISTS;
		if (fstatat(st->dir, s.from, &now, AT_SYMLINK_NOFOLLOW) != 0)
			return store_fail(st, "rename a folder", errno);
		s.dev = now.st_dev;
		s.ino = now.st_ino;
		p->step = arena_grow(&p->mem, p->step, &p->cap, p->n + 1,
		    sizeof(s));
		p->step[p->n++] = s;
		add_step(text, s.from, s.to, &s);
	}
	return STORE_OK;
}

enum store_result
tree_move(struct store *st, const struct tree_move *m, size_t n)
{
	struct buf text = { 0 };
	struct plan p = { 0 };
	enum store_result r = make_plan(st, m, n, &p, &text);
	/* One rename is all or nothing.  But that a folder is gone has to
	 * reach the index, or those who have it open would go on. */
	bool noted = n > 1 || (n == 1 && tree_debris(m[0].to)), half;
	int err;

	if (r == STORE_OK && noted)
		r = write_down(st, &text);
	if (r == STORE_OK) {
		err = carry_out(st, &p, &half);
		if (err == 0)
			announce(st, &p);
		else
			r = store_fail(st, "rename folders", err);
		/* What is durable is done: a plan that stays finds nothing
		 * to do. */
		if (half)
			turn_back(st, &p);
		else if (noted)
			(void)tree_forget(st);
	}
	buf_free(&text);
	arena_free(&p.mem);
	return r;
}

/* Without a plan of its own, which would take the place of ours. */
static bool
put_aside(struct store *st, const char *disk)
{
	struct buf trash = { 0 }, text = { 0 };
	struct plan p = { 0 };

	tree_trash(st, &trash);
	struct tree_move m = { span_str(disk), buf_span(&trash) };
	bool half, done = make_plan(st, &m, 1, &p, &text) == STORE_OK &&
	    carry_out(st, &p, &half) == 0;
	if (done)
		announce(st, &p);
	buf_free(&trash);
	buf_free(&text);
	arena_free(&p.mem);
	return done;
}

bool
tree_undo_inbox(struct store *st, const char *to)
{
	int empty = undo_intents(st) ? tree_empty(st, to) : -1;

	return empty == 0 || (empty > 0 && put_aside(st, to));
}
