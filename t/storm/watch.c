/* SPDX-License-Identifier: ISC */
/* watch MAILDIR MAILBOX: a session of the store that says what it sees.
 *
 * It looks when the bell rings and 20 times a second, and a line on standard
 * input ends it.  "at MODSEQ UIDNEXT" after each look; "is UID MODSEQ FLAGS"
 * of what came or changed; "gone UID".  Before it ends, "all" and once more
 * "is" of every message. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/bell.h"
#include "store/view.h"

struct watch {
	struct mailbox *mb;
	struct view *v;
	uint64_t modseq;	/* of the last look */
	uint32_t uidnext;
};

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "watch: %s: %s\n", what, why);
	exit(1);
}

static bool
print(void *arg, uint32_t seq, const struct msg *m, struct span digest)
{
	static const char *const name[] = { "\\Seen", "\\Answered",
		"\\Flagged", "\\Deleted", "\\Draft" };
	struct watch *w = arg;
	const struct span *names;
	size_t n;

	(void)seq;
	(void)digest;
	if (m->object == 0)	/* gone meanwhile */
		return true;
	printf("is %" PRIu32 " %" PRIu64, m->uid, m->modseq);
	for (size_t i = 0; i < COUNT(name); i++)
		if (m->flags & 1u << i)
			printf(" %s", name[i]);
	if (m->keywords > 0 && mailbox_keywords(w->mb, &names, &n) == STORE_OK)
		for (size_t i = 0; i < m->keywords; i++)
			if (m->keyword[i] < n)
				printf(" %.*s", (int)names[m->keyword[i]].n,
				    names[m->keyword[i]].p);
	putchar('\n');
	return true;
}

static void
look(struct watch *w)
{
	struct view_changes ch = { 0 };
	struct set new = { 0 };
	bool held;

	view_rescan(w->v);
	enum store_result r = view_sync(w->v, true, &ch, &held, NULL, NULL);
	if (r != STORE_OK)
		fail("sync", store_text(r));
	for (uint32_t uid = set_next(&ch.vanished, 1); uid != 0;
	    uid = set_next(&ch.vanished, uid + 1))
		printf("gone %" PRIu32 "\n", uid);
	if (view_modseq(w->v) < w->modseq || view_uidnext(w->v) < w->uidnext)
		fail("sync", "numbers fell");
	w->modseq = view_modseq(w->v);
	if (view_uidnext(w->v) > w->uidnext)
		set_add(&new, w->uidnext, view_uidnext(w->v));
	set_add_set(&new, &ch.changed);
	w->uidnext = view_uidnext(w->v);
	if (new.n > 0 && view_each(w->v, &new, 0, print, w) != STORE_OK)
		fail("read", "it cannot be");
	printf("at %" PRIu64 " %" PRIu32 "\n", w->modseq, w->uidnext);
	fflush(stdout);
	set_free(&new);
	view_changes_free(&ch);
}

int
main(int argc, char **argv)
{
	const char *why = "";
	struct store *st;
	struct bell *bell;
	struct watch w = { 0 };

	if (argc != 3)
		fail("usage", "watch MAILDIR MAILBOX");
	if (store_open(&st, &(struct store_config){ .maildir = argv[1] },
	    &why) != STORE_OK)
		fail(argv[1], why);
	if (mailbox_open(st, span_str(argv[2]), RIGHT_READ | RIGHT_WRITE,
	    &w.mb) != STORE_OK || view_open(w.mb, &w.v) != STORE_OK ||
	    bell_open(st, w.mb, &bell) != STORE_OK)
		fail(argv[2], store_why(st));
	w.uidnext = 1;
	signal(SIGPIPE, SIG_IGN);	/* a bell that nobody hears any more */
	for (;;) {
		struct pollfd p[] = { { 0, POLLIN, 0 },
			{ bell_fds(bell)[0], POLLIN, 0 },
			{ bell_fds(bell)[1], POLLIN, 0 } };

		look(&w);
		poll(p, COUNT(p), 50);
		if (p[0].revents != 0)
			break;
		bell_heard(bell);
	}
	look(&w);
	puts("all");
	if (view_each(w.v, NULL, 0, print, &w) != STORE_OK)
		fail("read", "it cannot be");
	bell_close(bell);
	view_close(w.v);
	mailbox_close(w.mb);
	store_close(st);
	return 0;
}
