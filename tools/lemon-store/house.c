/* SPDX-License-Identifier: ISC */
#include "house.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "store/mail.h"

static struct store *
open_mail(const struct ask *ask, bool look)
{
	static struct mail m;	/* as long as the store */
	struct buf why = { 0 };
	const char *wrong = NULL;
	struct control c;
	struct store *st;

	control_init(&c);
	int r = mail_find(&c, ask->who, &m, &why);

	if (r < 0)
		die_temp("%s", buf_cstr(&why));
	if (r == 0)
		die_refused("%s", buf_cstr(&why));
	m.cfg.look = look;
	if (mail_open(&m, NULL, &st, &wrong) != STORE_OK)
		die_temp("%s: %s", ask->who, wrong);
	return st;
}

static bool
find_folder(struct store *st, const char *typed, struct buf *name)
{
	enum store_result r = mail_folder(st, typed, name);

	if (r == STORE_NONEXISTENT)
		fprintf(stderr, "%s: %s: no such mailbox\n", program_name(),
		    typed);
	else
		house_must(st, r);
	return r == STORE_OK;
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
