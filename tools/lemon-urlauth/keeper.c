/* SPDX-License-Identifier: ISC */
#include "keeper.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

struct keeper *
keeper_find(struct keepers *all, struct span name)
{
	for (size_t i = 0; i < KEEPERS_MAX; i++) {
		struct keeper *k = &all->keeper[i];

		if (k->pid != 0 && span_eq(buf_span(&k->name), name))
			return k;
	}
	return NULL;
}

void
keeper_end(struct keeper *k)
{
	if (k->pid == 0)
		return;
	stream_wipe(&k->line.in, &k->line.out);
	remote_close(&k->line);
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
	buf_free(&k->name);
	*k = (struct keeper){ 0 };
}

void
keeper_kill(struct keeper *k)
{
	kill(k->pid, SIGKILL);
	keeper_end(k);
}

void
keepers_end(struct keepers *all)
{
	for (size_t i = 0; i < KEEPERS_MAX; i++)
		keeper_end(&all->keeper[i]);
}

/* A free place, or that of whose turn it is. */
static struct keeper *
place(struct keepers *all)
{
	for (size_t i = 0; i < KEEPERS_MAX; i++)
		if (all->keeper[i].pid == 0)
			return &all->keeper[i];
	struct keeper *k = &all->keeper[all->next++ % KEEPERS_MAX];

	keeper_end(k);
	return k;
}

/* The pair is in place of the connection, of which the super-server may have
 * left us more. */
static void
child(int pair, const struct keepers *all, const struct control *c,
    const struct kept *k)
{
	struct buf name = { 0 };
	struct kept mine = *k;

	buf_add(&name, k->name);
	mine.name = buf_span(&name);
	all->forget(all->ctx);
	if (dup2(pair, 0) == -1 || dup2(pair, 1) == -1)
		_exit(1);
	closefrom(3);
	keep(c, &mine);
	buf_free(&name);
	_exit(0);
}

struct keeper *
keeper_start(struct keepers *all, const struct control *c,
    const struct kept *k)
{
	struct keeper *to = place(all);
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return NULL;
	pid_t pid = fork();

	if (pid == 0)
		child(fds[1], all, c, k);
	close(fds[1]);
	if (pid < 0) {
		close_quietly(fds[0]);
		return NULL;
	}
	to->pid = pid;
	buf_add(&to->name, k->name);
	remote_over(&to->line, fds[0]);
	return to;
}
