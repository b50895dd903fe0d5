/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <sys/stat.h>

#include "store.h"

static const char text[] = "Subject: one\r\n\r\nHello\r\n";

/* What a sync tells, as "-SEQ … changed … exists". */
static void
gone(void *arg, uint32_t seq, uint32_t uid)
{
	buf_addf(arg, "-%u(%u) ", seq, uid);
}

static void
t_sync(struct view *v, bool expunge, const char *want, const char *name)
{
	struct view_changes ch = { 0 };
	struct buf b = { 0 };
	bool held;

	if (view_sync(v, expunge, &ch, &held, gone, &b) != STORE_OK)
		buf_adds(&b, "failed ");
	if (ch.exists)
		buf_addf(&b, "exists %u ", view_exists(v));
	if (ch.changed.n > 0) {
		buf_adds(&b, "changed ");
		set_print(&ch.changed, &b);
		buf_addc(&b, ' ');
	}
	if (ch.keywords)
		buf_adds(&b, "keywords ");
	if (held)
		buf_adds(&b, "held ");
	if (b.n > 0)
		b.n--;
	is(buf_span(&b), span_str(want), name);
	buf_free(&b);
	view_changes_free(&ch);
}

static void
flags(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st), *mb2 = t_inbox(st);
	struct view *v, *w;

	for (int i = 0; i < 4; i++)
		t_append(mb, text, 0, NULL);
	view_open(mb, &v);
	view_open(mb2, &w);
	ok(t_change(v, 1, 2, FLAGS_ADD, MSG_SEEN, NULL) == STORE_OK &&
	    t_change(v, 2, 2, FLAGS_ADD, MSG_FLAGGED, "$Work") == STORE_OK,
	    "flags are added");
	t_is_view(v, "1:1S 2:2SF+$Work 3:3 4:4", "and are there");
	t_sync(v, true, "keywords", "who changed them is not told");
	t_sync(w, true, "changed 1:2 keywords", "others are");
	t_sync(w, true, "", "once");
	t_change(w, 1, 4, FLAGS_SET, MSG_DRAFT, NULL);
	t_is_view(v, "1:1D 2:2D 3:3D 4:4D", "setting replaces all");
	t_change(w, 3, 4, FLAGS_ADD, 0, "$Work");
	t_change(w, 4, 9, FLAGS_REMOVE, MSG_DRAFT, "$WORK");
	t_is_view(w, "1:1D 2:2D 3:3D+$Work 4:4", "keywords have no case");
	t_change(v, 1, 1, FLAGS_ADD, MSG_SEEN, NULL);
	t_sync(v, true, "changed 1:4",
	    "what others changed before us is told with ours");
	for (int i = 0; i < 300; i++) {
		char name[16];

		snprintf(name, sizeof name, "k%d", i);
		if (t_change(v, 3, 3, FLAGS_ADD, 0, name) != STORE_OK)
			ok(false, name);
	}
	const struct span *names;
	size_t n;
	ok(mailbox_keywords(mb2, &names, &n) == STORE_OK && n == 301,
	    "hundreds of keywords are no matter");
	view_close(v);
	view_close(w);
	mailbox_close(mb);
	t_close(mb2);

	t_remove("M/.lemon");
	st = t_store();
	mb = t_inbox(st);
	view_open(mb, &v);
	struct set one = t_set(1, 2);
	struct t_list l = { .mb = mb };
	view_each(v, &one, 0, t_list_one, &l);
	is(buf_span(&l.b), SPAN("1:1SD 2:2D"),
	    "flags outlive the index in file names");
	set_free(&one);
	buf_clear(&l.b);
	one = t_set(3, 3);
	view_each(v, &one, 0, t_list_one, &l);
	ok(span_starts(buf_span(&l.b), SPAN("3:3D+$Work+k0+k1+")) &&
	    span_ends(buf_span(&l.b), SPAN("+k299")),
	    "and keywords in the uidlist");
	set_free(&one);
	buf_free(&l.b);
	view_close(v);
	t_close(mb);
}

static void
expunge(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st), *mb2 = t_inbox(st);
	struct mailbox_status s;
	struct view *v, *w;
	uint64_t modseq;

	for (int i = 0; i < 6; i++)
		t_append(mb, text, 0, NULL);
	view_open(mb, &v);
	view_open(mb2, &w);
	t_change(v, 2, 3, FLAGS_ADD, MSG_DELETED, NULL);
	t_change(v, 5, 5, FLAGS_ADD, MSG_DELETED, NULL);
	t_sync(w, false, "changed 2:3,5", "others see \\Deleted");
	struct set u = t_set(3, 9);
	ok(view_expunge(v, &u, &modseq) == STORE_OK, "UID EXPUNGE works");
	t_sync(v, true, "-5(5) -3(3)",
	    "numbers are told from the highest down");
	t_is_view(v, "1:1 2:2T 3:4 4:6", "and the others move up");
	t_sync(w, false, "held", "where it may not be told it is held back");
	t_is_view(w, "1:1 2:2T 3:3T! 4:4 5:5T! 6:6",
	    "the view keeps the last known flags");
	t_append(mb, text, 0, NULL);
	t_sync(w, false, "exists 7 held", "while new ones are told");
	t_sync(w, true, "-5(5) -3(3)", "until it may");
	t_is_view(w, "1:1 2:2T 3:4 4:6 5:7", "and then it is gone");
	t_sync(v, true, "exists 5", "and the new one comes");
	ok(view_tidy(v, NULL, NULL) == STORE_OK && view_tidy(w, NULL, NULL) == STORE_OK,
	    "the files are unlinked");
	ok(view_expunge(v, NULL, &modseq) == STORE_OK, "EXPUNGE works");
	mailbox_status(mb, &s);
	ok(s.messages == 4 && s.deleted == 0 && s.bytes == 4 * strlen(text),
	    "the counters know");
	view_close(v);
	view_close(w);
	mailbox_close(mb);
	t_close(mb2);
	/* One is not reaped yet. */
	t_remove("M/.lemon");
	st = t_store();
	mb = t_inbox(st);
	t_is(mb, "1:1 2:4 3:6 4:7",
	    "what was expunged stays so, the index gone before its file");
	set_free(&u);
	t_close(mb);
}

static void
copy(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st), *to;
	struct view *v;
	struct copied done;

	ok(store_create(st, SPAN("There")) == STORE_OK &&
	    mailbox_open(st, SPAN("There"), RIGHT_WRITE, &to) == STORE_OK,
	    "another mailbox");
	t_append(to, text, 0, "$Other");
	for (int i = 0; i < 4; i++)
		t_append(mb, text, i == 2 ? MSG_SEEN : 0,
		    i == 1 ? "$Work" : NULL);
	view_open(mb, &v);
	struct set u = t_set(2, 3);
	ok(view_copy(v, &u, to, false, &done) == STORE_OK && done.n == 2 &&
	    done.from[0] == 2 && done.to[0] == 2 && done.from[1] == 3 &&
	    done.to[1] == 3, "COPY tells the new UIDs");
	free(done.from);
	free(done.to);
	t_is(to, "1:1+$Other 2:2+$Work 3:3S",
	    "flags and keywords go along, by name");
	t_is(mb, "1:1 2:2+$Work 3:3S 4:4", "the source stays as it is");
	ok(view_copy(v, &u, to, true, &done) == STORE_OK && done.n == 2 &&
	    done.to[1] == 5, "MOVE too");
	free(done.from);
	free(done.to);
	t_sync(v, true, "-3(3) -2(2)", "the moved ones vanish");
	t_is(to, "1:1+$Other 2:2+$Work 3:3S 4:4+$Work 5:5S", "and are there");
	ok(view_tidy(v, NULL, NULL) == STORE_OK, "their files are unlinked");
	set_free(&u);
	u = t_set(1, 1);
	ok(view_copy(v, &u, mb, false, &done) == STORE_OK && done.n == 1 &&
	    done.to[0] == 5, "a mailbox can be copied into itself");
	free(done.from);
	free(done.to);
	ok(view_copy(v, &u, mb, true, &done) == STORE_OK && done.n == 1 &&
	    done.to[0] == 6, "or moved");
	free(done.from);
	free(done.to);
	t_sync(v, true, "-1(1) exists 3", "which the view sees");
	t_is_view(v, "1:4 2:5 3:6", "as it should");
	view_tidy(v, NULL, NULL);
	set_free(&u);
	view_close(v);
	mailbox_close(mb);
	t_close(to);
	t_remove("M/.lemon");
	st = t_store();
	mb = t_inbox(st);
	mailbox_open(st, SPAN("There"), RIGHT_WRITE, &to);
	t_is(mb, "1:4 2:5 3:6", "all the same without the index");
	t_is(to, "1:1+$Other 2:2+$Work 3:3S 4:4+$Work 5:5S", "in both");
	mailbox_close(mb);
	t_close(to);
}

int
main(void)
{
	t_make_dir();
	flags();
	t_remove("M");
	expunge();
	t_remove("M");
	copy();
	t_remove_dir();
	return done();
}
