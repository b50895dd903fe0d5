/* SPDX-License-Identifier: ISC */
#include "base/die.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Each is set once at most, by a program's main course. */
static const char *name = "lemon";
static int temp = EXIT_TEMP;
static bool status;

void
die_name(const char *argv0)
{
	if (argv0 == NULL || *argv0 == '\0')
		return;
	const char *slash = strrchr(argv0, '/');

	name = slash == NULL ? argv0 : slash + 1;
}

const char *
program_name(void)
{
	return name;
}

/* One line in one write, so that lines of several processes stay whole. */
__attribute__((noreturn)) static void
die(int code, const char *enhanced, const char *fmt, va_list ap)
{
	char line[1000];
	int n = status && enhanced != NULL ?
	    snprintf(line, sizeof line, "%s ", enhanced) :
	    snprintf(line, sizeof line, "%.64s: ", name);
	int room = (int)sizeof line - n;
	int m = vsnprintf(line + n, (size_t)room, fmt, ap);

	n += m < room ? m : room - 1;
	line[n] = '\n';
	log_line((struct span){ line, (size_t)n + 1 });
	exit(code);
}

void
die_status(void)
{
	status = true;
}

void
die_setting(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(temp, "4.3.5", fmt, ap);
}

void
die_done(void)
{
	temp = EXIT_OK;
}

int
die_code(void)
{
	return temp;
}

void
die_temp(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(temp, "4.3.0", fmt, ap);
}

void
die_refused(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(EXIT_REFUSED, NULL, fmt, ap);
}

void
die_forbidden(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(EXIT_FORBIDDEN, NULL, fmt, ap);
}

void
die_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(EXIT_USAGE, NULL, fmt, ap);
}

void *
xrealloc(void *p, size_t n)
{
	p = realloc(p, n == 0 ? 1 : n);
	if (p == NULL)
		die_temp("out of memory");
	return p;
}

void *
xmalloc(size_t n)
{
	return xrealloc(NULL, n);
}

void *
xcalloc(size_t count, size_t size)
{
	void *p = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);

	if (p == NULL)
		die_temp("out of memory");
	return p;
}

char *
xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}
