/* SPDX-License-Identifier: ISC */
/* What other programs do to a Maildir. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "store.h"

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write(fd, text, strlen(text)) == -1)
		ok(false, path);
	close(fd);
}

/* As if the directory had rested for a while, and nobody else was there. */
static void
rest(void)
{
	struct timespec t[2] = { { 0 } };
	static long ns;

	clock_gettime(CLOCK_REALTIME, &t[0]);
	t[0].tv_sec -= 10;
	t[0].tv_nsec = ++ns;
	t[1] = t[0];
	utimensat(AT_FDCWD, "M/cur", t, 0);
	utimensat(AT_FDCWD, "M/new", t, 0);
}

static const char mail[] = "Subject: a\n\nb\n";

static void
look(struct store *st, struct mailbox *mb)
{
	struct mailbox_status s;

	(void)st;
	put("M/new/1000.a", mail);
	put("M/cur/1001.b:2,S", mail);
	put("M/cur/999.c:2,FRT", mail);
	put("M/cur/.hidden", mail);
	put("M/cur/bad\nname", mail);
	mkdir("M/cur/dir", 0700);
	mkfifo("M/cur/fifo", 0600);
	if (symlink("/etc/passwd", "M/cur/link:2,") == -1)
		ok(false, "symlink");
	t_is(mb, "1:1AFT 2:2 3:3S",
	    "files come in the order of their time; what is no file does not");
	ok(mailbox_status(mb, &s) == STORE_OK && s.messages == 3 &&
	    s.unseen == 2 && s.recent == 1, "and are counted, as recent in new/");

	rename("M/cur/999.c:2,FRT", "M/cur/999.c:2,S");
	rename("M/new/1000.a", "M/cur/1000.a:2,F");
	t_is(mb, "1:1S 2:2F 3:3S", "renaming changes flags, and no UID");

	unlink("M/cur/1001.b:2,S");
	rest();
	t_is(mb, "1:1S 2:2F", "what is removed goes");

	put("M/cur/1001.b:2,S", mail);
	rest();
	t_is(mb, "1:1S 2:2F 3:4S", "what comes back is a new message");

	put("M/cur/1000.a:2,ST", "Subject: other\n\nc\n");
	rest();
	struct view *v;
	ok(view_open(mb, &v) == STORE_OK && view_exists(v) == 4 &&
	    view_uid(v, 4) == 5,
	    "a second file of one name is a message of its own");
	view_close(v);
}

/* Flags set here while others rename there. */
static void
race(struct mailbox *mb)
{
	struct view *v;
	uint64_t n;

	view_open(mb, &v);
	rename("M/cur/999.c:2,S", "M/cur/999.c:2,DS");
	ok(t_store_flags(v, 1, 100, FLAGS_ADD, MSG_ANSWERED, NULL, &n) ==
	    STORE_OK && n == 4, "a file renamed just now is found");
	ok(access("M/cur/999.c:2,DRS", F_OK) == 0,
	    "and keeps what others gave it");
	struct message *m;
	rename("M/cur/999.c:2,DRS", "M/cur/999.c:2,R");
	ok(message_open(v, 1, &m) == STORE_OK, "also for reading");
	message_close(m);
	view_close(v);
}

static void
expunged(struct store *st, struct mailbox *mb)
{
	struct mailbox_status s, s2;
	struct view *v;
	uint64_t modseq;

	mailbox_status(mb, &s);
	view_open(mb, &v);
	t_change(v, 2, 2, FLAGS_ADD, MSG_DELETED, NULL);
	struct set u = t_set(2, 2);
	ok(view_expunge(v, &u, &modseq) == STORE_OK, "one is expunged");
	/* Between the answer and the unlinking someone renames it. */
	if (rename("M/cur/1000.a:2,FRT", "M/cur/1000.a:2,FRST") == -1)
		ok(false, "rename");
	ok(view_rescan(v) == STORE_OK && view_tidy(v, NULL, NULL) == STORE_OK &&
	    access("M/cur/1000.a:2,FRST", F_OK) == -1,
	    "and unlinked although it was renamed");
	rest();
	mailbox_status(mb, &s2);
	ok(s2.messages == s.messages - 1 && s2.uidnext == s.uidnext,
	    "and does not come back as another");
	set_free(&u);
	view_close(v);
	(void)st;
}

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	look(st, mb);
	race(mb);
	expunged(st, mb);
	t_close(mb);
	t_remove_dir();
	return done();
}
