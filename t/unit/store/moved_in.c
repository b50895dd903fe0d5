/* SPDX-License-Identifier: ISC */
/* Folders of another server: their numbers are taken over once. */
#include <fcntl.h>
#include <sys/stat.h>

#include "store.h"
#include "base/file.h"

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || file_write(fd, span_str(text)) == -1)
		printf("# cannot make %s\n", path);
	close(fd);
}

/* A folder as Courier leaves it, of one message. */
static void
courier(const char *folder, const char *message)
{
	struct buf path = { 0 };

	for (int i = 0; i < 4; i++) {
		static const char *const sub[] = { "", "/cur", "/new",
			"/tmp" };

		buf_clear(&path);
		buf_addf(&path, "M/%s%s", folder, sub[i]);
		mkdir(buf_cstr(&path), 0700);
	}
	buf_clear(&path);
	buf_addf(&path, "M/%s/cur/%s:2,S", folder, message);
	put(buf_cstr(&path), "a: b\n\n");
	buf_clear(&path);
	buf_addf(&path, "M/%s/courierimapuiddb", folder);
	struct buf text = { 0 };
	buf_addf(&text, "1 1000 8\n7 %s\n", message);
	put(buf_cstr(&path), buf_cstr(&text));
	buf_free(&text);
	buf_free(&path);
}

/* Its UIDVALIDITY and first UID, as V/UID. */
static void
numbers_are(struct store *st, struct span name, const char *want,
    const char *what)
{
	struct mailbox *mb;
	struct view *v = NULL;
	struct buf b = { 0 };

	if (mailbox_open(st, name, RIGHT_READ | RIGHT_WRITE, &mb) !=
	    STORE_OK || view_open(mb, &v) != STORE_OK) {
		ok(false, what);
		return;
	}
	uint32_t validity = view_uidvalidity(v);
	buf_addf(&b, "%s/%u", validity == 1000 ? "1000" : validity > 1000 ?
	    "more" : "less", view_uid(v, 1));
	is(buf_span(&b), span_str(want), what);
	buf_free(&b);
	view_close(v);
	mailbox_close(mb);
}

static void
test_rename(void)
{
	struct store *st = t_store();

	courier(".A", "1.a.host");
	courier(".B", "1.b.host");
	courier(".A.Sub", "1.s.host");
	courier(".C", "1.c.host");
	numbers_are(st, SPAN("A"), "1000/7", "a folder keeps Courier's numbers");
	numbers_are(st, SPAN("B"), "1000/7", "and so does another");
	ok(store_delete(st, SPAN("B")) == STORE_OK &&
	    store_rename(st, SPAN("A"), SPAN("B")) == STORE_OK,
	    "one takes the name of the other");
	numbers_are(st, SPAN("B"), "more/7", "and gets a UIDVALIDITY of its own");
	numbers_are(st, SPAN("B\0Sub"), "more/7", "as do those below it");
	ok(store_rename(st, SPAN("C"), SPAN("A")) == STORE_OK,
	    "one that nobody opened takes its name");
	numbers_are(st, SPAN("A"), "more/7", "and gets one too");
	store_close(st);
	t_remove("M");
}

/* The index and the list are lost. */
static void
test_lost(void)
{
	struct store *st = t_store();

	courier(".A", "1.a.host");
	numbers_are(st, SPAN("A"), "1000/7", "a folder keeps Courier's numbers");
	store_close(st);
	t_remove("M/.lemon");
	unlink("M/.A/lemon-uidlist");
	st = t_store();
	numbers_are(st, SPAN("A"), "more/1", "which are taken over only once");
	store_close(st);
	t_remove("M");
}

/* Small letters of Dovecot's in the names of files. */
static void
test_letters(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct view *v;

	put("M/dovecot-keywords", "0 work\n");
	put("M/cur/1.a.host:2,Sa", "a: b\n\n");
	t_is(mb, "1:1S+work", "a letter is a keyword");
	ok(view_open(mb, &v) == STORE_OK && t_change(v, 1, 9, FLAGS_SET, 0,
	    NULL) == STORE_OK, "which is taken away");
	view_close(v);
	t_close(mb);
	t_remove("M/.lemon");
	st = t_store();
	mb = t_inbox(st);
	t_is(mb, "1:1", "and does not come back with a new index");
	t_close(mb);
	t_remove("M");
}

/* Who takes the folder in dies when some are listed, and then the index is
 * lost. */
static void
test_in_part(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct buf list = { 0 };

	put("M/dovecot-uidlist", "3 V1000 N3\n1 :1.a.host\n2 :2.b.host\n");
	put("M/dovecot-keywords", "0 work\n");
	put("M/cur/1.a.host:2,Sa", "a: b\n\n");
	put("M/cur/2.b.host:2,a", "a: b\n\n");
	t_is(mb, "1:1S+work 2:2+work", "letters are keywords");
	t_close(mb);
	t_remove("M/.lemon");
	unlink("M/lemon-imported");
	/* As it was before the second portion. */
	file_read(AT_FDCWD, "M/lemon-uidlist", 1 << 20, &list);
	list.n = span_find(buf_span(&list), SPAN("+ 0 2"));
	put("M/lemon-uidlist", buf_cstr(&list));
	st = t_store();
	mb = t_inbox(st);
	t_is(mb, "1:1S+work 2:2+work",
	    "whoever goes on in its place loses none");
	t_close(mb);
	buf_free(&list);
	t_remove("M");
}

int
main(void)
{
	t_make_dir();
	test_rename();
	test_lost();
	test_letters();
	test_in_part();
	t_remove_dir();
	return done();
}
