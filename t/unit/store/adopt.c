/* SPDX-License-Identifier: ISC */
/* Files that are not as the index knows them. */
#include <fcntl.h>
#include <sys/stat.h>

#include "store.h"
#include "store/adopt.h"
#include "store/filename.h"
#include "store/letters.h"

static const char text[] = "Subject: one\r\n\r\nHello\r\n";

static ino_t
file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	struct stat s = { 0 };

	if (fd == -1 || write(fd, "Subject: f\n\nf\n", 14) != 14 ||
	    fstat(fd, &s) == -1)
		printf("# cannot make %s\n", path);
	close(fd);
	return s.st_ino;
}

/* Take one file in, as a look would. */
static void
take(struct mailbox *mb, const struct uidlist *l, int dir, const char *name)
{
	struct adopt a = { .mb = mb, .list = l };
	struct entry e = { .dir = dir, .name = span_str(name),
		.hash = letters_hash(filename_base(span_str(name))) };
	struct change c;

	if (change_begin(&c, mb, 65536, false) != STORE_OK) {
		printf("# change_begin: %s\n", store_why(mb->st));
		return;
	}
	adopt_entry(&a, &c, &e);
	if (change_commit(&c) != STORE_OK)
		printf("# change_commit: %s\n", store_why(mb->st));
	arena_free(&a.mem);
}

static void
is_msgs(struct mailbox *mb, const char *want, const char *name)
{
	struct view *v;

	view_open(mb, &v);
	t_is_view(v, want, name);
	view_close(v);
}

static void
listed(void)
{
	static const char list[] = "b";
	struct buf b = { 0 };
	struct uidlist l;
	uint8_t guid[16] = { 0 };
	struct adopt a = { .list = &l };

	uidlist_header(&b, 7, 1, guid);
	uidlist_message(&b, 1, SPAN("a"));
	uidlist_message(&b, 2, SPAN("b"));
	uidlist_message(&b, 3, SPAN("c"));
	uidlist_message(&b, 9, SPAN("b"));
	ok(uidlist_parse(buf_span(&b), &l), "a list");
	adopt_sort(&l);
	struct uidlist_msg *m = adopt_listed(&a, letters_hash(SPAN("b")),
	    span_str(list));
	ok(m != NULL && m->uid == 9, "of two UIDs of one base the last holds");
	ok(adopt_listed(&a, letters_hash(SPAN("b")), SPAN("x")) == NULL,
	    "a hash alone is no match");
	ok(adopt_listed(&a, 1, SPAN("a")) == NULL &&
	    adopt_listed(&(struct adopt){ 0 }, 1, SPAN("a")) == NULL,
	    "what is not listed has none");
	uidlist_free(&l);
	buf_free(&b);
}

static void
foreign(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	t_append(mb, text, 0, NULL);
	file("M/cur/5.new:2,FPS");
	take(mb, NULL, CUR, "5.new:2,FPS");
	is_msgs(mb, "1:1 2:2SF+$Forwarded", "a new file gets the next UID, "
	    "its letters are flags and P is $Forwarded");
	rename("M/cur/5.new:2,FPS", "M/cur/5.new:2,RT");
	take(mb, NULL, CUR, "5.new:2,RT");
	is_msgs(mb, "1:1 2:2AT+$Forwarded",
	    "other letters are other flags of the same message");
	take(mb, NULL, CUR, "5.new:2,RT");
	take(mb, NULL, NEW, "6.not-there");
	is_msgs(mb, "1:1 2:2AT+$Forwarded",
	    "twice is once, and what went away is nothing");
	file("M/cur/5.new:2,");
	take(mb, NULL, CUR, "5.new:2,");
	is_msgs(mb, "1:1 2:2AT+$Forwarded 3:3",
	    "a second file of a base is a message of its own");
	ok(access("M/cur/5.new:2,RT", F_OK) == 0 &&
	    access("M/cur/5.new:2,", F_OK) == -1, "and has its own name then");
	if (symlink("5.new:2,RT", "M/cur/7.link:2,") == 0)
		take(mb, NULL, CUR, "7.link:2,");
	is_msgs(mb, "1:1 2:2AT+$Forwarded 3:3", "a link is no message");
	t_close(mb);
	t_remove("M");
}

/* What the list says while the index is made anew. */
static void
from_list(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct buf b = { 0 };
	struct uidlist l;
	uint8_t guid[16] = { 0 };

	t_append(mb, text, 0, NULL);
	ino_t dead = file("M/cur/11.dead:2,S");
	uidlist_header(&b, 7, 1, guid);
	uidlist_message(&b, 20, SPAN("11.dead"));
	uidlist_message(&b, 21, SPAN("12.alive"));
	uidlist_message(&b, 22, SPAN("13.other"));
	uidlist_forget(&b, (struct uidlist_gone[]){ { 20, dead },
	    { 22, 1 } }, 2);
	ok(uidlist_parse(buf_span(&b), &l), "a list");
	adopt_sort(&l);
	take(mb, &l, CUR, "11.dead:2,S");
	ok(access("M/cur/11.dead:2,S", F_OK) == -1,
	    "what was expunged and is there yet is unlinked");
	file("M/cur/12.alive:2,S");
	take(mb, &l, CUR, "12.alive:2,S");
	is_msgs(mb, "1:1 2:21S", "a listed file has its UID");
	file("M/cur/13.other:2,S");
	take(mb, &l, CUR, "13.other:2,S");
	is_msgs(mb, "1:1 2:21S 3:22S",
	    "another file of an expunged one's name is a new message");
	uidlist_free(&l);
	buf_free(&b);
	t_close(mb);
	t_remove("M");
}

int
main(void)
{
	t_make_dir();
	listed();
	foreign();
	from_list();
	t_remove_dir();
	return done();
}
