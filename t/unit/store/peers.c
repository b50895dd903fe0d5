/* SPDX-License-Identifier: ISC */
/* Maildirs that Dovecot and Courier made (t/data/dovecot, t/data/courier):
 * clients see what they saw there. */
#include "store.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "text/mutf7.h"

static void
extract(const char *archive)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		execlp("tar", "tar", "-xzf", archive, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	ok(status == 0 && rename("Maildir", "M") == 0, "the Maildir is unpacked");
}

static int
by_text(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

struct show {
	struct mailbox *mb;
	struct buf *to;
};

/* "msg UID (FLAGS) DATE SIZE" as peers.py prints it. */
static bool
message(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	static const char *const system[] = { "\\Seen", "\\Answered",
		"\\Flagged", "\\Deleted", "\\Draft" };
	struct show *s = arg;
	const struct span *names;
	struct span flag[40];
	time_t date = (time_t)m->internaldate;
	struct tm tm;
	char text[40];
	size_t n = 0, all;

	(void)seq, (void)digest;
	for (size_t i = 0; i < COUNT(system); i++) {
		if (m->flags & 1u << i)
			flag[n++] = span_str(system[i]);
	}
	if (mailbox_keywords(s->mb, &names, &all) != STORE_OK)
		all = 0;
	for (size_t i = 0; i < m->keywords && n < COUNT(flag); i++)
		flag[n++] = m->keyword[i] < all ? names[m->keyword[i]] :
		    SPAN("?");
	qsort(flag, n, sizeof(*flag), by_text);
	buf_addf(s->to, "msg %u (", m->uid);
	for (size_t i = 0; i < n; i++) {
		buf_adds(s->to, i > 0 ? " " : "");
		buf_add(s->to, flag[i]);
	}
	gmtime_r(&date, &tm);
	strftime(text, sizeof(text), "%d-%b-%Y %H:%M:%S +0000", &tm);
	buf_addf(s->to, ") %s %u\n", text, (unsigned)m->size);
	return true;
}

/* A name between the store and peers.py. */
static void
from_wire(struct span wire, struct buf *name)
{
	while (wire.p != NULL) {
		if (name->n > 0)
			buf_addc(name, '\0');
		(void)mutf7_decode(span_cut(&wire, '/'), NULL, name);
	}
}

static void
box(struct store *st, struct span wire, struct buf *to)
{
	struct set all = { 0 };
	struct buf name = { 0 };
	struct mailbox_status s;
	struct mailbox *mb;
	struct view *v;

	from_wire(wire, &name);
	buf_adds(to, "box ");
	buf_add(to, wire);
	if (mailbox_open(st, buf_span(&name), RIGHT_READ | RIGHT_WRITE, &mb)
	    != STORE_OK || view_open(mb, &v) != STORE_OK) {
		buf_addf(to, " cannot be opened: %s\n", store_why(st));
		buf_free(&name);
		return;
	}
	if (mailbox_status(mb, &s) != STORE_OK)
		memset(&s, 0, sizeof(s));
	buf_addf(to, " %u %u\n", s.uidvalidity, s.uidnext);
	set_add(&all, 1, UINT32_MAX);
	view_each(v, &all, NEED_SIZE, message, &(struct show){ mb, to });
	view_close(v);
	mailbox_close(mb);
	set_free(&all);
	buf_free(&name);
}

static bool
subscribed(void *arg, struct span name, unsigned flags)
{
	struct buf *to = arg;

	if (!(flags & FOLDER_SUBSCRIBED))
		return true;
	buf_adds(to, "sub ");
	while (name.p != NULL) {
		(void)mutf7_encode(span_cut(&name, '\0'), ".", to);
		buf_addc(to, name.p != NULL ? '/' : '\n');
	}
	ok(flags & FOLDER_EXISTS, "a subscribed mailbox is there");
	return true;
}

static bool
count(void *arg, struct span name, unsigned flags)
{
	(void)name;
	if (flags & FOLDER_EXISTS)
		++*(size_t *)arg;
	return true;
}

/* Compare line by line; the order of the subscriptions does not matter. */
static void
compare(struct span got, struct span want, const char *what)
{
	while (want.n > 0) {
		struct span line = span_cut(&want, '\n');
		struct buf b = { 0 };

		buf_addc(&b, '\n');
		buf_add(&b, line);
		buf_addc(&b, '\n');
		if (!ok(span_find(got, buf_span(&b)) < got.n, what))
			printf("# not there: %.*s\n", (int)line.n, line.p);
		buf_free(&b);
	}
}

static void
peer(const char *archive, const char *seen, const char *what)
{
	struct buf want = { 0 }, got = { 0 };
	struct span rest;
	size_t boxes = 0, listed = 0;
	struct store *st;

	(void)file_read(AT_FDCWD, seen, 100000, &want);
	t_make_dir();
	extract(archive);
	st = t_store();
	rest = buf_span(&want);
	buf_addc(&got, '\n');
	while (rest.p != NULL) {
		struct span line = span_cut(&rest, '\n');

		if (!span_starts(line, SPAN("box ")))
			continue;
		(void)span_cut(&line, ' ');
		box(st, span_cut(&line, ' '), &got);
		boxes++;
	}
	(void)store_list(st, subscribed, &got);
	(void)store_list(st, count, &listed);
	compare(buf_span(&got), buf_span(&want), what);
	ok(boxes == listed, "and no mailbox more or less");
	if (t_bad > 0)
		printf("# got:\n# %.*s\n", (int)got.n, got.p);
	store_close(st);
	t_remove_dir();
	buf_free(&want);
	buf_free(&got);
}

int
main(void)
{
	char *here = getcwd(NULL, 0);
	struct buf a = { 0 }, b = { 0 };
	static const char *const name[] = { "dovecot", "courier" };

	for (size_t i = 0; i < COUNT(name); i++) {
		buf_clear(&a);
		buf_clear(&b);
		buf_addf(&a, "%s/t/data/%s/maildir.tar.gz", here, name[i]);
		buf_addf(&b, "%s/t/data/%s/seen.txt", here, name[i]);
		peer(buf_cstr(&a), buf_cstr(&b), i == 0 ?
		    "what a client of Dovecot saw is kept" :
		    "what a client of Courier saw is kept");
	}
	free(here);
	buf_free(&a);
	buf_free(&b);
	return done();
}
