/* SPDX-License-Identifier: ISC */
#include "store/mail.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int
find_account(const struct control *c, const char *who, struct mail *m,
    struct buf *why)
{
	int r = account_find(c, span_str(who), &m->account);

	if (r == 1)
		return r;
	if (r < 0 || account_nowhere(c)) {
		account_trouble(c, why);
		return -1;
	}
	buf_adds(why, who);
	buf_adds(why, ": there is no such user");
	if (account_meant_maildir(who)) {
		buf_adds(why, " (a Maildir has a slash: ./");
		buf_adds(why, who);
		buf_adds(why, ")");
	}
	return 0;
}

void
mail_settle(const struct control *c, struct mail *m)
{
	account_maildir(&m->account, &m->maildir);
	m->cfg.maildir = buf_cstr(&m->maildir);
	/* A Maildir by itself has its index in it. */
	if (!m->path && account_index(c, &m->account, &m->index))
		m->cfg.index = buf_cstr(&m->index);
}

int
mail_find(const struct control *c, const char *who, struct mail *m,
    struct buf *why)
{
	int r = 1;

	*m = (struct mail){ .path = strchr(who, '/') != NULL };
	if (m->path && account_ourselves(who, &m->account) != 0) {
		buf_adds(why, who);
		buf_adds(why, ": ");
		buf_adds(why, strerror(errno));
		return -1;
	}
	if (!m->path)
		r = find_account(c, who, m, why);
	if (r == 1)
		mail_settle(c, m);
	return r;
}

enum store_result
mail_open(const struct mail *m, const struct confine *walls,
    struct store **st, const char **why)
{
	const char *const dirs[] = { m->cfg.maildir, m->cfg.index, NULL };
	bool stay = m->path && m->account.uid == (uid_t)-1 && geteuid() == 0;

	*st = NULL;
	if (!stay && confine_become(&m->account, why) != 0)
		return STORE_DENIED;
	enum store_result r = store_open(st, &m->cfg, why);

	if (r != STORE_OK || walls == NULL)
		return r;
	struct confine c = *walls;

	c.dirs = dirs;
	if (confine_paths(&c, why) == 0)
		return STORE_OK;
	store_close(*st);
	*st = NULL;
	return STORE_DENIED;
}

void
mail_free(struct mail *m)
{
	account_free(&m->account);
	buf_free(&m->maildir);
	buf_free(&m->index);
	*m = (struct mail){ 0 };
}

/* --- mailboxes --- */

struct search {
	const char *typed;
	struct buf *name;
	bool found;
};

static bool
same(struct span name, const char *typed)
{
	size_t n = strlen(typed);
	bool yes = name.n == n;

	for (size_t i = 0; yes && i < n; i++)
		yes = name.p[i] == typed[i] ||
		    (name.p[i] == '\0' && typed[i] == '/');
	return yes || (span_eq(name, SPAN("INBOX")) &&
	    span_ieq(name, span_str(typed)));
}

static bool
look(void *arg, struct span name, unsigned flags)
{
	struct search *s = arg;

	if ((flags & (FOLDER_EXISTS | FOLDER_UNREADABLE)) &&
	    same(name, s->typed)) {
		buf_add(s->name, name);
		s->found = true;
	}
	return !s->found;
}

enum store_result
mail_folder(struct store *st, const char *typed, struct buf *name)
{
	struct search s = { .typed = typed, .name = name };
	enum store_result r = store_list(st, look, &s);

	return r == STORE_OK && !s.found ? STORE_NONEXISTENT : r;
}
