/* SPDX-License-Identifier: ISC */
/* A unit test prints TAP: ok(condition, name) for each case, and main
 * returns done(). */
#ifndef T_H
#define T_H

#include <stdio.h>
#include <string.h>

#include "base/span.h"

static int t_count, t_bad;

static inline bool
t_ok(bool good, struct span name)
{
	t_count++;
	if (!good) {
		t_bad++;
		printf("not ");
	}
	printf("ok %d - ", t_count);
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c < ' ' || c > '~' || c == '#' || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('\n');
	fflush(stdout);
	return good;
}

#define ok(cond, name) t_ok((cond), span_str(name))

/* Compare octets, and show both when they differ. */
static inline bool
is(struct span got, struct span want, const char *name)
{
	bool good = span_eq(got, want);

	if (!ok(good, name))
		printf("#  got: %.*s\n# want: %.*s\n", (int)got.n, got.p,
		    (int)want.n, want.p);
	return good;
}

static inline int
done(void)
{
	printf("1..%d\n", t_count);
	return t_bad != 0;
}

#endif
