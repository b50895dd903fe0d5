/* SPDX-License-Identifier: ISC */
#include "store/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store.h"

enum when { BEFORE, WITHIN, AFTER, REPLACED, EXITS };

static void
end(void)
{
	_exit(75);
}

/* Die by that signal; whether the file is there then. */
static bool
stays(enum when when, int sig)
{
	struct stat s;
	int fd = open("data", O_WRONLY | O_CREAT, 0600), status;
	pid_t pid;

	fstat(fd, &s);
	close(fd);
	if ((pid = fork()) == 0) {
		signal(sig, SIG_DFL);	/* not a sanitizer's */
		if (when != BEFORE)
			guard_begin(AT_FDCWD, "data", s.st_dev,
			    s.st_ino + (when == REPLACED));
		if (when == EXITS)
			guard_ends(end);
		if (when == AFTER)
			guard_end();
		raise(sig);
		raise(sig);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (when == EXITS)
		ok(WIFEXITED(status) && WEXITSTATUS(status) == 75,
		    "the process ends with 75");
	else
		ok(status != 0, "the process ends as it would have");
	return access("data", F_OK) == 0;
}

int
main(void)
{
	static const int sig[] = { SIGSEGV, SIGBUS, SIGABRT };

	t_make_dir();
	for (size_t i = 0; i < COUNT(sig); i++) {
		ok(stays(BEFORE, sig[i]), "unguarded, a fault is no matter");
		ok(!stays(WITHIN, sig[i]), "within, the file is removed");
		ok(stays(AFTER, sig[i]), "not after the end");
		ok(!stays(EXITS, sig[i]), "so it is before an exit");
		ok(stays(REPLACED, sig[i]), "nor another file of the name");
	}
	t_remove_dir();
	return done();
}
