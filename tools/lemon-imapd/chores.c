/* SPDX-License-Identifier: ISC */
/* What is due when the client has its answer: it does not wait for it. */

#include "chores.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/die.h"
#include "stop.h"
#include "store/bell.h"

enum {
	PAUSE_MS = 20,		/* a client that says nothing for so long may
				   have said what it wanted */
	PUT_OFF_MAX = 50,	/* times that others' commands went first */
	LEFT_MAX = 8		/* mailboxes; they hold descriptors */
};

/* A mailbox that was left while its files were behind. */
struct left {
	struct view *view;
	struct mailbox *mailbox;
	struct left *next;
};

static bool
due(const struct session *s)
{
	return s->left != NULL || (s->view != NULL &&
	    (s->settle || view_is_behind(s->view)));
}

/* Whether neither the client nor the bell that it waits for said anything for
 * so long. */
static bool
quiet(struct session *s, int64_t ms)
{
	const int *fds = s->bell == NULL ? NULL : bell_fds(s->bell);

	return in_wait(&s->in, fds, fds == NULL ? 0 : 2, ms) == 0;
}

/* As long as the client is silent. */
static bool
silent(void *arg)
{
	struct session *s = arg;

	if (stop_asked())
		return false;
	if (s->put_off >= PUT_OFF_MAX) {
		s->put_off = 0;
		return true;
	}
	return quiet(s, 0);
}

static bool
running(void *arg)
{
	(void)arg;
	return !stop_asked();
}

/* The last time what cannot be done is left to another session. */
static void
tidy_left(struct session *s, bool last)
{
	while (s->left != NULL) {
		struct left *l = s->left;

		view_tidy(l->view, last ? running : silent, s);
		if (view_is_behind(l->view) && !last)
			return;
		view_close(l->view);
		mailbox_close(l->mailbox);
		s->left = l->next;
		free(l);
	}
}

static void
settle(struct session *s)
{
	if (s->settle && s->view != NULL)
		view_settle(s->view);
	s->settle = false;
}

void
chores(struct session *s)
{
	if (s->closing || !due(s))
		return;
	out_flush(&s->out);
	/* Who waits for mail hears of all that comes before any is moved. */
	if (s->bell == NULL)
		settle(s);
	/* Who flags a lot to expunge it saves the renaming. */
	if (++s->put_off < PUT_OFF_MAX && !quiet(s, PAUSE_MS))
		return;
	if (s->put_off < PUT_OFF_MAX)
		s->put_off = 0;
	settle(s);
	tidy_left(s, false);
	if (s->view != NULL && view_is_behind(s->view))
		view_tidy(s->view, silent, s);
}

void
chores_make_room(struct session *s)
{
	if (!due(s) || !store_is_tight(s->store))
		return;
	tidy_left(s, true);
	if (s->view != NULL)
		view_tidy(s->view, running, s);
}

void
chores_keep(struct session *s)
{
	struct left *l;
	size_t n = 0;

	if (s->view == NULL || !view_is_behind(s->view))
		return;
	/* What is too much is for whoever selects it next. */
	for (l = s->left; l != NULL; l = l->next)
		n++;
	if (n >= LEFT_MAX)
		return;
	l = xcalloc(1, sizeof *l);
	*l = (struct left){ s->view, s->mailbox, s->left };
	s->left = l;
	s->view = NULL;
	s->mailbox = NULL;
}

void
chores_finish(struct session *s)
{
	if (s->left == NULL)
		return;
	/* The client need not wait for that. */
	shutdown(s->out.fd, SHUT_RDWR);
	tidy_left(s, true);
}
