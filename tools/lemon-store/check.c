/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/die.h"
#include "house.h"
#include "store/check.h"

struct told {
	const struct ask *ask;
	unsigned findings;
};

/* Where a name has controls in it nobody shall be fooled by them. */
static void
print(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

static void
found(void *arg, const struct finding *f)
{
	struct told *t = arg;
	struct buf name = { 0 };

	t->findings += !f->note;
	if (f->note && t->ask->quiet)
		return;
	bar_clear();
	if (f->mailbox.n > 0) {
		house_name(f->mailbox, &name);
		print(buf_span(&name));
		printf(": ");
	}
	print(span_str(f->what));
	if (f->todo != NULL)
		printf("; %s", f->todo);
	putchar('\n');
	buf_free(&name);
}

static void
progress(void *arg, uint64_t done, uint64_t of)
{
	(void)arg;
	bar_show("checking", done, of);
}

static int
check(const struct ask *a)
{
	struct told told = { .ask = a };
	struct check c = { .found = found, .progress = progress,
		.arg = &told, .digests = a->digests };
	struct buf name = { 0 };
	struct store *st = house_open(a, true, &name);

	if (st == NULL)
		return EXIT_REFUSED;
	house_must(st, a->folder == NULL ? check_store(st, &c) :
	    check_mailbox(st, buf_span(&name), &c));
	if (!a->quiet)
		printf("%llu mailbox%s, %llu messages: %s\n",
		    (unsigned long long)c.mailboxes,
		    c.mailboxes == 1 ? "" : "es",
		    (unsigned long long)c.messages,
		    told.findings == 0 ? "nothing wrong" : "see above");
	return house_close(st, &name, told.findings > 0 ? EXIT_FOUND :
	    EXIT_OK);
}

/* An index can be so damaged that it kills who reads it. */
int
run_check(const struct ask *a)
{
	int status = house_child(check, a);

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	bar_clear();
	if (!house_fault(WTERMSIG(status)))
		return EXIT_TEMP;
	printf("the index is so damaged that reading it ends a process "
	    "(%s); run lemon-store rebuild\n", strsignal(WTERMSIG(status)));
	return EXIT_FOUND;
}
