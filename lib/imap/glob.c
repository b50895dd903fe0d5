/* SPDX-License-Identifier: ISC */
#include "imap/glob.h"

#include <string.h>

#include "base/buf.h"

/*
 * Bit i of a state: the first i elements of the pattern have matched.  Runs
 * of wildcards are one, so that stepping over a wildcard takes one shift.
 */
struct glob {
	char delimiter;
	size_t n;		/* elements */
	size_t words;		/* of a state: n + 1 bits */
	uint64_t *literal;	/* [256][words]: elements that are that octet */
	uint64_t *star, *percent;	/* [words]: elements that are one */
	uint64_t *now, *next;	/* [words]: states while matching */
};

static void
set(uint64_t *bits, size_t i)
{
	bits[i / 64] |= (uint64_t)1 << i % 64;
}

static bool
has(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/* The pattern with each run of wildcards as one: "*" if it has one. */
static void
shorten(struct span pattern, struct buf *to)
{
	for (size_t i = 0; i < pattern.n; i++) {
		char c = pattern.p[i];
		char *last = to->n == 0 ? NULL : &to->p[to->n - 1];
		bool wild = c == '*' || c == '%';

		if (wild && last != NULL && (*last == '*' || *last == '%')) {
			if (c == '*')
				*last = '*';
			continue;
		}
		buf_addc(to, c);
	}
}

/* INBOX has one form here, in names and in patterns without wildcards in
 * it. */
static char
fold(struct span s, size_t i, bool inbox)
{
	return inbox && i < 5 ? ascii_upper(s.p[i]) : s.p[i];
}

static bool
begins_inbox(struct span s, char delimiter)
{
	return span_istarts(s, SPAN("INBOX")) && (s.n == 5 ||
	    s.p[5] == delimiter || s.p[5] == '*' || s.p[5] == '%');
}

struct glob *
glob_new(struct arena *a, struct span pattern, char delimiter)
{
	struct glob *g = arena_zero(a, sizeof(*g));
	struct buf text = { 0 };
	struct span p;
	bool inbox;

	shorten(pattern, &text);
	p = buf_span(&text);
	g->delimiter = delimiter;
	g->n = p.n;
	if (p.n <= GLOB_MAX) {
		g->words = p.n / 64 + 1;
		g->literal = arena_zero(a, 256 * g->words * 8);
		g->star = arena_zero(a, g->words * 8);
		g->percent = arena_zero(a, g->words * 8);
		g->now = arena_zero(a, g->words * 8);
		g->next = arena_zero(a, g->words * 8);
	}
	inbox = begins_inbox(p, delimiter);
	for (size_t i = 0; g->words > 0 && i < p.n; i++) {
		unsigned char c = (unsigned char)fold(p, i, inbox);

		if (c == '*')
			set(g->star, i);
		else if (c == '%')
			set(g->percent, i);
		else
			set(g->literal + c * g->words, i);
	}
	buf_free(&text);
	return g;
}

/* Add the states that come of stepping over a wildcard. */
static void
step_over(const struct glob *g, uint64_t *state)
{
	uint64_t carry = 0;

	for (size_t w = 0; w < g->words; w++) {
		uint64_t wild = state[w] & (g->star[w] | g->percent[w]);

		state[w] |= wild << 1 | carry;
		carry = wild >> 63;
	}
}

bool
glob_match(const struct glob *g, struct span name)
{
	uint64_t *now = g->now, *next = g->next;
	bool inbox = begins_inbox(name, g->delimiter);

	if (g->words == 0)
		return false;
	memset(now, 0, g->words * 8);
	set(now, 0);
	step_over(g, now);
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)fold(name, i, inbox);
		const uint64_t *literal = g->literal + c * g->words;
		uint64_t carry = 0, any = 0, *swap = now;

		for (size_t w = 0; w < g->words; w++) {
			uint64_t moved = now[w] & literal[w];
			uint64_t stays = now[w] & g->star[w];

			if (name.p[i] != g->delimiter)
				stays |= now[w] & g->percent[w];
			next[w] = stays | moved << 1 | carry;
			carry = moved >> 63;
			any |= next[w];
		}
		if (any == 0)
			return false;
		step_over(g, next);
		now = next;
		next = swap;
	}
	return has(now, g->n);
}
