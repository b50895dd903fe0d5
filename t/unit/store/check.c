/* SPDX-License-Identifier: ISC */
/* What check (check_index, check_store) finds, and that rebuild mends it. */
#include <fcntl.h>
#include <sys/stat.h>

#include "store.h"
#include "store/attach.h"
#include "store/check.h"
#include "store/rebuild.h"
#include "store/uidlist.h"

static const char text[] = "Subject: one\r\n\r\nHello\r\n";

static void
sh(const char *command)
{
	if (system(command) != 0)
		printf("# failed: %s\n", command);
}

static void
found(void *arg, const struct finding *f)
{
	struct buf *b = arg;

	buf_adds(b, f->note ? "note " : "");
	buf_add(b, f->mailbox);
	buf_addf(b, ": %s\n", f->what);
}

/* All that a check says. */
static void
check(struct buf *said, bool digests)
{
	struct store_config cfg = { .maildir = "M", .look = true };
	struct check c = { .found = found, .arg = said, .digests = digests };
	struct store *st;
	const char *why;

	buf_clear(said);
	if (store_open(&st, &cfg, &why) != STORE_OK)
		buf_adds(said, why);
	else if (check_store(st, &c) != STORE_OK)
		buf_adds(said, store_why(st));
	store_close(st);
}

static void
rebuilt(void *arg, const struct rebuilt *r)
{
	*(struct rebuilt *)arg = *r;
}

static void
rebuild(bool all, struct rebuilt *r)
{
	struct rebuild ask = { .done = rebuilt, .arg = r };
	struct store *st = t_store();

	if ((all ? rebuild_store(st, &ask) :
	    rebuild_mailbox(st, SPAN("INBOX"), &ask)) != STORE_OK)
		printf("# rebuild: %s\n", store_why(st));
	for (int i = 0; i < 3; i++) {
		struct mailbox *mb = t_inbox(st);
		struct view *v;

		if (view_open(mb, &v) == STORE_OK)
			view_settle(v);
		view_close(v);
		mailbox_close(mb);
	}
	store_close(st);
}

/* Three messages at rest: nothing changed within the last two seconds. */
static void
furnish(void)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct view *v;

	t_append(mb, text, MSG_SEEN, NULL);
	t_append(mb, text, 0, "work");
	t_append(mb, text, MSG_DELETED, NULL);
	view_open(mb, &v);
	sh("touch -d yesterday M/cur M/new");
	view_rescan(v);
	view_rescan(v);	/* the first one's own doings are looked at again */
	view_close(v);
	t_close(mb);
}

static void
kill_key(struct store *st, const struct key *k)
{
	struct txn t;

	if (txn_write(st, &t, 0, false) == STORE_OK) {
		txn_del(&t, k);
		txn_commit(&t);
	}
}

/* Remove the record of that kind of UID 2 (or the only one). */
static void
damage(char kind)
{
	struct store *st = t_store();
	struct mailbox *mb = t_inbox(st);
	struct span name = { 0 };
	struct rec r = { 0 };
	struct key k;
	struct txn t;
	struct meta m;
	struct walk w;
	int dir;

	mailbox_read(mb, &t, &m);
	rec_get(&t, mb->id, 2, &r);
	rec_name(&t, mb->id, 2, &dir, &name);
	switch (kind) {
	case 'j':
		k = key_modseq('j', mb->id, r.modseq, 2);
		break;
	case 'o':
	case 'd':
		k = key_object(kind, r.object);
		break;
	case 'n':
	case 'q':
		k = key_mailbox(kind, mb->id);
		walk_start(&w, &t, &k, k.n);
		if (walk_next(&w)) {
			memcpy(k.p, w.key.mv_data, w.key.mv_size);
			k.n = w.key.mv_size;
		}
		walk_end(&w);
		break;
	case 'b':
		k = key_chunk(mb->id, PRESENT, 0);
		break;
	case 's':
		k = key_chunk(mb->id, SEEN, 0);
		break;
	case 'w':
		k = key_uid('w', mb->id, 0);
		break;
	case 'k':
		k = key_uid('k', mb->id, 1);
		break;
	default:
		k = key_uid(kind, mb->id, 2);
	}
	txn_abort(&t);
	kill_key(st, &k);
	t_close(mb);
}

static void
records(void)
{
	static const struct {
		char kind;
		const char *says, *name;
	} row[] = {
		{ 'm', "without a record", "a record" },
		{ 'f', "without a file name", "a file name" },
		{ 'n', "found by name", "a look-up of a name" },
		{ 'j', "the journal does not have", "a change" },
		{ 'o', "without an object", "an object" },
		{ 'd', "no digest yet", "a digest" },
		{ 'b', "messages (bitmap)", "a bitmap" },
		{ 's', "seen messages (bitmap)", "the bitmap of seen" },
		{ 'w', "reading the index fails", "the name of a keyword" },
		{ 'k', "reading the index fails", "a set of keywords" },
		{ 'q', "look-ups of keywords", "a look-up of keywords" },
	};
	struct buf said = { 0 };
	struct rebuilt r;

	for (size_t i = 0; i < COUNT(row); i++) {
		char name[100];

		furnish();
		damage(row[i].kind);
		check(&said, false);
		snprintf(name, sizeof name, "check misses %s", row[i].name);
		if (!ok(span_find(buf_span(&said), span_str(row[i].says)) <
		    said.n, name))
			printf("# %.*s\n", (int)said.n, said.p);
		rebuild(i % 2 == 0, &r);
		check(&said, true);
		snprintf(name, sizeof name, "and rebuild makes %s",
		    row[i].name);
		if (!is(buf_span(&said), SPAN(""), name))
			printf("# %s\n", row[i].name);
		t_remove("M");
	}
	buf_free(&said);
}

static void
files(void)
{
	static const struct {
		const char *act, *says;
	} row[] = {
		{ "f=$(ls M/cur/*:2,S) && touch -r M/cur s && rm $f && "
		    "touch -r s M/cur", "without a file" },
		{ "f=$(ls M/cur/*:2,S) && touch -r M/cur s && "
		    "mv $f ${f%S}F && touch -r s M/cur",
		    "has another name" },
		{ "f=$(ls M/cur/*:2,S) && touch -r M/cur s && "
		    "cp $f x && mv x $f && touch -r s M/cur",
		    "another file has" },
		{ "f=$(ls M/cur/*:2,S) && echo more >>$f",
		    "as big as its name" },
		{ "f=$(ls M/cur/*:2,S) && "
		    "printf 'S' | dd of=$f bs=1 seek=14 conv=notrunc "
		    "2>/dev/null", "digest of other text" },
		{ "touch -r M/cur s && echo x >M/cur/1.x:2, && "
		    "touch -r s M/cur", "in no record" },
		{ "echo x >M/cur/1.x:2,", "note INBOX: 1 files are new" },
		{ "touch -d '3 days ago' M/tmp/x",
		    "note INBOX: 1 files in tmp" },
		{ "mkdir M/lemon-trash.1", "note : 1 changes of folders" },
		{ "echo rubbish >M/lemon-metadata",
		    "1 lines of lemon-metadata" },
		{ "mkdir -p M/.A/cur M/.A/new M/.A/tmp",
		    "note A: no session" },
		{ "rm -r M/.lemon", "note : there is no index" },
		{ "rm M/lemon-uidlist", "no lemon-uidlist" },
		{ "echo more >>M/lemon-uidlist",
		    "more than were committed" },
		{ "sed -i '1s/ G/ H/' M/lemon-uidlist",
		    "header of lemon-uidlist" },
		{ "sed -i 2s/^./9/ M/lemon-uidlist", "a bad line at octet" },
		{ "dd if=/dev/zero of=M/.lemon/index/data.mdb bs=4096 "
		    "count=2 conv=notrunc 2>/dev/null", "damaged" },
	};
	struct buf said = { 0 };

	for (size_t i = 0; i < COUNT(row); i++) {
		furnish();
		sh(row[i].act);
		check(&said, true);
		if (!ok(span_find(buf_span(&said), span_str(row[i].says)) <
		    said.n, row[i].says))
			printf("# %.*s\n", (int)said.n, said.p);
		t_remove("M");
	}
	buf_free(&said);
}

static void
numbers(void)
{
	struct rebuilt r;
	struct buf said = { 0 };
	struct store *st;
	struct mailbox *mb;
	struct mailbox_status s, t;

	furnish();
	check(&said, true);
	is(buf_span(&said), SPAN(""), "a sound store has nothing to say");
	st = t_store();
	mb = t_inbox(st);
	mailbox_status(mb, &s);
	for (int all = 0; all < 2; all++) {
		struct rebuild ask = { .done = rebuilt, .arg = &r };
		struct view *v;

		view_open(mb, &v);
		ok((all ? rebuild_store(st, &ask) : rebuild_mailbox(st,
		    SPAN("INBOX"), &ask)) == STORE_OK && r.messages == 3 &&
		    r.uidvalidity == s.uidvalidity && !r.validity_new &&
		    r.fresh == 0 && r.lost == 0 && r.unread == 0,
		    "rebuilding keeps all numbers");
		t_is_view(v, "1:1S 2:2+work 3:3T",
		    "and a view that is open stays as it is");
		view_close(v);
	}
	ok(mailbox_status(mb, &t) == STORE_OK &&
	    t.uidvalidity == s.uidvalidity && t.uidnext >= s.uidnext &&
	    t.highestmodseq > s.highestmodseq && t.bytes == s.bytes &&
	    memcmp(t.guid, s.guid, sizeof s.guid) == 0,
	    "only MODSEQ jumps");
	t_close(mb);
	sh("rm M/cur/*S && echo x >M/cur/1.x:2,");
	rebuild(true, &r);
	ok(r.messages == 3 && r.fresh == 1 && r.lost == 1,
	    "it tells what is new and what is lost");
	sh("rm -r M/lemon-uidlist");
	rebuild(true, &r);
	ok(r.messages == 3 && r.uidvalidity > s.uidvalidity,
	    "without a list UIDVALIDITY rises");
	buf_free(&said);
	t_remove("M");
}

int
main(void)
{
	t_make_dir();
	numbers();
	records();
	files();
	t_remove_dir();
	return done();
}
