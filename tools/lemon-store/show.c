/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "base/die.h"
#include "house.h"

struct show {
	struct store *st;
	bool all;		/* stat: everything, a line each */
	bool failed;
};

static void
line(struct span name, const struct mailbox_status *s)
{
	printf("%10u %10u %15llu  %.*s\n", s->messages, s->unseen,
	    (unsigned long long)s->bytes, (int)name.n, name.p);
}

static void
lines(struct mailbox *mb, struct span name, const struct mailbox_status *s)
{
	const struct span *keyword;
	struct buf guid = { 0 };
	size_t n = 0;

	buf_addhex(&guid, s->guid, sizeof s->guid);
	printf("mailbox=%.*s\nmailboxid=%.*s\nuidvalidity=%u\nuidnext=%u\n"
	    "highestmodseq=%llu\nmessages=%u\nrecent=%u\nunseen=%u\n"
	    "deleted=%u\noctets=%llu\nkeywords=", (int)name.n, name.p,
	    (int)guid.n, guid.p, s->uidvalidity, s->uidnext,
	    (unsigned long long)s->highestmodseq, s->messages, s->recent,
	    s->unseen, s->deleted, (unsigned long long)s->bytes);
	if (mailbox_keywords(mb, &keyword, &n) == STORE_OK)
		for (size_t i = 0; i < n; i++)
			printf("%s%.*s", i > 0 ? " " : "", (int)keyword[i].n,
			    keyword[i].p);
	printf("\n\n");
	buf_free(&guid);
}

static bool
one(void *arg, struct span name, unsigned flags)
{
	struct show *w = arg;
	struct mailbox_status s;
	struct buf shown = { 0 };
	struct mailbox *mb = NULL;

	if (!(flags & (FOLDER_EXISTS | FOLDER_UNREADABLE)))
		return true;
	enum store_result r = mailbox_open(w->st, name, RIGHT_READ, &mb);
	/* Deleted while we looked. */
	if (r == STORE_NONEXISTENT)
		return true;
	if (r == STORE_OK)
		r = mailbox_status(mb, &s);
	house_name(name, &shown);
	if (r != STORE_OK) {
		fprintf(stderr, "%s: %.*s: %s\n", program_name(),
		    (int)shown.n, shown.p, store_why(w->st));
		w->failed = true;
	} else if (w->all)
		lines(mb, buf_span(&shown), &s);
	else
		line(buf_span(&shown), &s);
	buf_free(&shown);
	mailbox_close(mb);
	return true;
}

static int
show(const struct ask *a, bool all)
{
	struct buf name = { 0 };
	struct show w = { .st = house_open(a, false, &name), .all = all };

	if (w.st == NULL)
		return EXIT_REFUSED;
	if (a->folder == NULL)
		house_must(w.st, store_list(w.st, one, &w));
	else
		one(&w, buf_span(&name), FOLDER_EXISTS);
	return house_close(w.st, &name, w.failed ? EXIT_TEMP : EXIT_OK);
}

int
run_list(const struct ask *a)
{
	return show(a, false);
}

int
run_stat(const struct ask *a)
{
	return show(a, true);
}
