/* SPDX-License-Identifier: ISC */
/* A store in a directory of its own, for the tests of the store. */
#ifndef T_STORE_H
#define T_STORE_H

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/bell.h"
#include "store/internal.h"
#include "store/message.h"

#include "../../t.h"

static char t_dir[256];

static inline int
t_unlink(const char *path, const struct stat *s, int type, struct FTW *f)
{
	(void)s, (void)type, (void)f;
	return remove(path);
}

static inline void
t_remove(const char *path)
{
	nftw(path, t_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void
t_make_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(t_dir, sizeof t_dir, "%s/lemon.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(t_dir) == NULL || chdir(t_dir) == -1)
		exit(1);
}

static inline void
t_remove_dir(void)
{
	if (chdir("/") == 0)
		t_remove(t_dir);
}

/* The Maildir is M. */
static inline struct store *
t_store(void)
{
	struct store_config cfg = { .maildir = "M", .create = true };
	struct store *st;
	const char *why;

	if (store_open(&st, &cfg, &why) != STORE_OK) {
		printf("Bail out! %s\n", why);
		exit(1);
	}
	return st;
}

static inline struct mailbox *
t_inbox(struct store *st)
{
	struct mailbox *mb;

	if (mailbox_open(st, SPAN("INBOX"), RIGHT_READ | RIGHT_WRITE,
	    &mb) != STORE_OK) {
		printf("Bail out! %s\n", store_why(st));
		exit(1);
	}
	return mb;
}

/* And its store. */
static inline void
t_close(struct mailbox *mb)
{
	struct store *st = mb->st;

	mailbox_close(mb);
	store_close(st);
}

static inline struct draft *
t_draft(struct mailbox *mb, const char *text, uint32_t flags,
    const char *keyword)
{
	struct span k = span_str(keyword);
	struct draft_info info = { .internaldate = INT64_MIN, .flags = flags,
		.keyword = &k, .keywords = keyword != NULL };
	struct draft *d;
	uint64_t wire;

	if (draft_open(mb, &info, &d) != STORE_OK ||
	    draft_write(d, span_str(text)) != STORE_OK ||
	    draft_finish(d, &wire) != STORE_OK) {
		printf("Bail out! draft: %s\n", store_why(mb->st));
		exit(1);
	}
	return d;
}

/* Append one message; its UID, or 0. */
static inline uint32_t
t_append(struct mailbox *mb, const char *text, uint32_t flags,
    const char *keyword)
{
	struct draft *d = t_draft(mb, text, flags, keyword);
	uint32_t uid = 0, validity;

	if (mailbox_place(mb, &d, 1, false, &uid, &validity) != STORE_OK) {
		printf("# append: %s\n", store_why(mb->st));
		uid = 0;
	}
	draft_free(d);
	return uid;
}

static inline struct set
t_set(uint32_t lo, uint32_t hi)
{
	struct set s = { 0 };

	set_add(&s, lo, hi);
	return s;
}

/* STORE for the UIDs lo to hi; *done, if it is not NULL, is how many have it
 * then. */
static inline enum store_result
t_store_flags(struct view *v, uint32_t lo, uint32_t hi, enum flag_op op,
    uint32_t flags, const char *keyword, uint64_t *done)
{
	struct span k = span_str(keyword);
	struct flag_change c = { .op = op, .flags = flags, .keyword = &k,
		.keywords = keyword != NULL, .unchangedsince = UINT64_MAX };
	struct set uids = t_set(lo, hi), have = { 0 }, modified = { 0 };
	uint64_t modseq;
	enum store_result r = view_store(v, &uids, &c, &have, &modified,
	    &modseq);

	if (done != NULL)
		*done = set_count(&have);
	set_free(&uids);
	set_free(&have);
	set_free(&modified);
	return r;
}

static inline enum store_result
t_change(struct view *v, uint32_t lo, uint32_t hi, enum flag_op op,
    uint32_t flags, const char *keyword)
{
	return t_store_flags(v, lo, hi, op, flags, keyword, NULL);
}

struct t_list {
	struct mailbox *mb;
	struct buf b;
};

static inline bool
t_list_one(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	struct t_list *l = arg;
	const struct span *name;
	size_t n;

	(void)digest;
	buf_addf(&l->b, "%s%u:%u", l->b.n > 0 ? " " : "", seq, m->uid);
	for (int i = 0; i < 5; i++)
		if (m->flags >> i & 1)
			buf_addc(&l->b, "SAFTD"[i]);
	if (m->object == 0)
		buf_addc(&l->b, '!');
	for (size_t i = 0; i < m->keywords; i++) {
		uint32_t k = m->keyword[i];

		mailbox_keywords(l->mb, &name, &n);
		buf_addc(&l->b, '+');
		if (k < n)
			buf_add(&l->b, name[k]);
	}
	return true;
}

/* The view as "SEQ:UIDflags+keyword …". */
static inline void
t_is_view(struct view *v, const char *want, const char *name)
{
	struct t_list l = { .mb = view_mailbox(v) };

	view_each(v, NULL, 0, t_list_one, &l);
	is(buf_span(&l.b), span_str(want), name);
	buf_free(&l.b);
}

/* What a new session sees. */
static inline void
t_is(struct mailbox *mb, const char *want, const char *name)
{
	struct view *v;

	if (!ok(view_open(mb, &v) == STORE_OK, "the mailbox opens")) {
		printf("# %s\n", store_why(mb->st));
		return;
	}
	t_is_view(v, want, name);
	view_close(v);
}

#endif
