/* SPDX-License-Identifier: ISC */
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE = 5 };	/* seconds */

static volatile sig_atomic_t asked;
static int nothing = -1;	/* /dev/null, to read from instead of a pipe */

/* Nothing more comes from the client, so whoever waits for it goes on. */
static void
caught(int sig)
{
	int err = errno;

	(void)sig;
	asked = 1;
	if (shutdown(0, SHUT_RD) != 0 && nothing >= 0)
		dup2(nothing, 0);
	alarm(PATIENCE);
	errno = err;
}

void
stop_catch(void)
{
	struct sigaction sa = { .sa_handler = caught, .sa_flags = SA_RESTART };

	nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
}

bool
stop_asked(void)
{
	return asked != 0;
}
