/* SPDX-License-Identifier: ISC */
/* What the acts are done to, and the simplest of them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "evil.h"

const char *
at(const char *variable, const char *rest)
{
	static char path[4][512];
	static unsigned turn;
	char *p = path[turn++ % 4];
	const char *value = getenv(variable);

	snprintf(p, sizeof path[0], "%s%s", value == NULL ? "/none" : value,
	    rest);
	return p;
}

const char *
home(const char *rest)
{
	return at("EVIL_HOME", rest);
}

const char *
other(const char *rest)
{
	return at("EVIL_OTHER", rest);
}

pid_t
victim(void)
{
	return (pid_t)strtol(at("EVIL_VICTIM", ""), NULL, 10);
}

const char *
proc(pid_t pid, const char *name)
{
	static char path[64];

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	return path;
}

bool
reads(const char *path)
{
	return open(path, O_RDONLY) >= 0;
}

bool
writes(const char *path)
{
	return open(path, O_WRONLY) >= 0;
}

bool
makes(const char *path)
{
	return open(path, O_WRONLY | O_CREAT, 0600) >= 0;
}
