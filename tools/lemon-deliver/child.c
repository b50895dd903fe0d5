/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/confine.h"
#include "base/file.h"
#include "deliver.h"

/* What the child says: the result, and a sentence for the log. */
struct verdict {
	int result;
	char why[200];
};

static void
say(int fd, enum store_result e, const char *why)
{
	struct verdict v = { .result = (int)e };
	size_t n = why == NULL ? 0 : strlen(why);

	memcpy(v.why, why == NULL ? "" : why, n < sizeof v.why - 1 ? n :
	    sizeof v.why - 1);
	file_write(fd, (struct span){ (const char *)&v, sizeof v });
}

/* The index is committed and the bell rung after the verdict, as for others
 * after the reply. */
static void
child(const struct target *t, const struct letter *l, struct span top,
    int fd)
{
	const char *const dirs[] = { t->cfg.maildir, t->cfg.index, NULL };
	const char *const sockets[] = { NULL };
	const struct confine walls = { .dirs = dirs, .sockets = sockets };
	struct boxes b = { 0 };
	const char *why = NULL;
	enum store_result e = STORE_DENIED;

	if (confine_become(&t->account, &why) == 0)
		e = boxes_open(&b, t, &why);
	if (e == STORE_OK && confine_paths(&walls, &why) != 0)
		e = STORE_DENIED;
	if (e == STORE_OK)
		e = boxes_put(&b, t, l, top, &why);
	say(fd, e, e == STORE_OK ? NULL : why);
	boxes_close(&b);
	_exit(0);
}

static ssize_t
read_verdict(int fd, struct verdict *v)
{
	size_t n = 0;

	while (n < sizeof *v) {
		ssize_t got = read(fd, (char *)v + n, sizeof *v - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	v->why[sizeof v->why - 1] = '\0';
	return (ssize_t)n;
}

enum store_result
child_put(const struct target *t, const struct letter *l, struct span top,
    const char **why)
{
	static struct verdict v;	/* *why lasts until the next call */
	int fds[2];
	pid_t pid;

	*why = "no process for it";
	if (pipe2(fds, O_CLOEXEC) != 0)
		return STORE_ERROR;
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		child(t, l, top, fds[1]);
	}
	close(fds[1]);
	if (pid > 0) {
		ssize_t n = read_verdict(fds[0], &v);

		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		*why = v.why;
		if (n != (ssize_t)sizeof v) {
			*why = "the process for it died";
			v.result = STORE_ERROR;
		}
	}
	close(fds[0]);
	return pid < 0 ? STORE_ERROR : (enum store_result)v.result;
}
