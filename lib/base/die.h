/* SPDX-License-Identifier: ISC */
#ifndef BASE_DIE_H
#define BASE_DIE_H

#include <stddef.h>

/*
 * The only ways out besides returning from main.  Each prints one line
 * "PROGRAM: text" on standard error and exits.  The exit codes are read the
 * same way by qmail, Postfix, Exim and OpenSMTPD.  In lib/ only running out
 * of memory may end the process.
 */
enum { EXIT_OK = 0, EXIT_USAGE = 64, EXIT_REFUSED = 65, EXIT_TEMP = 75,
	EXIT_FORBIDDEN = 77 };

/* What die_* and log_* put before their text: the base name of argv0. */
void die_name(const char *argv0);
const char *program_name(void);

#define DIE_FMT __attribute__((noreturn, format(printf, 1, 2)))
DIE_FMT void die_temp(const char *fmt, ...);
DIE_FMT void die_refused(const char *fmt, ...);
DIE_FMT void die_forbidden(const char *fmt, ...);
DIE_FMT void die_usage(const char *fmt, ...);

/* From here on a line of die_temp begins with an enhanced status code
 * (RFC 3463) in place of the program's name, as an MTA reads it: 4.3.5 for a
 * mistake in the settings, else 4.3.0. */
void die_status(void);

/* die_temp for a mistake in the settings. */
DIE_FMT void die_setting(const char *fmt, ...);

/* From here on die_temp exits with 0: what we were asked for is done and
 * durable, and "later" would have it done twice. */
void die_done(void);

int die_code(void);	/* what die_temp exits with now */

/* Allocation that cannot fail: out of memory is die_temp.  n is checked by
 * the caller against its own limit.  free() releases them. */
void *xmalloc(size_t n);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);

#endif
