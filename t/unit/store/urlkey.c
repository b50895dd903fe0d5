/* SPDX-License-Identifier: ISC */
#include "store/urlkey.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "store.h"

#include "base/file.h"
#include "store/metadata.h"

static const unsigned char zero[URLKEY];

static struct mailbox *
box(struct store *st, struct span name)
{
	struct mailbox *mb;

	if (mailbox_open(st, name, RIGHT_READ, &mb) != STORE_OK)
		exit(1);
	return mb;
}

/* The key that the mailbox of that name has; zeros: none. */
static void
key_of(struct store *st, struct span name, bool make,
    unsigned char key[URLKEY])
{
	struct mailbox *mb = box(st, name);

	memset(key, 0, URLKEY);
	urlkey_get(mb, make, key);
	mailbox_close(mb);
}

static bool
same(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, URLKEY) == 0;
}

static bool
reset(struct store *st, struct span name)
{
	struct mailbox *mb = box(st, name);
	bool good = urlkey_reset(mb) == STORE_OK;

	mailbox_close(mb);
	return good;
}

static bool
count(void *arg, struct span key, struct span value)
{
	(void)value;
	*(int *)arg += span_ends(key, SPAN("/urlauth"));
	return true;
}

/* How many keys the file has. */
static int
lines(struct store *st)
{
	int n = 0;

	metadata_each(st, SPAN(""), count, &n);
	return n;
}

static void
life(struct store *st)
{
	unsigned char inbox[URLKEY], a[URLKEY], b[URLKEY];

	key_of(st, SPAN("INBOX"), false, inbox);
	ok(same(inbox, zero), "a mailbox has no key until one is made");
	key_of(st, SPAN("INBOX"), true, inbox);
	ok(!same(inbox, zero), "one is made when it is asked for");
	key_of(st, SPAN("INBOX"), false, a);
	ok(same(a, inbox), "and then it is there");
	key_of(st, SPAN("INBOX"), true, a);
	ok(same(a, inbox), "it is made once");

	store_create(st, SPAN("a"));
	key_of(st, SPAN("a"), true, a);
	ok(!same(a, inbox), "each mailbox has its own");
	store_rename(st, SPAN("a"), SPAN("b"));
	key_of(st, SPAN("b"), false, b);
	ok(same(a, b), "a renamed mailbox keeps its key");
	store_create(st, SPAN("a"));
	key_of(st, SPAN("a"), false, b);
	ok(same(b, zero), "one that takes its name does not have it");
	store_delete(st, SPAN("b"));
	ok(lines(st) == 1, "its line goes with it");
	store_create(st, SPAN("b"));
	key_of(st, SPAN("b"), false, b);
	ok(same(b, zero), "nor one that is made where it was deleted");

	key_of(st, SPAN("a"), true, a);
	ok(reset(st, SPAN("a")), "a key can be reset");
	key_of(st, SPAN("a"), false, b);
	ok(!same(a, b) && !same(b, zero), "then there is another");
	key_of(st, SPAN("INBOX"), false, a);
	ok(same(a, inbox), "and others stay as they are");
}

static void
others(struct store *st)
{
	unsigned char before[URLKEY], after[URLKEY];
	const struct metadata foreign = { .key = SPAN("x"),
		.value = SPAN("y") };
	struct buf b = { 0 };

	key_of(st, SPAN("INBOX"), true, before);
	pid_t child = fork();
	if (child == 0) {
		struct store *mine = t_store();

		_exit(reset(mine, SPAN("INBOX")) ? 0 : 1);
	}
	int status = 1;

	waitpid(child, &status, 0);
	key_of(st, SPAN("INBOX"), true, after);
	ok(status == 0 && !same(before, after),
	    "what another process resets is seen at once");
	metadata_set(st, &foreign, 1);
	key_of(st, SPAN("INBOX"), false, before);
	ok(same(before, after), "other metadata does not matter");

	ok(urlkey_reset_all(st) == STORE_OK, "all can be reset");
	key_of(st, SPAN("INBOX"), false, before);
	key_of(st, SPAN("a"), false, after);
	ok(same(before, zero) && same(after, zero), "then there are none");
	ok(metadata_get(st, SPAN("x"), &b) == STORE_OK,
	    "and other metadata stays");
	ok(urlkey_reset_all(st) == STORE_OK, "where there is none, too");
	buf_free(&b);
}

/* The key by the mailbox's name, whatever was kept of it; zeros: none. */
static void
key_by_name(struct store *st, struct span name, unsigned char key[URLKEY])
{
	uint32_t uidvalidity;

	memset(key, 0, URLKEY);
	urlkey_of(st, name, false, &uidvalidity, key);
}

/* What is kept of the mailbox asked for last is not believed for long. */
static void
kept(struct store *st)
{
	unsigned char key[URLKEY], again[URLKEY];
	struct mailbox *mb = t_inbox(st);

	key_of(st, SPAN("INBOX"), true, key);
	key_by_name(st, SPAN("INBOX"), again);
	ok(same(key, again), "a key is found by its mailbox's name");
	t_append(mb, "Subject: x\r\n\r\n", 0, NULL);
	key_by_name(st, SPAN("INBOX"), again);
	ok(same(key, again), "and again when there is another message");
	mailbox_close(mb);

	store_create(st, SPAN("k"));
	key_of(st, SPAN("k"), true, key);
	key_by_name(st, SPAN("k"), again);
	ok(same(key, again), "another mailbox's, too");
	rename("M/.k", "M/.l");
	key_by_name(st, SPAN("k"), again);
	ok(same(again, zero), "not when somebody moved it away");
	store_create(st, SPAN("k"));
	key_by_name(st, SPAN("k"), again);
	ok(same(again, zero), "nor of what takes its place");
	key_by_name(st, SPAN("l"), again);
	ok(same(key, again), "it is found where it went");
	unlink("M/.l/lemon-uidlist");
	t_remove("M/.lemon");
	key_by_name(st, SPAN("l"), again);
	ok(same(again, zero), "not when its list and the index are lost");
	key_by_name(st, SPAN("INBOX"), again);
	ok(!same(again, zero), "the others' lists know their guid");
	key_by_name(st, SPAN("none"), again);
	ok(same(again, zero), "nor of no mailbox");
}

/* One octet of the key's line is another. */
static void
damage(struct store *st)
{
	unsigned char key[URLKEY];
	struct buf b = { 0 };

	urlkey_reset_all(st);	/* so that its line is the only one */
	key_of(st, SPAN("INBOX"), true, key);
	int fd = open("M/" METADATA_FILE, O_RDWR);

	if (fd == -1 || file_read_fd(fd, 65536, &b) != 0)
		exit(1);
	size_t at = span_find(buf_span(&b), SPAN("/urlauth ")) + 9;
	char c = b.p[at] == '0' ? '1' : '0';

	ok(pwrite(fd, &c, 1, (off_t)at) == 1 && futimens(fd, NULL) == 0,
	    "a key is damaged on disk");
	close(fd);
	key_of(st, SPAN("INBOX"), false, key);
	ok(same(key, zero), "a damaged key is none");
	buf_free(&b);
}

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();

	life(st);
	others(st);
	kept(st);
	damage(st);
	store_close(st);
	t_remove_dir();
	return done();
}
