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
	struct buf name = { 0 };
	struct store *st = house_open(a, false, &name);
	struct rebuild r = { .done = done, .progress = progress, .arg = st };

	if (st == NULL)
		return EXIT_REFUSED;
	house_must(st, a->folder == NULL ? rebuild_store(st, &r) :
	    rebuild_mailbox(st, buf_span(&name), &r));
	return house_close(st, &name, EXIT_OK);
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
