/* SPDX-License-Identifier: ISC */
/* Records, and what becomes of them when folders and lists are not what they
 * were. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store.h"
#include "store/attach.h"
#include "store/reap.h"
#include "store/uidlist.h"

static const char text[] = "Subject: one\r\n\r\nHello\r\n";

static struct mailbox *
folder(struct store *st, const char *name)
{
	struct mailbox *mb;

	return mailbox_open(st, span_str(name), RIGHT_READ | RIGHT_WRITE,
	    &mb) == STORE_OK ? mb : NULL;
}

static void
sh(const char *command)
{
	if (system(command) != 0)
		printf("# failed: %s\n", command);
}

static void
counters(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct change c;
	struct span name;
	struct rec r;
	int dir = -1;

	t_append(mb, text, MSG_SEEN, NULL);
	t_append(mb, text, 0, NULL);
	ok(change_begin(&c, mb, 0, false) == STORE_OK &&
	    c.m.messages == 2 && c.m.unseen == 1 && c.m.deleted == 0 &&
	    c.m.uidnext == 3, "counters are those of the messages");
	uint64_t before = c.m.modseq;
	ok(rec_get(c.t, mb->id, 2, &r) && rec_name(c.t, mb->id, 2, &dir,
	    &name) && dir == CUR && !rec_get(c.t, mb->id, 3, &r),
	    "a record has its file's name and directory");
	rec_get(c.t, mb->id, 2, &r);
	change_flags(&c, 2, &r, MSG_SEEN | MSG_DELETED, 0);
	ok(c.m.unseen == 0 && c.m.deleted == 1 && r.modseq == before + 1,
	    "other flags change the counters and give a new MODSEQ");
	change_gone(&c, 2, &r, false);
	ok(c.m.messages == 1 && c.m.deleted == 0 && c.m.tombstones == 1 &&
	    !change_present(&c, 2) && change_present(&c, 1) &&
	    r.modseq == before + 1, "one change has one MODSEQ");
	change_abort(&c);
	ok(change_begin(&c, mb, 0, false) == STORE_OK && c.m.messages == 2 &&
	    c.m.modseq == before && change_present(&c, 2),
	    "what was given up never was");
	change_abort(&c);
	t_close(mb);
	t_remove("M");
}

static void
objects(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct change c;
	struct span v;

	change_begin(&c, mb, 0, false);
	uint64_t a = object_new(c.t, SPAN("digest"));
	uint64_t b = object_new(c.t, SPAN(""));
	struct key k = key_object('d', a), o = key_object('o', a);
	ok(b > a && txn_get(c.t, &k, &v) && span_eq(v, SPAN("digest")),
	    "an object has a number of its own, and its digest");
	object_hold(c.t, a);
	object_drop(c.t, a);
	ok(txn_get(c.t, &o, &v), "it stays while someone holds it");
	object_drop(c.t, a);
	ok(!txn_get(c.t, &o, &v) && !txn_get(c.t, &k, &v),
	    "the last one takes its digest along");
	change_abort(&c);
	t_close(mb);
	t_remove("M");
}

/* mv .A .B, and another .A, while the index knows .A. */
static void
renamed_behind_us(void)
{
	struct store *st = t_store();
	struct mailbox *a, *b;

	store_create(st, SPAN("A"));
	a = folder(st, "A");
	for (int i = 0; i < 3; i++)
		t_append(a, text, 0, NULL);
	t_is(a, "1:1 2:2 3:3", "three messages");
	mailbox_close(a);
	sh("mv M/.A M/.B && mkdir M/.A M/.A/cur M/.A/new M/.A/tmp");
	a = folder(st, "A");
	t_is(a, "", "another folder of the name has none of them");
	b = folder(st, "B");
	t_is(b, "1:1 2:2 3:3", "the renamed one has them");
	for (int i = 0; i < 20; i++)
		store_purge(st);
	t_is(b, "1:1 2:2 3:3", "and keeps them when old records are removed");
	ok(t_append(b, text, 0, NULL) > 3, "UIDs rise");
	mailbox_close(a);
	t_close(b);
	t_remove("M");
}

static void
limit_files(rlim_t octets)
{
	struct rlimit now;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &now);
	now.rlim_cur = octets < now.rlim_max ? octets : now.rlim_max;
	setrlimit(RLIMIT_FSIZE, &now);
}

/* LMDB's own writes fail, the short ones to the list do not. */
static enum store_result
failing_commit(struct change *c)
{
	limit_files(8192);
	enum store_result r = change_commit(c);
	limit_files(RLIM_INFINITY);
	return r;
}

/* A change that makes the mailbox's number fails at the commit. */
static void
number_that_never_was(void)
{
	struct store *st = t_store();
	struct store *st2 = t_store();
	struct mailbox *a, *b;
	struct change c;

	store_create(st, SPAN("A"));
	store_create(st, SPAN("B"));
	a = folder(st, "A");
	b = folder(st2, "B");
	ok(attach_begin(&c, a, 0, false) == STORE_OK, "a folder gets a number");
	ok(failing_commit(&c) != STORE_OK, "but the commit fails");
	ok(t_append(b, text, 0, NULL) == 1, "another folder gets one");
	t_is(a, "", "the first has none of its messages");
	ok(t_append(a, text, 0, NULL) == 1 && t_append(b, text, 0, NULL) == 2,
	    "and numbers of its own");
	t_close(a);
	t_close(b);
	t_remove("M");
}

static off_t
list_size(void)
{
	struct stat s;

	return stat("M/" UIDLIST_FILE, &s) == 0 ? s.st_size : -1;
}

static void
lines_that_never_were(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct uidlist_gone gone = { 1, 1 };
	struct change c;

	t_append(mb, text, 0, NULL);
	off_t before = list_size();
	change_begin(&c, mb, 0, false);
	uidlist_forget(&c.lines, &gone, 1);
	ok(failing_commit(&c) != STORE_OK && list_size() == before,
	    "the lines of a commit that failed are cut at once");
	t_close(mb);
	t_remove("M");
}

/* The list cannot be written when the files are renamed already. */
static void
refused_flags(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct span keyword = SPAN("work");
	struct flag_change ask = { .op = FLAGS_ADD, .flags = MSG_SEEN,
		.keyword = &keyword, .keywords = 1,
		.unchangedsince = UINT64_MAX };
	struct set finished = { 0 }, modified = { 0 };
	struct view *v;
	uint64_t modseq;

	t_append(mb, text, MSG_FLAGGED, NULL);
	t_append(mb, text, 0, NULL);
	view_open(mb, &v);
	limit_files((rlim_t)list_size());
	enum store_result r = view_store(v, NULL, &ask, &finished, &modified,
	    &modseq);
	limit_files(RLIM_INFINITY);
	ok(r != STORE_OK && r != STORE_ERROR,
	    "a list that cannot be written is a clear failure");
	t_is_view(v, "1:1F 2:2", "and no message has what was refused");
	sh("rm -r M/.lemon");
	t_is(mb, "1:1F 2:2", "not even the files' names");
	ok(view_store(v, NULL, &ask, &finished, &modified, &modseq) ==
	    STORE_OK && set_count(&finished) == 2, "it can be asked again");
	t_is(mb, "1:1SF+work 2:2S+work", "and then they have it");
	set_free(&finished);
	set_free(&modified);
	view_close(v);
	t_close(mb);
	t_remove("M");
}

/* An index from a backup, older than the list. */
static void
old_index(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct mailbox_status s, t;
	struct change c;

	t_append(mb, text, 0, NULL);
	t_close(mb);
	sh("cp -r M/.lemon old");
	st = t_store();
	mb = t_inbox(st);
	change_begin(&c, mb, 0, false);
	change_uid(&c, 5000);
	c.m.modseq = c.m.modseq_limit + 10;
	change_modseq(&c);
	change_commit(&c);
	uint32_t last = t_append(mb, text, 0, NULL);
	ok(last > 5000 && mailbox_status(mb, &s) == STORE_OK,
	    "UIDs beyond the first reservation");
	t_close(mb);
	sh("rm -r M/.lemon && mv old M/.lemon");
	st = t_store();
	mb = t_inbox(st);
	char want[40];
	snprintf(want, sizeof want, "1:1 2:%u", last);
	t_is(mb, want, "an old index costs no message its UID");
	ok(t_append(mb, text, 0, NULL) > last,
	    "an old index gives no UID away again");
	ok(mailbox_status(mb, &t) == STORE_OK &&
	    t.uidvalidity == s.uidvalidity &&
	    t.highestmodseq > s.highestmodseq, "and no MODSEQ");
	t_close(mb);
	t_remove("M");
}

/* Files put back from a backup have other inodes than the index knows, which
 * must neither keep EXPUNGE and MOVE from unlinking them nor bring them back
 * as new messages. */
static void
put_back(void)
{
	static const char again[] = "cd M/cur && touch -r . ../../s && "
	    "for f in *; do cp -p $f x && mv x $f; done && "
	    "touch -r ../../s .";
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st), *to;
	struct copied copied;
	struct set one = { 0 };
	struct view *v;
	uint64_t modseq;

	store_create(st, SPAN("A"));
	to = folder(st, "A");
	t_append(mb, text, MSG_DELETED, NULL);
	t_append(mb, text, 0, NULL);
	view_open(mb, &v);
	sh(again);
	ok(view_expunge(v, NULL, &modseq) == STORE_OK &&
	    view_tidy(v, NULL, NULL) == STORE_OK, "what was put back can be expunged");
	sh("touch M/cur");
	t_is(mb, "1:2", "and does not come back");
	sh(again);
	set_add(&one, 2, 2);
	ok(view_copy(v, &one, to, true, &copied) == STORE_OK &&
	    copied.n == 1 && view_tidy(v, NULL, NULL) == STORE_OK, "or moved");
	free(copied.from);
	free(copied.to);
	set_free(&one);
	view_close(v);
	sh("touch M/cur && test -z \"$(ls M/cur)\"");
	t_is(mb, "", "and is not in the first folder then");
	t_is(to, "1:1", "but in the other");
	mailbox_close(mb);
	t_close(to);
	t_remove("M");
}

/* A FIFO in the place of the list must hang nobody. */
static void
fifo(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	t_append(mb, text, 0, NULL);
	t_close(mb);
	sh("rm M/" UIDLIST_FILE " && mkfifo M/" UIDLIST_FILE);
	alarm(20);
	st = t_store();
	mb = t_inbox(st);
	t_is(mb, "1:1", "a FIFO in the place of the list hangs nobody");
	ok(t_append(mb, text, 0, NULL) == 2 && list_size() > 0,
	    "and the list is written anew");
	alarm(0);
	t_close(mb);
	t_remove("M");
}

static void
recent(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct mailbox_status s;
	struct view *v;

	for (int i = 0; i < 70; i++)
		t_append(mb, text, 0, NULL);
	ok(mailbox_status(mb, &s) == STORE_OK && s.recent == 70,
	    "what nobody has seen is recent");
	view_open(mb, &v);
	view_settle(v);
	view_close(v);
	for (int i = 0; i < 3; i++)
		t_append(mb, text, 0, NULL);
	ok(mailbox_status(mb, &s) == STORE_OK && s.recent == 3,
	    "what came since is");
	t_close(mb);
	t_remove("M");
}

/* What cannot be unlinked must not come back as a new message. */
static void
stays_dead(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct view *v;
	uint64_t modseq;

	t_append(mb, text, MSG_DELETED, NULL);
	view_open(mb, &v);
	view_expunge(v, NULL, &modseq);
	int cur = mb->sub[CUR];
	mb->sub[CUR] = open("/proc/self", O_RDONLY | O_DIRECTORY);
	close(mb->sub[CUR]);	/* every call fails with EBADF */
	mailbox_reap(mb, NULL, NULL);
	mb->sub[CUR] = cur;
	sh("touch M/cur/1.other:2,S");
	t_is(mb, "1:2S", "an expunged file that stays is no new message");
	ok(view_tidy(v, NULL, NULL) == STORE_OK, "it is unlinked later");
	view_close(v);
	t_is(mb, "1:2S", "and then it is gone");
	t_close(mb);
	t_remove("M");
}

static void
cut_short(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);

	t_append(mb, text, MSG_SEEN, NULL);
	sh(": > M/.lemon/index/data.mdb");
	t_is(mb, "1:1S", "an index cut short under us is made anew");
	sh(": > M/.lemon/index/lock.mdb");
	t_is(mb, "1:1S", "and so is one whose lock file is");
	sh("rm -r M/.lemon");
	struct bell *b;
	ok(bell_open(st, mb, &b) == STORE_OK,
	    "a bell can be hung up after the index was deleted");
	bell_close(b);
	t_close(mb);
	t_remove("M");
}

/* A record of the wrong size is damage: the index is made anew. */
static void
damaged(void)
{
	static const char kinds[] = "Mmbk";

	for (const char *k = kinds; *k != '\0'; k++) {
		struct store *st = t_store();
		struct mailbox *mb = t_inbox(st);
		struct mailbox_status s, after;
		struct change c;
		char name[80];

		t_append(mb, text, MSG_SEEN, "work");
		t_append(mb, text, 0, NULL);
		mailbox_status(mb, &s);
		change_begin(&c, mb, 0, false);
		struct key key = *k == 'M' ? key_mailbox('M', mb->id) :
		    *k == 'b' ? key_chunk(mb->id, PRESENT, 0) :
		    key_uid(*k, mb->id, 1);
		txn_put(c.t, &key, SPAN("x"));
		txn_commit(c.t);
		c.t = NULL;
		t_close(mb);
		st = t_store();
		mb = t_inbox(st);
		struct view *v = NULL;
		bool all = view_open(mb, &v) == STORE_OK &&
		    view_exists(v) == 2;
		view_close(v);
		t_append(mb, text, 0, NULL);
		snprintf(name, sizeof name, "a damaged %c is mended", *k);
		ok(all && mailbox_status(mb, &after) == STORE_OK &&
		    after.uidvalidity == s.uidvalidity &&
		    after.messages > s.messages, name);
		t_close(mb);
		t_remove("M");
	}
}

static void
add_flags(struct mailbox *mb, uint32_t uid, uint32_t flags)
{
	enum store_result r = STORE_ERROR;
	struct view *v;

	/* Refused is not lost: opening finds one damage, changing another. */
	for (int try = 0; try < 4 && r != STORE_OK; try++) {
		if (view_open(mb, &v) != STORE_OK)
			continue;
		r = t_change(v, uid, uid, FLAGS_ADD, flags, NULL);
		view_close(v);
	}
	ok(r == STORE_OK, "flags are added");
}

/* A record of some time ago, with a good seal: what was acknowledged since
 * stays in the file's name. */
static void
old_record(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct change c;
	struct rec old;

	t_append(mb, text, 0, NULL);
	change_begin(&c, mb, 0, false);
	rec_get(c.t, mb->id, 1, &old);
	change_abort(&c);
	add_flags(mb, 1, MSG_SEEN);
	change_begin(&c, mb, 0, false);
	change_rec(&c, 1, &old);
	change_commit(&c);
	add_flags(mb, 1, MSG_FLAGGED);
	t_is(mb, "1:1SF", "a change of an old record is of the new one");
	t_close(mb);
	t_remove("M");
}

int
main(void)
{
	t_make_dir();
	counters();
	objects();
	renamed_behind_us();
	number_that_never_was();
	lines_that_never_were();
	refused_flags();
	old_index();
	put_back();
	fifo();
	recent();
	stays_dead();
	cut_short();
	damaged();
	old_record();
	t_remove_dir();
	return done();
}
