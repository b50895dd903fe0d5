/* SPDX-License-Identifier: ISC */
/* A pattern, a NUL, a name: the matcher agrees with a naive one. */
#include <stdlib.h>

#include "imap/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool
naive(struct span p, struct span s, int *steps)
{
	if (--*steps < 0)
		return false;
	if (p.n == 0)
		return s.n == 0;
	if (p.p[0] != '*' && p.p[0] != '%')
		return s.n > 0 && p.p[0] == s.p[0] &&
		    naive(span_skip(p, 1), span_skip(s, 1), steps);
	for (size_t i = 0; i <= s.n; i++) {
		if (naive(span_skip(p, 1), span_skip(s, i), steps))
			return true;
		if (i < s.n && p.p[0] == '%' && s.p[i] == '/')
			break;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span s = { (const char *)p, n };
	struct span pattern = span_cut(&s, '\0');
	struct arena a = { 0 };
	int steps = 100000;
	bool fast, slow;

	if (s.p == NULL || n > 4000 || span_istarts(pattern, SPAN("IN")) ||
	    span_istarts(s, SPAN("INBOX")))
		return 0;
	fast = glob_match(glob_new(&a, pattern, '/'), s);
	slow = naive(pattern, s, &steps);
	if (steps >= 0 && fast != slow)
		abort();
	arena_free(&a);
	return 0;
}
