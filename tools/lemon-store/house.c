/* SPDX-License-Identifier: ISC */
#include "house.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/account.h"
#include "auth/confine.h"
#include "base/die.h"

/* Whose mail it is; a Maildir has a slash. */
static void
find(const struct control *c, const char *who, struct account *a)
{
	if (strchr(who, '/') != NULL) {
		a->uid = (uid_t)-1;
		a->gid = (gid_t)-1;
		if (account_owner(who, a) == -1)
			die_temp("%s: %s", who, strerror(errno));
		buf_adds(&a->maildir, who);
		return;
	}
	struct buf why = { 0 };
	int r = account_find(c, span_str(who), a);

	if (r == 1)
		return;
	if (r < 0 || account_nowhere(c)) {
		account_trouble(c, &why);
		die_temp("%s", buf_cstr(&why));
	}
	if (account_meant_maildir(who))
		die_refused("%s: there is no such user (a Maildir has a "
		    "slash: ./%s)", who, who);
	die_refused("%s: there is no such user", who);
}

static struct store *
open_mail(const struct ask *ask, bool look)
{
	static struct buf maildir, index;	/* as long as the store */
	struct store_config cfg = { .look = look };
	struct account a = { 0 };
	const char *why = NULL;
	struct control c;
	struct store *st;

	control_init(&c);
	find(&c, ask->who, &a);
	account_maildir(&a, &maildir);
	cfg.maildir = buf_cstr(&maildir);
	/* A Maildir by itself has its index in it. */
	if (a.name[0] != '\0' && account_index(&c, &a, &index))
		cfg.index = buf_cstr(&index);
	if (a.uid != (uid_t)-1 && geteuid() == 0 &&
	    confine_become(&a, &why) != 0)
		die_temp("%s: %s", ask->who, why);
	if (store_open(&st, &cfg, &why) != STORE_OK)
		die_temp("%s", why);
	account_free(&a);
	return st;
}

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

	if ((flags & (FOLDER_EXISTS | FOLDER_UNREADABLE)) && same(name, s->typed)) {
		buf_add(s->name, name);
		s->found = true;
	}
	return !s->found;
}

static bool
find_folder(struct store *st, const char *typed, struct buf *name)
{
	struct search s = { .typed = typed, .name = name };

	house_must(st, store_list(st, look, &s));
	if (!s.found)
		fprintf(stderr, "%s: %s: no such mailbox\n", program_name(),
		    typed);
	return s.found;
}

struct store *
house_open(const struct ask *a, bool look, struct buf *name)
{
	struct store *st = open_mail(a, look);

	if (a->folder == NULL || find_folder(st, a->folder, name))
		return st;
	store_close(st);
	return NULL;
}

void
house_must(struct store *st, enum store_result r)
{
	bar_clear();
	if (r != STORE_OK)
		die_temp("%s", store_why(st));
}

int
house_close(struct store *st, struct buf *name, int code)
{
	buf_free(name);
	store_close(st);
	return fflush(stdout) != 0 ? EXIT_TEMP : code;
}

void
house_name(struct span name, struct buf *to)
{
	for (size_t i = 0; i < name.n; i++)
		buf_addc(to, name.p[i] == '\0' ? '/' : name.p[i]);
}

int
house_child(int (*run)(const struct ask *), const struct ask *a)
{
	int status = 0;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == -1)
		die_temp("fork: %s", strerror(errno));
	if (pid == 0)
		_exit(run(a));
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			die_temp("wait: %s", strerror(errno));
	return status;
}

bool
house_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGABRT;
}
