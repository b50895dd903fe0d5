/* SPDX-License-Identifier: ISC */
#include "store/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/span.h"

static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT };

/* Signal handlers are the process's, so what they need is as well. */
static struct {
	volatile sig_atomic_t depth;
	int dir;
	const char *name;
	dev_t dev;
	ino_t ino;
	bool installed;
	void (*end)(void);
	struct sigaction before[COUNT(fatal)];
} guard;

/* The instruction that failed runs again when this returns, and abort goes
 * on, so whoever was there before us sees it, or the process ends. */
static void
on_fault(int sig)
{
	int e = errno;
	struct stat s;

	if (guard.depth > 0 && fstatat(guard.dir, guard.name, &s,
	    AT_SYMLINK_NOFOLLOW) == 0 && s.st_dev == guard.dev &&
	    s.st_ino == guard.ino)
		unlinkat(guard.dir, guard.name, 0);
	if (guard.depth > 0 && guard.end != NULL)
		guard.end();
	for (size_t i = 0; i < COUNT(fatal); i++)
		if (fatal[i] == sig)
			sigaction(sig, &guard.before[i], NULL);
	errno = e;
}

static void
install(void)
{
	struct sigaction a = { .sa_handler = on_fault };

	sigemptyset(&a.sa_mask);
	for (size_t i = 0; i < COUNT(fatal); i++)
		sigaction(fatal[i], &a, &guard.before[i]);
	guard.installed = true;
}

void
guard_begin(int dir, const char *name, dev_t dev, ino_t ino)
{
	if (!guard.installed)
		install();
	if (guard.depth == 0) {
		guard.dir = dir;
		guard.name = name;
		guard.dev = dev;
		guard.ino = ino;
	}
	guard.depth++;
}

void
guard_end(void)
{
	guard.depth--;
}

void
guard_ends(void (*end)(void))
{
	guard.end = end;
}
