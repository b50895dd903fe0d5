/* SPDX-License-Identifier: ISC */
/* The tree of mailboxes: lib/store/folders.c, folder_change.c, tree.c and
 * journal.c, and what other programs do to it. */
#include "store.h"

#include <fcntl.h>

#include "base/file.h"
#include "store/folders.h"
#include "store/line.h"
#include "store/tree.h"
#include "store/validity.h"

/* A name as a test writes it: "/" between components. */
static struct span
name(const char *text, struct buf *b)
{
	buf_clear(b);
	buf_adds(b, text);
	for (size_t i = 0; i < b->n; i++) {
		if (b->p[i] == '/')
			b->p[i] = '\0';
	}
	return buf_span(b);
}

static bool
show(void *arg, struct span n, unsigned flags)
{
	struct buf *b = arg;

	for (size_t i = 0; i < n.n; i++)
		buf_addc(b, n.p[i] == '\0' ? '/' : n.p[i]);
	buf_adds(b, flags & FOLDER_EXISTS ? "" : "-");
	buf_adds(b, flags & FOLDER_HAS_CHILDREN ? "+" : "");
	buf_adds(b, flags & FOLDER_SUBSCRIBED ? "!" : "");
	buf_adds(b, flags & FOLDER_CHILD_SUBSCRIBED ? "?" : "");
	buf_addc(b, ' ');
	return true;
}

/* What is listed: names with "-" if they are no mailbox, "+" if some are
 * below, "!" if subscribed, "?" if one below is. */
static void
listed(struct store *st, const char *want, const char *what)
{
	struct buf b = { 0 };

	if (store_list(st, show, &b) != STORE_OK)
		buf_adds(&b, store_why(st));
	is(buf_span(&b), span_str(want), what);
	buf_free(&b);
}

enum act { CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, MKDIR, RMDIR };

static enum store_result
run(struct store *st, enum act act, const char *from, const char *to)
{
	struct buf a = { 0 }, b = { 0 };
	struct span x = name(from, &a), y = name(to, &b);
	enum store_result r = STORE_OK;

	if (act == CREATE)
		r = store_create(st, x);
	else if (act == DELETE)
		r = store_delete(st, x);
	else if (act == RENAME)
		r = store_rename(st, x, y);
	else if (act == SUBSCRIBE || act == UNSUBSCRIBE)
		r = store_subscribe(st, x, act == SUBSCRIBE);
	else if (act == MKDIR)
		r = mkdirat(st->dir, from, 0700) == 0 ? STORE_OK :
		    STORE_ERROR;
	else
		r = unlinkat(st->dir, from, AT_REMOVEDIR) == 0 ? STORE_OK :
		    STORE_ERROR;
	buf_free(&a);
	buf_free(&b);
	return r;
}

static const struct {
	enum act act;
	const char *from, *to;
	enum store_result result;
	const char *list;		/* NULL: as before */
	const char *what;
} step[] = {
	{ CREATE, "Lists", "", STORE_OK, "INBOX Lists ",
	    "a mailbox is made" },
	{ CREATE, "Lists", "", STORE_EXISTS, NULL, "but not twice" },
	{ CREATE, "inbox", "", STORE_EXISTS, NULL, "INBOX is there" },
	{ CREATE, "INBOX/x", "", STORE_CANNOT, NULL,
	    "and has none below it" },
	{ CREATE, "../x", "", STORE_CANNOT, NULL, "nothing goes up" },
	{ CREATE, "lemon", "", STORE_CANNOT, NULL,
	    "the index's directory is no mailbox" },
	{ CREATE, "A/b/c", "", STORE_OK, "INBOX A+ A/b+ A/b/c Lists ",
	    "the parents come along" },
	{ CREATE, "A.x", "", STORE_OK, "INBOX A+ A/b+ A/b/c A.x Lists ",
	    "a dot in a name is no delimiter" },
	{ SUBSCRIBE, "A/b/c", "", STORE_OK,
	    "INBOX A+? A/b+? A/b/c! A.x Lists ", "a name is subscribed" },
	{ SUBSCRIBE, "inbox", "", STORE_OK,
	    "INBOX! A+? A/b+? A/b/c! A.x Lists ", "INBOX too" },
	{ DELETE, "A/b", "", STORE_OK,
	    "INBOX! A+? A/b-+? A/b/c! A.x Lists ",
	    "with children the name stays" },
	{ DELETE, "A/b", "", STORE_HASCHILDREN, NULL, "and cannot go" },
	{ DELETE, "A/b/c", "", STORE_OK,
	    "INBOX! A? A/b-? A/b/c-! A.x Lists ",
	    "a subscription outlives its mailbox" },
	{ DELETE, "A/b/c", "", STORE_NONEXISTENT, NULL,
	    "what is gone cannot go" },
	{ UNSUBSCRIBE, "A/b/c", "", STORE_OK, "INBOX! A A.x Lists ",
	    "until it is given up" },
	{ DELETE, "INBOX", "", STORE_CANNOT, NULL, "INBOX stays" },
	{ CREATE, "A/b", "", STORE_OK, "INBOX! A+ A/b A.x Lists ",
	    "a name can come back" },
	{ RENAME, "A", "A/c", STORE_CANNOT, NULL,
	    "nothing is moved below itself" },
	{ RENAME, "A", "Lists", STORE_EXISTS, NULL,
	    "nor over another" },
	{ RENAME, "A", "Inbox", STORE_EXISTS, NULL, "nor over INBOX" },
	{ RENAME, "none", "new", STORE_NONEXISTENT, NULL,
	    "what is not cannot be renamed" },
	{ RENAME, "none", "Lists", STORE_NONEXISTENT, NULL,
	    "even to what is" },
	{ RENAME, "A", "Old/A\xc3\xa4", STORE_OK,
	    "INBOX! A.x Lists Old+ Old/A\xc3\xa4+ Old/A\xc3\xa4/b ",
	    "a rename takes what is below along, and makes parents" },
	{ DELETE, "Old/A\xc3\xa4", "", STORE_OK,
	    "INBOX! A.x Lists Old+ Old/A\xc3\xa4-+ Old/A\xc3\xa4/b ",
	    "a parent goes" },
	{ RENAME, "Old/A\xc3\xa4", "Z", STORE_OK,
	    "INBOX! A.x Lists Old Z-+ Z/b ",
	    "a name that only has children can be renamed" },
	{ MKDIR, ".foreign", "", STORE_OK, NULL,
	    "a directory without cur is no mailbox" },
	{ MKDIR, ".foreign/cur", "", STORE_OK,
	    "INBOX! A.x Lists Old Z-+ Z/b foreign ",
	    "but it is once it has one" },
	{ MKDIR, ".bad&name", "", STORE_OK, NULL, "odd names" },
	{ MKDIR, ".bad&name/cur", "", STORE_OK,
	    "INBOX! A.x Lists Old Z-+ Z/b bad%26name foreign ",
	    "are shown so that they can be told" },
	{ CREATE, "bad%26name", "", STORE_EXISTS, NULL, "they exist" },
	{ CREATE, "bad%26other", "", STORE_CANNOT, NULL,
	    "but are not made" },
	{ RENAME, "bad%26name", "good", STORE_OK,
	    "INBOX! A.x Lists Old Z-+ Z/b foreign good ",
	    "and can be given a good name" },
	{ MKDIR, ".R\xc3\xa9", "", STORE_OK, NULL, "UTF-8 of Courier" },
	{ MKDIR, ".R\xc3\xa9/cur", "", STORE_OK,
	    "INBOX! A.x Lists Old R\xc3\xa9 Z-+ Z/b foreign good ",
	    "is what it says" },
	{ CREATE, "R\xc3\xa9", "", STORE_EXISTS, NULL, "so it exists" },
	{ CREATE, "R\xc3\xa9/x", "", STORE_OK, "INBOX! A.x Lists Old "
	    "R\xc3\xa9+ R\xc3\xa9/x Z-+ Z/b foreign good ",
	    "and can have children" },
	{ MKDIR, ".R&AOk-", "", STORE_OK, NULL, "the same name twice" },
	{ MKDIR, ".R&AOk-/cur", "", STORE_OK, "INBOX! A.x Lists Old "
	    "R%C3%A9 R\xc3\xa9+ R\xc3\xa9/x Z-+ Z/b foreign good ",
	    "is told apart" },
	{ DELETE, "R%C3%A9", "", STORE_OK, "INBOX! A.x Lists Old "
	    "R\xc3\xa9+ R\xc3\xa9/x Z-+ Z/b foreign good ",
	    "and either can go" },
	{ RMDIR, ".foreign/cur", "", STORE_OK, "INBOX! A.x Lists Old "
	    "R\xc3\xa9+ R\xc3\xa9/x Z-+ Z/b good ",
	    "what others remove is gone" },
	{ RMDIR, ".foreign", "", STORE_OK, NULL, "and stays so" },
};

static void
steps(struct store *st)
{
	const char *last = "INBOX ";

	listed(st, last, "at first there is INBOX");
	for (size_t i = 0; i < COUNT(step); i++) {
		enum store_result r = run(st, step[i].act, step[i].from,
		    step[i].to);

		if (!ok(r == step[i].result, step[i].what))
			printf("# %d: %s\n", (int)r, store_why(st));
		last = step[i].list != NULL ? step[i].list : last;
		listed(st, last, step[i].what);
	}
}

/* Whether the Maildir has that. */
static bool
there(struct store *st, const char *path)
{
	struct stat s;

	return fstatat(st->dir, path, &s, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
add_step(struct store *st, struct buf *b, const char *from, const char *to)
{
	size_t begin = b->n;
	struct stat s = { 0 };

	(void)fstatat(st->dir, from, &s, AT_SYMLINK_NOFOLLOW);
	buf_addf(b, "R %s %s %lu %lu", from, to, (unsigned long)s.st_dev,
	    (unsigned long)s.st_ino);
	line_seal(b, begin);
}

static void
plan(struct store *st, struct buf *b)
{
	ok(file_replace(st->dir, "lemon-rename", buf_span(b), 0600) == 0,
	    "a plan is left behind");
	buf_clear(b);
}

/* What a process that was killed in a rename leaves. */
static void
crashed(struct store *st)
{
	struct buf b = { 0 };

	run(st, CREATE, "K/a", "");
	run(st, CREATE, "K/b", "");
	add_step(st, &b, ".K", ".L");
	add_step(st, &b, ".K.a", ".L.a");
	add_step(st, &b, ".K.b", ".L.b");
	plan(st, &b);
	ok(renameat(st->dir, ".K", st->dir, ".L") == 0, "one step was done");
	listed(st, "INBOX! A.x L+ L/a L/b Lists Old R\xc3\xa9+ "
	    "R\xc3\xa9/x Z-+ Z/b good ", "the next look finishes it");
	ok(!there(st, "lemon-rename"), "and forgets the plan");

	add_step(st, &b, ".L", ".M");
	add_step(st, &b, ".L.a", ".M.a");
	plan(st, &b);
	ok(renameat(st->dir, ".L", st->dir, ".M") == 0 &&
	    mkdirat(st->dir, ".M.a", 0700) == 0,
	    "one step was done, another cannot be");
	run(st, SUBSCRIBE, "L", "");
	ok(there(st, ".L") && there(st, ".L.a") && !there(st, ".M"),
	    "then none is");
	run(st, UNSUBSCRIBE, "L", "");
	(void)unlinkat(st->dir, ".M.a", AT_REMOVEDIR);

	run(st, CREATE, "U/a", "");
	add_step(st, &b, ".U", ".V");
	add_step(st, &b, ".U.a", ".V.a");
	plan(st, &b);
	ok(renameat(st->dir, ".U", st->dir, ".V") == 0 &&
	    mkdirat(st->dir, ".U", 0700) == 0 &&
	    mkdirat(st->dir, ".V.a", 0700) == 0,
	    "both names of a plan were taken by others meanwhile");
	ok(run(st, SUBSCRIBE, "L", "") == STORE_OK &&
	    !there(st, "lemon-rename"), "then it keeps nobody from work");
	run(st, UNSUBSCRIBE, "L", "");
	(void)unlinkat(st->dir, ".U", AT_REMOVEDIR);
	(void)unlinkat(st->dir, ".V.a", AT_REMOVEDIR);
	ok(run(st, DELETE, "V", "") == STORE_OK &&
	    run(st, DELETE, "U/a", "") == STORE_OK,
	    "the folders are there, each by one name");

	buf_adds(&b, "R .L ../../elsewhere 1 2");
	line_seal(&b, 0);
	plan(st, &b);
	listed(st, "INBOX! A.x L+ L/a L/b Lists Old R\xc3\xa9+ "
	    "R\xc3\xa9/x Z-+ Z/b good ", "a plan is no way out");
	buf_adds(&b, "R .L .torn");
	plan(st, &b);
	ok(run(st, CREATE, "N", "") == STORE_OK && !there(st, ".torn"),
	    "and a damaged one is none");

	run(st, CREATE, "P", "");
	add_step(st, &b, ".P", "lemon-trash.0");
	plan(st, &b);
	ok(run(st, DELETE, "none", "") == STORE_NONEXISTENT &&
	    !there(st, ".P") && !there(st, "lemon-trash.0"),
	    "a removal that was begun is finished");

	ok(mkdirat(st->dir, "lemon-trash.1", 0700) == 0 &&
	    mkdirat(st->dir, "lemon-trash.1/cur", 0700) == 0 &&
	    mkdirat(st->dir, "lemon-new.1", 0700) == 0, "debris is left");
	{
		struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };

		close(openat(st->dir, ".tmp.1.a", O_CREAT | O_WRONLY, 0600));
		close(openat(st->dir, ".tmp.2.b", O_CREAT | O_WRONLY, 0600));
		utimensat(st->dir, ".tmp.1.a", old, 0);
	}
	ok(run(st, CREATE, "O", "") == STORE_OK && !there(st, ".tmp.1.a") &&
	    there(st, ".tmp.2.b") && !there(st, "lemon-trash.1") && !there(st, "lemon-new.1"),
	    "and swept");
	buf_free(&b);
}

static void
links(struct store *st)
{
	ok(symlinkat("/", st->dir, ".link") == 0, "a link is made");
	ok(run(st, CREATE, "link", "") != STORE_OK &&
	    run(st, DELETE, "link", "") == STORE_NONEXISTENT,
	    "it is no mailbox");
	(void)unlinkat(st->dir, ".link", 0);
}

static void
validity(struct store *st)
{
	uint32_t a = 0, b = 0, c = 0;

	ok(validity_new(st, &a) == STORE_OK && a > 1700000000 &&
	    validity_new(st, &b) == STORE_OK && b > a,
	    "no two folders get the same UIDVALIDITY");
	ok(validity_seen(st, b + 1000) == STORE_OK &&
	    validity_new(st, &c) == STORE_OK && c > b + 1000,
	    "nor one that another server gave");
	(void)unlinkat(st->dir, "lemon-uidvalidity", 0);
	ok(file_replace(st->dir, "dovecot-uidvalidity", SPAN("fffffff0"),
	    0600) == 0 && validity_new(st, &a) == STORE_OK &&
	    a == 0xfffffff1, "Dovecot's highest counts");
	ok(validity_seen(st, UINT32_MAX) == STORE_OK &&
	    validity_new(st, &a) == STORE_LIMIT, "and none is left at last");
}

/* RFC 3501 6.3.5: INBOX stays, its messages move. */
static void
inbox(struct store *st)
{
	static const char text[] = "Subject: one\r\n\r\nHello\r\n";
	struct mailbox *mb = t_inbox(st);
	struct mailbox_status before, after;
	struct buf b = { 0 };

	t_append(mb, text, MSG_SEEN, "$Forwarded");
	t_append(mb, text, 0, NULL);
	ok(mailbox_status(mb, &before) == STORE_OK, "INBOX has messages");
	ok(run(st, RENAME, "INBOX", "good") == STORE_EXISTS &&
	    run(st, RENAME, "INBOX", "lemon") == STORE_CANNOT &&
	    run(st, RENAME, "INBOX", "INBOX") == STORE_EXISTS,
	    "they go to no mailbox that is there");
	ok(run(st, RENAME, "inbox", "Saved/2026") == STORE_OK,
	    "INBOX is renamed");
	t_is(mb, "", "it is empty then");
	ok(mailbox_status(mb, &after) == STORE_OK &&
	    after.uidvalidity == before.uidvalidity &&
	    after.uidnext == before.uidnext, "and is the same INBOX");
	mailbox_close(mb);
	ok(mailbox_open(st, name("Saved/2026", &b), RIGHT_READ, &mb) ==
	    STORE_OK, "the new one is there");
	t_is(mb, "1:1S+$Forwarded 2:2", "with the messages");
	mailbox_close(mb);

	ok(mkdirat(st->dir, ".half", 0700) == 0 &&
	    mkdirat(st->dir, ".half/cur", 0700) == 0 &&
	    mkdirat(st->dir, ".half/new", 0700) == 0, "a new folder");
	buf_clear(&b);
	buf_adds(&b, "I .half");
	line_seal(&b, 0);
	plan(st, &b);
	ok(run(st, DELETE, "none", "") == STORE_NONEXISTENT &&
	    !there(st, ".half"), "whose messages never came goes again");
	buf_adds(&b, "I .Saved.2026");
	line_seal(&b, 0);
	plan(st, &b);
	ok(run(st, DELETE, "none", "") == STORE_NONEXISTENT &&
	    there(st, ".Saved.2026"), "unless they did come");
	buf_free(&b);
}

/* A delivery to a folder that goes meanwhile is not lost silently. */
static void
late_delivery(struct store *st)
{
	struct mailbox *mb;
	struct draft *d;

	ok(run(st, CREATE, "late", "") == STORE_OK &&
	    mailbox_open(st, SPAN("late"), RIGHT_WRITE, &mb) == STORE_OK,
	    "a mailbox is open");
	d = t_draft(mb, "Subject: late\r\n\r\n", 0, NULL);
	ok(renameat(st->dir, ".late", st->dir, "lemon-trash.late") == 0,
	    "when someone takes its name away");
	ok(mailbox_place(mb, &d, 1, true, NULL, NULL) == STORE_CHANGED,
	    "a delivery to it is refused");
	draft_free(d);
	mailbox_close(mb);
	ok(run(st, DELETE, "none", "") == STORE_NONEXISTENT,
	    "others go on");
}

/* A mailbox keeps what it is when its name changes, and is another one when
 * it is made anew. */
static void
identity(struct store *st)
{
	struct mailbox_status one, two, three;
	struct mailbox *mb;

	ok(run(st, CREATE, "id", "") == STORE_OK &&
	    mailbox_open(st, SPAN("id"), RIGHT_WRITE, &mb) == STORE_OK &&
	    mailbox_status(mb, &one) == STORE_OK, "a mailbox is made");
	t_append(mb, "Subject: x\r\n\r\n", 0, NULL);
	mailbox_close(mb);
	ok(run(st, RENAME, "id", "id2") == STORE_OK &&
	    mailbox_open(st, SPAN("id2"), RIGHT_READ, &mb) == STORE_OK &&
	    mailbox_status(mb, &two) == STORE_OK &&
	    one.uidvalidity == two.uidvalidity && two.uidnext == 2 &&
	    memcmp(one.guid, two.guid, 16) == 0,
	    "renamed it is the same one");
	mailbox_close(mb);
	ok(run(st, DELETE, "id2", "") == STORE_OK &&
	    run(st, CREATE, "id2", "") == STORE_OK &&
	    mailbox_open(st, SPAN("id2"), RIGHT_READ, &mb) == STORE_OK &&
	    mailbox_status(mb, &three) == STORE_OK &&
	    three.uidvalidity > two.uidvalidity && three.uidnext == 1 &&
	    memcmp(three.guid, two.guid, 16) != 0,
	    "deleted and made anew it is another");
	mailbox_close(mb);
}

int
main(void)
{
	struct store *st;

	t_make_dir();
	st = t_store();
	steps(st);
	crashed(st);
	links(st);
	inbox(st);
	late_delivery(st);
	identity(st);
	validity(st);
	store_close(st);
	t_remove_dir();
	return done();
}
