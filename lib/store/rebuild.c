/* SPDX-License-Identifier: ISC */
#include "store/rebuild.h"

#include <poll.h>

#include "store/attach.h"
#include "store/bell.h"
#include "store/intent.h"
#include "store/list.h"
#include "store/view.h"

enum { TRIES = 100, WAIT_MS = 100, TICK = 64 };

struct job {
	struct store *st;
	const struct rebuild *ask;
	struct rebuilt r;
	uint64_t done, of;	/* messages, of all mailboxes */
	enum store_result failed;
};

/* What the list says before: its messages and numbers. */
static bool
before(struct mailbox *mb, struct uidlist *l, struct buf *text)
{
	uint64_t inode;

	return list_read(mb, text, &inode) == STORE_OK &&
	    uidlist_parse(buf_span(text), l);
}

/* Batches that are coming in would be taken in twice, so wait for them. */
static enum store_result
begin(struct store *st, struct txn *t)
{
	for (int i = 0; i < TRIES; i++) {
		enum store_result r = txn_write(st, t, 0, true);

		if (r != STORE_OK)
			return r;
		intent_undo_dead(t);
		if (!intent_any(t))
			return STORE_OK;
		txn_abort(t);
		poll(NULL, 0, WAIT_MS);
	}
	store_fail(st, "messages are coming in all the time", 0);
	return STORE_INUSE;
}

static enum store_result
forget_mailbox(struct mailbox *mb)
{
	struct txn t;
	enum store_result r = begin(mb->st, &t);

	if (r != STORE_OK)
		return r;
	attach_forget(mb, &t);
	return txn_commit(&t);
}

static enum store_result
forget_all(struct store *st)
{
	struct txn t;
	enum store_result r = begin(st, &t);

	/* The lock stays ours until the new one is there. */
	if (r != STORE_OK)
		return r;
	return txn_replace(&t);
}

static bool
learned(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	struct job *j = arg;

	(void)seq;
	j->r.unread += m->object != 0 && digest.n == 0;
	if (++j->done % TICK == 0 && j->ask->progress != NULL)
		j->ask->progress(j->ask->arg, j->done, j->of);
	return true;
}

/* Compare what came out with what the list had. */
static void
compare(struct job *j, struct view *v, const struct uidlist *l, bool listed)
{
	uint32_t had = 0;

	j->r.messages = view_exists(v);
	j->r.uidvalidity = view_uidvalidity(v);
	j->r.validity_new = listed && l->uidvalidity != j->r.uidvalidity;
	for (size_t i = 0; listed && i < l->n; i++) {
		bool there = view_seq(v, l->msg[i].uid) != 0;

		had += there;
		j->r.lost += !there && !l->msg[i].gone;
	}
	j->r.fresh = listed ? j->r.messages - had : 0;
}

static enum store_result
build(struct job *j, struct mailbox *mb, bool forget)
{
	struct uidlist l = { 0 };
	struct buf text = { 0 };
	struct view *v = NULL;
	bool listed = before(mb, &l, &text);
	enum store_result r = forget ? forget_mailbox(mb) : STORE_OK;

	if (r == STORE_OK)
		r = view_open(mb, &v);
	if (r == STORE_OK) {
		compare(j, v, &l, listed);
		r = view_each(v, NULL, NEED_SIZE | NEED_DIGEST, learned, j);
	}
	view_close(v);
	if (listed)
		uidlist_free(&l);
	buf_free(&text);
	return r;
}

static enum store_result
one(struct job *j, struct span name, bool forget)
{
	struct mailbox *mb;
	enum store_result r = mailbox_open(j->st, name,
	    RIGHT_READ | RIGHT_WRITE, &mb);

	j->r = (struct rebuilt){ .name = name };
	if (r == STORE_OK) {
		r = build(j, mb, forget);
		mailbox_close(mb);
	}
	bell_ring(j->st);
	j->r.result = r;
	j->ask->done(j->ask->arg, &j->r);
	return r;
}

enum store_result
rebuild_mailbox(struct store *st, struct span name,
    const struct rebuild *ask)
{
	struct job j = { .st = st, .ask = ask };

	return one(&j, name, true);
}

/* How many messages there are to read: as many as the lists have. */
static bool
count(void *arg, struct span name, unsigned flags)
{
	struct job *j = arg;
	struct uidlist l = { 0 };
	struct buf text = { 0 };
	struct mailbox *mb;

	if (!(flags & FOLDER_EXISTS) ||
	    mailbox_open(j->st, name, RIGHT_READ, &mb) != STORE_OK)
		return true;
	if (before(mb, &l, &text)) {
		for (size_t i = 0; i < l.n; i++)
			j->of += !l.msg[i].gone;
		uidlist_free(&l);
	}
	buf_free(&text);
	mailbox_close(mb);
	return true;
}

static bool
each(void *arg, struct span name, unsigned flags)
{
	struct job *j = arg;
	enum store_result r;

	if (!(flags & (FOLDER_EXISTS | FOLDER_UNREADABLE)))
		return true;
	/* One that cannot be built keeps no other from it. */
	r = one(j, name, false);
	if (r != STORE_OK && r != STORE_NONEXISTENT)
		j->failed = r;
	return true;
}

enum store_result
rebuild_store(struct store *st, const struct rebuild *ask)
{
	struct job j = { .st = st, .ask = ask };
	enum store_result r = store_list(st, count, &j);

	if (r == STORE_OK)
		r = forget_all(st);
	if (r == STORE_OK)
		r = store_list(st, each, &j);
	return r == STORE_OK ? j.failed : r;
}
