/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>

#include "mime/digest.h"
#include "store.h"
#include "store/learn.h"

enum { MANY = 1500, LARGE = 40, PARTS = 9000 };

static void
put_file(const char *name, struct span text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd == -1 || write(fd, text.p, text.n) != (ssize_t)text.n) {
		printf("Bail out! %s\n", name);
		exit(1);
	}
	close(fd);
}

static const char *
name_of(int i)
{
	static char name[64];

	snprintf(name, sizeof name, "M/cur/%d.foreign:2,", 100000 + i);
	return name;
}

struct seen {
	size_t n;		/* as it should be */
	size_t gone;
	uint32_t seq;		/* the last one's */
	bool wrong;
};

/* UID i has the subject i: its digest tells, whoever made it. */
static bool
look(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	struct seen *s = arg;
	struct digest d;
	char want[32];

	s->wrong = s->wrong || seq != s->seq + 1;
	s->seq = seq;
	if (m->object == 0) {
		s->gone++;
		return true;
	}
	snprintf(want, sizeof want, "(NIL \"%u\" ", m->uid);
	s->n += digest_open(digest, &d) && m->size == d.wire_size &&
	    span_starts(d.envelope, span_str(want));
	return true;
}

static struct seen
see(struct view *v)
{
	struct seen s = { 0 };

	if (view_each(v, NULL, NEED_DIGEST, look, &s) != STORE_OK)
		s.wrong = true;
	return s;
}

static void
fill(int n, const char *body)
{
	struct buf b = { 0 };

	for (int i = 1; i <= n; i++) {
		buf_clear(&b);
		buf_addf(&b, "Subject: %d\n", i);
		buf_adds(&b, body);
		put_file(name_of(i), buf_span(&b));
	}
	buf_free(&b);
}

static bool
first_three(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	size_t *n = arg;

	(void)seq, (void)m;
	*n += digest.n > 0;
	return *n < 3;
}

static void
many(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct view *v;
	char moved[80];
	size_t n = 0;

	fill(MANY, "\nHello\n");
	ok(view_open(mb, &v) == STORE_OK && view_exists(v) == MANY,
	    "foreign files are there");
	ok(view_each(v, NULL, NEED_DIGEST, first_three, &n) == STORE_OK &&
	    n == 3, "who has enough after three is shown no more");
	/* Behind us: some are renamed, and two taken away. */
	for (int i = 1110; i <= MANY; i += 50) {
		snprintf(moved, sizeof moved, "%sS", name_of(i));
		rename(name_of(i), moved);
	}
	unlink(name_of(MANY - 7));
	unlink(name_of(MANY - 1));
	struct seen s = see(v);

	ok(!s.wrong && s.n == MANY - 2 && s.gone == 2,
	    "each is looked into, wherever it is now");
	/* What was learned is not read again. */
	for (int i = 1; i <= MANY; i++)
		truncate(name_of(i), 0);
	s = see(v);
	ok(!s.wrong && s.n == MANY - 2, "and never again");
	view_close(v);
	t_close(mb);
	t_remove("M");
}

/* Each digest has more than a megabyte: some at a time. */
static void
large(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct buf b = { 0 };
	struct view *v;

	buf_adds(&b, "Content-Type: multipart/mixed; boundary=b\n\n");
	for (int i = 0; i < PARTS; i++)
		buf_adds(&b, "--b\n\n\n");
	fill(LARGE, buf_cstr(&b));
	view_open(mb, &v);
	struct seen s = see(v);

	ok(!s.wrong && s.n == LARGE, "large digests come some at a time");
	view_close(v);
	t_close(mb);
	buf_free(&b);
	t_remove("M");
}

/* Nobody waits for all of them. */
static void
long_files(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct learner l = { 0 };
	struct hands hands;
	struct view *v;

	fill(LARGE, "\nHello\n");
	for (int i = 1; i <= LARGE; i++)
		if (truncate(name_of(i), 1 << 20) == -1)
			printf("# %s\n", name_of(i));
	view_open(mb, &v);
	hands_init(&hands);
	l.v = v;
	l.hands = &hands;
	for (uint32_t i = 1; i <= LARGE; i++)
		learner_add(&l, &(struct unread){ .uid = i, .dir = CUR,
		    .file = "100001.foreign:2," });
	learner_start(&l);
	size_t n = learner_finish(&l);

	ok(n >= 8 && n <= 18 && learner_digest(&l, n - 1).n > 0,
	    "a portion ends after some megabytes");
	learner_free(&l);
	hands_free(&hands);
	struct seen s = see(v);
	ok(!s.wrong && s.n == LARGE, "and all come");
	view_close(v);
	t_close(mb);
	t_remove("M");
}

int
main(void)
{
	t_make_dir();
	large();
	long_files();
	many();
	t_remove_dir();
	return done();
}
