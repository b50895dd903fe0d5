/* SPDX-License-Identifier: ISC */
#include "text/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "text/casemap.h"
#include "text/utf8.h"

enum { NONE = UINT32_MAX };

/* In an edge: some needle ends at that state. */
#define ENDS 0x80000000u

/*
 * State 0 is the root; each other state is a beginning of a needle.  Octets
 * that no needle has are all of class 0, which leads back to the root.  A
 * state is written as the place of its row in next[], so that a step is one
 * addition and one look.
 */
struct scan {
	size_t needles, left;	/* left: not found yet */
	bool *found;		/* [needles] */
	uint32_t *state_of;	/* [needles]: where it ends; root: empty */
	uint32_t *first;	/* [states]: a needle that ends here, or NONE */
	uint32_t *more;		/* [needles]: another that ends there too */
	uint32_t *output;	/* [states]: nearest shorter ending that has
				   a needle, or 0 */
	bool *told;		/* [states]: its needles were reported */
	uint32_t *next;		/* [states][classes] */
	uint32_t states, classes;
	uint32_t at;		/* the state's row, without ENDS */
	struct casemap_cache *cache;
	uint16_t class[256];	/* of folded octets */
	uint16_t raw[128];	/* of ASCII before folding */
	bool begins[256];	/* octets that lead away from the root, or
				   may do so when they are folded */
};

static void
classify(struct scan *s, struct span folded)
{
	for (size_t i = 0; i < folded.n; i++) {
		unsigned char c = (unsigned char)folded.p[i];

		if (s->class[c] == 0)
			s->class[c] = (uint16_t)s->classes++;
	}
}

static uint32_t *
edge(const struct scan *s, uint32_t state, uint32_t class)
{
	return &s->next[(size_t)state * s->classes + class];
}

/* A path of states for each needle: the trie. */
static void
plant(struct scan *s, size_t needle, struct span folded)
{
	uint32_t at = 0;

	for (size_t i = 0; i < folded.n; i++) {
		uint32_t *e = edge(s, at,
		    s->class[(unsigned char)folded.p[i]]);

		if (*e == 0)
			*e = s->states++;
		at = *e;
	}
	s->state_of[needle] = at;
	s->more[needle] = s->first[at];
	s->first[at] = (uint32_t)needle;
}

/* Breadth first, so that the state of the longest proper ending (fail) is
 * complete when it is needed: missing edges are copied from it. */
static void
link_states(struct scan *s)
{
	uint32_t *queue = xcalloc(s->states, sizeof *queue);
	uint32_t *fail = xcalloc(s->states, sizeof *fail);
	size_t head = 0, tail = 0;

	for (uint32_t c = 0; c < s->classes; c++)
		if (*edge(s, 0, c) != 0)
			queue[tail++] = *edge(s, 0, c);
	while (head < tail) {
		uint32_t at = queue[head++], f = fail[at];

		s->output[at] = s->first[f] != NONE ? f : s->output[f];
		for (uint32_t c = 0; c < s->classes; c++) {
			uint32_t *e = edge(s, at, c);

			if (*e == 0) {
				*e = *edge(s, f, c);
				continue;
			}
			fail[*e] = *edge(s, f, c);
			queue[tail++] = *e;
		}
	}
	free(queue);
	free(fail);
}

/* From numbers of states to places of rows. */
static void
place_rows(struct scan *s)
{
	for (size_t i = 0; i < (size_t)s->states * s->classes; i++) {
		uint32_t to = s->next[i];
		bool ends = s->first[to] != NONE || s->output[to] != 0;

		s->next[i] = to * s->classes | (to != 0 && ends ? ENDS : 0);
	}
	for (int c = 0; c < 128; c++) {
		s->raw[c] = s->class[(unsigned char)ascii_upper((char)c)];
		s->begins[c] = s->next[s->raw[c]] != 0;
	}
	memset(s->begins + 128, true, 128);
}

static void
build(struct scan *s, const struct buf *folded, const size_t *end)
{
	size_t from = 0, most = folded->n + 1;

	s->next = xcalloc(most * s->classes, sizeof *s->next);
	s->first = xmalloc(most * sizeof *s->first);
	memset(s->first, 0xff, most * sizeof *s->first);
	s->states = 1;
	for (size_t i = 0; i < s->needles; i++) {
		plant(s, i, span_head(span_skip(buf_span(folded), from),
		    end[i] - from));
		from = end[i];
	}
	s->output = xcalloc(s->states, sizeof *s->output);
	s->told = xcalloc(s->states, sizeof *s->told);
	link_states(s);
	place_rows(s);
}

struct scan *
scan_new(const struct span *needle, size_t n, struct casemap_cache *cache)
{
	struct scan *s = xcalloc(1, sizeof *s);
	struct buf folded = { 0 };
	size_t *end = xcalloc(n + 1, sizeof *end);

	s->needles = n;
	s->cache = cache;
	s->classes = 1;
	s->found = xcalloc(n + 1, sizeof *s->found);
	s->state_of = xcalloc(n + 1, sizeof *s->state_of);
	s->more = xcalloc(n + 1, sizeof *s->more);
	for (size_t i = 0; i < n && folded.n <= SCAN_OCTETS_MAX; i++) {
		casemap_add(span_head(needle[i], SCAN_OCTETS_MAX + 1),
		    &folded);
		end[i] = folded.n;
	}
	if (folded.n <= SCAN_OCTETS_MAX) {
		classify(s, buf_span(&folded));
		build(s, &folded, end);
		scan_clear(s);
	} else {
		scan_free(s);
		s = NULL;
	}
	buf_free(&folded);
	free(end);
	return s;
}

void
scan_free(struct scan *s)
{
	if (s == NULL)
		return;
	free(s->found);
	free(s->state_of);
	free(s->first);
	free(s->more);
	free(s->output);
	free(s->told);
	free(s->next);
	free(s);
}

void
scan_clear(struct scan *s)
{
	memset(s->told, 0, s->states * sizeof *s->told);
	memset(s->found, 0, s->needles * sizeof *s->found);
	s->left = s->needles;
	s->at = 0;
	for (size_t i = 0; i < s->needles; i++)
		if (s->state_of[i] == 0) {
			s->found[i] = true;
			s->left--;
		}
}

void
scan_begin(struct scan *s)
{
	s->at = 0;
}

/* All needles that end at this state.  A state is told once, and so are those
 * behind it, which keeps the whole linear. */
static void
tell(struct scan *s, uint32_t state)
{
	for (; state != 0 && !s->told[state]; state = s->output[state]) {
		s->told[state] = true;
		for (uint32_t i = s->first[state]; i != NONE; i = s->more[i]) {
			s->found[i] = true;
			s->left--;
		}
	}
}

static void
step(struct scan *s, uint16_t class)
{
	uint32_t e = s->next[s->at + class];

	s->at = e & ~ENDS;
	if (e & ENDS)
		tell(s, s->at / s->classes);
}

static void
steps(struct scan *s, struct span octets)
{
	for (size_t i = 0; i < octets.n; i++)
		step(s, s->class[(unsigned char)octets.p[i]]);
}

/* ASCII, as far as it goes: what most of mail is, so without a detour, and
 * what begins no needle is skipped. */
static size_t
ascii(struct scan *s, struct span in)
{
	const unsigned char *p = (const unsigned char *)in.p;
	const unsigned char *end = p + in.n;
	const uint32_t *next = s->next;
	uint32_t at = s->at;

	for (; p < end; p++) {
		if (at == 0)
			while (p < end && !s->begins[*p])
				p++;
		if (p == end || *p >= 0x80)
			break;
		at = next[at + s->raw[*p]];
		if (at & ENDS) {
			at &= ~ENDS;
			tell(s, at / s->classes);
		}
	}
	s->at = at;
	return in.n - (size_t)(end - p);
}

bool
scan_feed(struct scan *s, struct span in)
{
	while (in.n > 0 && s->left > 0) {
		uint32_t cp;
		bool good;

		in = span_skip(in, ascii(s, in));
		while (in.n > 0 && (unsigned char)in.p[0] >= 0x80) {
			size_t n = utf8_next(in, &cp, &good);

			steps(s, good ? casemap_cached(s->cache, cp) :
			    span_head(in, n));
			in.p += n;
			in.n -= n;
		}
	}
	return s->left > 0;
}

size_t
scan_left(const struct scan *s)
{
	return s->left;
}

bool
scan_found(const struct scan *s, size_t needle)
{
	return s->found[needle];
}
