/* SPDX-License-Identifier: ISC */
#include "store/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/attach.h"
#include "store/check_internal.h"
#include "store/dirs.h"
#include "store/filename.h"
#include "store/keyword.h"
#include "store/letters.h"
#include "store/list.h"

enum { LOOKS = 5, TMP_AGE = 36 * 3600, UIDS_SHOWN = 400 };

const char check_rebuild[] = "run lemon-store rebuild";
static const char owner_and_mode[] = "look at the folder's owner and mode";
static const char reading[] = "it is made when it is read, or by "
    "lemon-store rebuild";

static const struct {
	const char *what, *todo;
	bool note;
} faults[FAULTS] = {
	[NO_RECORD] = { "in the bitmap but without a record",
	    check_rebuild, false },
	[NO_BIT] = { "with a record that the bitmap contradicts",
	    check_rebuild, false },
	[NO_NAME] = { "without a file name in the index",
	    check_rebuild, false },
	[NO_FILE] = { "without a file, although nobody else touched the "
	    "folder", "touch its cur, and the next session expunges it; or "
	    "put the file back", false },
	[OTHER_NAME] = { "whose file has another name than the index says",
	    "touch its cur, and the next session looks again", false },
	[OTHER_FILE] = { "whose name another file has",
	    "touch its cur, and the next session looks again", false },
	[NO_LOOKUP] = { "that cannot be found by name",
	    check_rebuild, false },
	[NO_JOURNAL] = { "whose last change the journal does not have",
	    check_rebuild, false },
	[NEW_MARK] = { "wrongly noted as in new or not",
	    check_rebuild, false },
	[NO_OBJECT] = { "without an object", check_rebuild, false },
	[BAD_DIGEST] = { "with a digest that cannot be",
	    check_rebuild, false },
	[OTHER_DIGEST] = { "with a digest of other text",
	    "if somebody edited the file, it is made anew when it is read; "
	    "else the file is damaged: compare it with a backup", false },
	[NO_DIGEST] = { "never looked into: no digest yet", reading, true },
	[OTHER_SIZE] = { "whose file is not as big as its name says",
	    "the file was edited or cut short: compare it with a backup",
	    false },
	[OTHER_FLAGS] = { "with other flags in the index than in the file's "
	    "name", check_rebuild, false },
	[NOT_LISTED] = { "that lemon-uidlist does not have: without the "
	    "index they would get other UIDs", "they are listed when it is "
	    "written anew", false },
	[LISTED_OTHER] = { "that lemon-uidlist gives another file",
	    check_rebuild, false },
	[LISTED_GONE] = { "that lemon-uidlist says are expunged",
	    check_rebuild, false },
	[OTHER_KEYWORDS] = { "with other keywords in the index than in "
	    "lemon-uidlist", check_rebuild, false },
	[OTHER_LATE] = { "with other flags in the index than in "
	    "lemon-uidlist", check_rebuild, false },
	[OLD_NAME] = { "whose files' names do not tell their flags yet",
	    "the next session renames them", true },
	[STILL_THERE] = { "expunged, but their files are still there",
	    "the next session unlinks them", true },
	[UNREADABLE] = { "that cannot be read",
	    "look at the disk, and at the file's owner and mode", false }
};

static void
add(struct checking *k, const char *what, const char *todo, bool note)
{
	k->say = arena_grow(&k->mem, k->say, &k->says_cap, k->says + 1,
	    sizeof *k->say);
	k->say[k->says++] = (struct finding){ .mailbox = k->name,
		.what = what, .todo = todo, .note = note };
}

void
check_say(struct checking *k, const char *todo, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add(k, arena_cstr(&k->mem, span_str(text)), todo, todo == NULL);
}

bool
check_starved(struct check *c, enum store_result r)
{
	bool yes = r == STORE_LIMIT || r == STORE_INUSE;

	c->starved = c->starved || yes;
	return yes;
}

/* What a look comes to that went well but for that. */
enum store_result
check_end(struct check *c, struct store *st)
{
	if (!c->starved)
		return STORE_OK;
	store_fail(st, "for want of memory or descriptors not all could be "
	    "looked at", 0);
	return STORE_LIMIT;
}

/* --- what there is --- */

static void
read_list(struct checking *k)
{
	uint64_t inode;
	struct span rest;

	if (fstatat(k->mb->dir, UIDLIST_FILE, &k->list,
	    AT_SYMLINK_NOFOLLOW) == -1)
		k->list = (struct stat){ 0 };
	enum store_result r = list_read(k->mb, &k->text, &inode);

	if (r != STORE_OK && check_starved(k->ask, r))
		return;
	if (r != STORE_OK) {
		check_say(k, k->indexed ? "its next change writes it anew "
		    "from the index" : NULL, k->indexed ?
		    "there is no lemon-uidlist, or it cannot be read" :
		    "no session has looked at it yet");
		return;
	}
	k->listed = uidlist_parse(buf_span(&k->text), &k->l);
	if (!k->listed)
		check_say(k, k->indexed ? "its next change writes it anew "
		    "from the index" : "it gets a new UIDVALIDITY, unless "
		    "you put back a copy", "the header of lemon-uidlist "
		    "cannot be read");
	rest = span_skip(buf_span(&k->text), k->l.good);
	if (k->listed && rest.n > 0 &&
	    (!k->indexed || k->l.good < k->m.list_size))
		check_say(k, k->indexed ? check_rebuild : "UIDs in it are lost "
		    "unless you mend it", "lemon-uidlist has a bad line at "
		    "octet %zu, and %zu octets after it do not count",
		    k->l.good, rest.n);
}

/* Another server's list. */
static void
check_import(struct checking *k)
{
	const char *file = import_over(k->mb->dir) ? NULL :
	    import_unread(k->mb->dir);

	if (file != NULL)
		check_say(k, k->listed ? "remove it" : "put back a copy before "
		    "the first session", "the header of %s cannot be read: "
		    "UIDs %s anew", file, k->listed ? "began" : "begin");
}

static void
read_dir(struct checking *k, int d)
{
	DIR *dir = dirs_open(k->mb, d);
	struct dirent *e;

	if (dir == NULL) {
		int err = errno;

		if (!check_starved(k->ask, store_fail(k->mb->st, "", err)))
			check_say(k, owner_and_mode, "%s cannot be read: %s",
			    d == CUR ? "cur" : "new", strerror(err));
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		struct span name = span_str(e->d_name);

		if ((e->d_type != DT_REG && e->d_type != DT_UNKNOWN) ||
		    !letters_valid(name))
			continue;
		k->f = arena_grow(&k->mem, k->f, &k->cap, k->n + 1,
		    sizeof *k->f);
		name.p = arena_cstr(&k->mem, name);
		k->f[k->n++] = (struct there){ .dir = d, .name = name,
			.hash = letters_hash(filename_base(name)),
			.inode = e->d_ino };
	}
	closedir(dir);
}

static bool
stat_dirs(struct checking *k, struct stat s[2])
{
	for (int d = CUR; d <= NEW; d++) {
		int fd = mailbox_sub(k->mb, d);

		if (fd == -1 || fstat(fd, &s[d]) == -1)
			return false;
	}
	return true;
}

static void
look_at_tmp(struct checking *k)
{
	DIR *dir = dirs_open(k->mb, TMP);
	int64_t now = clock_now();
	struct dirent *e;
	struct stat s;
	unsigned old = 0;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		old += e->d_name[0] != '.' && fstatat(dirfd(dir), e->d_name,
		    &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode) &&
		    now - s.st_mtim.tv_sec > TMP_AGE;
	closedir(dir);
	if (old > 0)
		check_say(k, NULL, "%u files in tmp that nobody finished: a "
		    "session removes them", old);
}

/* --- the three against each other --- */

static void
list_and_index(struct checking *k)
{
	const struct meta *m = &k->m;

	if (!k->listed)
		return;
	if (m->uidvalidity != k->l.uidvalidity)
		check_say(k, check_rebuild, "UIDVALIDITY is %u in the index "
		    "and %u in lemon-uidlist", m->uidvalidity,
		    k->l.uidvalidity);
	if (memcmp(m->guid, k->l.guid, sizeof m->guid) != 0)
		check_say(k, check_rebuild, "the index and lemon-uidlist "
		    "give it different identities");
	if (m->uidnext > k->l.uidnext || m->modseq > k->l.modseq)
		check_say(k, check_rebuild, "numbers were used that "
		    "lemon-uidlist does not reserve");
	if (m->list_ino != k->list.st_ino || m->list_size > k->text.n)
		check_say(k, "the next session writes it anew from the index",
		    "lemon-uidlist is not the one that the index wrote: one "
		    "of them was put back or cut short");
	else if (m->list_size < k->text.n)
		check_say(k, NULL, "lemon-uidlist has %llu octets more than "
		    "were committed: the next change cuts them",
		    (unsigned long long)(k->text.n - m->list_size));
}

/* Files that no record has. */
static void
unknown_files(struct checking *k)
{
	size_t new = 0, lost = 0;
	const char *one = "";

	for (size_t i = 0; i < k->n; i++) {
		if (k->f[i].known)
			continue;
		if (k->indexed && k->settled[k->f[i].dir]) {
			lost++;
			one = k->f[i].name.p;
		} else
			new++;
	}
	if (new > 0)
		check_say(k, NULL, "%zu files are new: the next session "
		    "takes them in", new);
	if (lost > 0)
		check_say(k, "touch its cur, and the next session takes them "
		    "in", "%zu files are in no record, %.200s among them",
		    lost, one);
}

/* Tell each kind of fault with its UIDs. */
static void
tell_faults(struct checking *k)
{
	for (int i = 0; i < FAULTS; i++) {
		struct buf text = { 0 }, uids = { 0 };
		uint64_t n = set_count(&k->fault[i]);

		if (n == 0)
			continue;
		set_print(&k->fault[i], &uids);
		buf_addf(&text, "%llu message%s %s: uid ",
		    (unsigned long long)n, n == 1 ? "" : "s", faults[i].what);
		buf_add(&text, span_head(buf_span(&uids), UIDS_SHOWN));
		if (uids.n > UIDS_SHOWN)
			buf_adds(&text, "...");
		add(k, arena_cstr(&k->mem, buf_span(&text)), faults[i].todo,
		    faults[i].note);
		buf_free(&text);
		buf_free(&uids);
	}
}

/* Whether nobody did anything between the beginning of the look and now. */
static bool
at_rest(struct checking *k)
{
	struct stat now[2], list = { 0 };
	struct meta m;
	struct txn t;
	bool same = true;

	if (!stat_dirs(k, now))
		return true;
	for (int d = CUR; d <= NEW; d++)
		same = same && now[d].st_mtim.tv_sec ==
		    k->dir[d].st_mtim.tv_sec && now[d].st_mtim.tv_nsec ==
		    k->dir[d].st_mtim.tv_nsec;
	fstatat(k->mb->dir, UIDLIST_FILE, &list, AT_SYMLINK_NOFOLLOW);
	same = same && list.st_size == k->list.st_size &&
	    list.st_ino == k->list.st_ino;
	if (!k->indexed || txn_read(k->mb->st, &t) != STORE_OK)
		return same;
	same = same && meta_get(&t, k->mb->id, &m) &&
	    memcmp(&m, &k->m, sizeof m) == 0;
	txn_abort(&t);
	return same;
}

/* The index against the rest.  What cannot be read to its end tells nothing
 * else. */
static void
look_at_index(struct checking *k)
{
	list_and_index(k);
	size_t says = k->says;

	check_records(k);
	enum store_result r = txn_result(&k->t);

	if (r == STORE_OK || check_starved(k->ask, r))
		return;
	k->says = says;
	for (int i = 0; i < FAULTS; i++)
		set_clear(&k->fault[i]);
	for (size_t i = 0; i < k->n; i++)
		k->f[i].known = true;
	check_say(k, check_rebuild, "reading the index fails: %.200s",
	    store_why(k->mb->st));
}

static void
look(struct checking *k, bool index)
{
	enum store_result r = index ? txn_read(k->mb->st, &k->t) :
	    STORE_NONEXISTENT;

	if (check_starved(k->ask, r))
		return;
	stat_dirs(k, k->dir);
	if (r == STORE_OK)
		k->indexed = attach_known(k->mb, &k->t, &k->m) &&
		    !k->m.building;
	read_list(k);
	check_import(k);
	for (int d = CUR; d <= NEW; d++) {
		k->settled[d] = k->indexed &&
		    dir_is(&k->m.dir[d], &k->dir[d]) && !k->m.dir[d].dirty;
		read_dir(k, d);
	}
	if (k->indexed)
		look_at_index(k);
	else if (index && k->listed)
		check_say(k, NULL, "it is not in the index: the next session "
		    "takes it in");
	txn_abort(&k->t);
	unknown_files(k);
	look_at_tmp(k);
	if (k->indexed && k->ask->digests)
		check_digests(k);
	tell_faults(k);
}

static void
look_free(struct checking *k)
{
	for (int i = 0; i < FAULTS; i++)
		set_free(&k->fault[i]);
	if (k->listed)
		uidlist_free(&k->l);
	buf_free(&k->text);
	arena_free(&k->mem);
}

static bool
any_fault(const struct checking *k)
{
	for (size_t i = 0; i < k->says; i++)
		if (!k->say[i].note)
			return true;
	return false;
}

/* A folder that cannot be opened, for the reason just given: that is found,
 * and the others are looked at. */
static enum store_result
shut(struct store *st, struct span name, struct check *c)
{
	struct span why = span_str(store_why(st));
	struct buf what = { 0 };

	buf_adds(&what, "cannot be read");
	buf_add(&what, span_skip(why, span_rchr(why, ':')));
	c->found(c->arg, &(struct finding){ .mailbox = name,
	    .what = buf_cstr(&what), .todo = owner_and_mode });
	buf_free(&what);
	return STORE_OK;
}

enum store_result
check_mailbox(struct store *st, struct span name, struct check *c)
{
	struct mailbox *mb;
	struct checking k;
	bool rest = false;
	enum store_result r = mailbox_open(st, name, RIGHT_READ, &mb);

	if (r != STORE_OK)
		return r == STORE_DENIED ? shut(st, name, c) : r;
	for (int i = 0; i < LOOKS; i++) {
		k = (struct checking){ .ask = c, .mb = mb, .name = name };
		look(&k, index_there(st));
		rest = at_rest(&k);
		if (rest || !any_fault(&k) || i + 1 == LOOKS)
			break;
		look_free(&k);
	}
	if (!rest && any_fault(&k))
		check_say(&k, NULL, "others were at work on it all the time: "
		    "look again to be sure");
	/* Where not all could be read, what was may look wrong. */
	for (size_t i = 0; i < k.says && !c->starved; i++)
		c->found(c->arg, &k.say[i]);
	c->mailboxes++;
	c->messages += k.indexed ? k.m.messages : k.n;
	look_free(&k);
	mailbox_close(mb);
	return check_end(c, st);
}
