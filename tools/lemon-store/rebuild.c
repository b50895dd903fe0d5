/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sys/wait.h>

#include "base/die.h"
#include "house.h"
#include "store/rebuild.h"

static void
done(void *arg, const struct rebuilt *r)
{
	struct store *st = arg;
	struct buf name = { 0 };

	house_name(r->name, &name);
	bar_clear();
	printf("%.*s: ", (int)name.n, name.p);
	buf_free(&name);
	if (r->result != STORE_OK) {
		printf("not rebuilt: %s\n", store_why(st));
		return;
	}
	printf("%u messages, UIDVALIDITY %u%s", r->messages, r->uidvalidity,
	    r->validity_new ? " (new: the list was lost)" : "");
	if (r->fresh > 0)
		printf(", %u of them new", r->fresh);
	if (r->lost > 0)
		printf(", %u that were listed have no file any more", r->lost);
	if (r->unread > 0)
		printf(", %u cannot be read", r->unread);
	putchar('\n');
	fflush(stdout);
}

static void
progress(void *arg, uint64_t n, uint64_t of)
{
	(void)arg;
	bar_show("rebuilding", n, of);
}

static int
rebuild(const struct ask *a)
{
	struct store *st = house_open(a, false);
	struct rebuild r = { .done = done, .progress = progress, .arg = st };
	struct buf name = { 0 };
	enum store_result e;

	if (a->folder == NULL)
		e = rebuild_store(st, &r);
	else if (house_folder(st, a->folder, &name))
		e = rebuild_mailbox(st, buf_span(&name), &r);
	else
		return EXIT_REFUSED;
	bar_clear();
	buf_free(&name);
	if (e != STORE_OK)
		die_temp("%s", store_why(st));
	store_close(st);
	return fflush(stdout) != 0 ? EXIT_TEMP : EXIT_OK;
}

/* Reading what is damaged can end a process, and then it is set aside. */
int
run_rebuild(const struct ask *a)
{
	int status = house_child(rebuild, a);

	if (WIFSIGNALED(status) && house_fault(WTERMSIG(status))) {
		printf("the index was so damaged that reading it ends a "
		    "process: it is thrown away\n");
		status = house_child(rebuild, a);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TEMP;
}
