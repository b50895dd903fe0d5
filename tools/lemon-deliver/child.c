/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "deliver.h"

/* What the child says: the result, and a sentence for the log. */
struct verdict {
	int result;
	bool stale;	/* it tried nothing: its Maildir is another by now */
	char why[200];
};

/* Before the octets of the next message, which follow in this order. */
struct job {
	size_t folder, top, letter;
};

/* Whether all of it came. */
static bool
receive(int fd, void *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = recv(fd, (char *)to + have, n - have, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	return have == n;
}

/* Whoever does not listen any more is no reason to die of SIGPIPE. */
static bool
tell(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			s = span_skip(s, (size_t)n);
	}
	return true;
}

/* --- in the child, whose descriptor 0 leads to its parent --- */

static bool
say(enum store_result e, bool stale, const char *why)
{
	struct verdict v = { .result = (int)e, .stale = stale };

	if (e != STORE_OK && why != NULL)
		memccpy(v.why, why, '\0', sizeof v.why - 1);
	return tell(0, (struct span){ (const char *)&v, sizeof v });
}

static bool
receive_buf(struct buf *b, size_t n)
{
	buf_clear(b);
	if (n > 0 && !receive(0, buf_room(b, n), n))
		return false;
	b->n = n;
	return true;
}

static bool
comes_within(int ms)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };

	return poll(&p, 1, ms) != 0;
}

/* The messages after the first.  The walls stand around the Maildir that was
 * there then.  Where a verdict cannot be told it ends, since the parent waits
 * for that or for the end. */
static void
go_on(struct boxes *b, const struct target *first)
{
	struct target t = *first;
	struct letter l = { .spool = { .fd = -1 } };
	struct buf top = { 0 };
	struct job j;
	const char *why = NULL;
	enum store_result e = STORE_OK;

	t.folder = (struct buf){ 0 };
	while (e == STORE_OK) {
		if (b->owed > 0 && (boxes_are_due(b) ||
		    !comes_within(BOXES_PAUSE_MS)))
			boxes_settle(b);
		if (!receive(0, &j, sizeof j) ||
		    !receive_buf(&t.folder, j.folder) ||
		    !receive_buf(&top, j.top) ||
		    !receive_buf(&l.spool.head, j.letter))
			break;
		if (!boxes_are_current(b, &t)) {
			say(STORE_ERROR, true, NULL);
			break;
		}
		e = boxes_put(b, &t, &l, buf_span(&top), &why);
		if (!say(e, false, why))
			break;
	}
}

static void
child(const struct target *t, const struct letter *l, struct span top)
{
	struct boxes b = { 0 };
	const char *why = NULL;
	enum store_result e = boxes_enter(&b, t, &why);

	if (e == STORE_OK)
		e = boxes_put(&b, t, l, top, &why);
	if (say(e, false, why) && e == STORE_OK)
		go_on(&b, t);
	boxes_close(&b);
	_exit(0);
}

/* --- in the parent --- */

/* It settles what it owes, and ends. */
static void
end(struct child *c)
{
	if (c->pid == 0)
		return;
	close(c->fd);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	buf_free(&c->key);
	*c = (struct child){ 0 };
}

void
children_end(struct children *all)
{
	/* All at once. */
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (all->child[i].pid != 0)
			shutdown(all->child[i].fd, SHUT_WR);
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		end(&all->child[i]);
}

/* Everything of a target that a child cannot change. */
static void
add_key(const struct target *t, struct buf *key)
{
	const struct account *a = &t->mail.account;
	const struct store_config *cfg = &t->mail.cfg;

	buf_addf(key, "%s %lu %lu %lld %s", a->name, (unsigned long)a->uid,
	    (unsigned long)a->gid, (long long)cfg->rescan, cfg->maildir);
	buf_addc(key, '\0');
	buf_adds(key, cfg->index == NULL ? "" : cfg->index);
}

/* The child of that key, or else a place for it. */
static struct child *
find(struct children *all, struct span key)
{
	struct child *c = NULL;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *x = &all->child[i];

		if (x->pid != 0 && span_eq(buf_span(&x->key), key))
			return x;
		if (c == NULL && x->pid == 0)
			c = x;
	}
	if (c == NULL) {
		c = &all->child[all->next++ % CHILDREN_MAX];
		end(c);
	}
	return c;
}

/* The child has the first message from us as we are, the client's connection
 * and the other children not. */
static bool
start(struct children *all, struct child *c, const struct target *t,
    const struct letter *l, struct span top)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < CHILDREN_MAX; i++)
			if (all->child[i].pid != 0)
				close(all->child[i].fd);
		close(fds[0]);
		if (dup2(fds[1], 0) == -1 || dup2(fds[1], 1) == -1)
			_exit(1);
		if (fds[1] > 1)
			close(fds[1]);
		child(t, l, top);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return false;
	}
	c->pid = pid;
	c->fd = fds[0];
	return true;
}

/* False if it did not go whole: then the child has done nothing. */
static bool
send_job(const struct child *c, const struct target *t,
    const struct letter *l, struct span top)
{
	struct job j = { .folder = t->folder.n, .top = top.n,
		.letter = l->spool.head.n };
	struct buf all = { 0 };

	buf_add(&all, (struct span){ (const char *)&j, sizeof j });
	buf_add(&all, buf_span(&t->folder));
	buf_add(&all, top);
	buf_add(&all, buf_span(&l->spool.head));
	bool sent = tell(c->fd, buf_span(&all));

	buf_free(&all);
	return sent;
}

enum store_result
children_put(struct children *all, const struct target *t,
    const struct letter *l, struct span top, const char **why)
{
	static struct verdict v;	/* *why lasts until the next call */
	struct buf key = { 0 };
	bool kept;

	add_key(t, &key);
	struct child *c = find(all, buf_span(&key));
	/* What is in a file is the heir's alone. */
	if (c->pid != 0 && l->spool.fd >= 0)
		end(c);
	do {
		bool sent = true;

		kept = c->pid != 0;
		v = (struct verdict){ .result = STORE_ERROR };
		memcpy(v.why, "no process for it", 18);
		if (kept)
			sent = send_job(c, t, l, top);
		else if (start(all, c, t, l, top))
			buf_add(&c->key, buf_span(&key));
		else
			break;
		if (!sent || !receive(c->fd, &v, sizeof v)) {
			v = (struct verdict){ .result = STORE_ERROR };
			memcpy(v.why, "the process for it died", 24);
		}
		if (v.result != STORE_OK)
			end(c);
	} while (kept && v.stale);
	buf_free(&key);
	v.why[sizeof v.why - 1] = '\0';
	*why = v.why;
	return (enum store_result)v.result;
}
