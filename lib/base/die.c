/* SPDX-License-Identifier: ISC */
#include "base/die.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Set once by main before anything else runs, and only read after that. */
static const char *name = "lemon";

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

__attribute__((noreturn)) static void
die(int code, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: ", name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	exit(code);
}

void
die_temp(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(EXIT_TEMP, fmt, ap);
}

void
die_refused(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(EXIT_REFUSED, fmt, ap);
}

void
die_forbidden(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(EXIT_FORBIDDEN, fmt, ap);
}

void
die_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(EXIT_USAGE, fmt, ap);
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
