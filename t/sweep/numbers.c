/* SPDX-License-Identifier: ISC */
/* Print the numbers of every mailbox of a Maildir, "UIDVALIDITY UIDNEXT
 * HIGHESTMODSEQ NAME": the last no client can ask for yet.
 *
 * usage: numbers MAILDIR */
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

static bool
print(void *arg, struct span name, unsigned flags)
{
	struct mailbox_status s;
	struct mailbox *mb;

	if (!(flags & FOLDER_EXISTS))
		return true;
	if (mailbox_open(arg, name, RIGHT_READ, &mb) != STORE_OK)
		return false;
	enum store_result r = mailbox_status(mb, &s);

	mailbox_close(mb);
	if (r != STORE_OK)
		return false;
	printf("%" PRIu32 " %" PRIu32 " %" PRIu64 " ", s.uidvalidity,
	    s.uidnext, s.highestmodseq);
	for (size_t i = 0; i < name.n; i++)
		putchar(name.p[i] == '\0' ? '/' : name.p[i]);
	putchar('\n');
	return true;
}

/* A Maildir is its owner's.  Not for who starts us: the build may be where
 * the owner cannot go. */
static bool
become_owner(const char *maildir)
{
	struct stat s;

	if (geteuid() != 0)
		return true;
	return stat(maildir, &s) == 0 && setgroups(0, NULL) == 0 &&
	    setgid(s.st_gid) == 0 && setuid(s.st_uid) == 0;
}

int
main(int argc, char **argv)
{
	struct store_config cfg = { .maildir = argc > 1 ? argv[1] : "." };
	struct store *st;
	const char *why = "cannot become the owner of the Maildir";

	if (!become_owner(cfg.maildir) ||
	    store_open(&st, &cfg, &why) != STORE_OK) {
		fprintf(stderr, "numbers: %s\n", why);
		return 1;
	}
	enum store_result r = store_list(st, print, st);

	store_close(st);
	return r != STORE_OK || fflush(stdout) != 0;
}
