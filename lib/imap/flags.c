/* SPDX-License-Identifier: ISC */
#include "imap/lex.h"

static const struct {
	const char *name;
	uint32_t flag;
} system_flags[] = {
	{ "\\Seen", FLAG_SEEN },
	{ "\\Answered", FLAG_ANSWERED },
	{ "\\Flagged", FLAG_FLAGGED },
	{ "\\Deleted", FLAG_DELETED },
	{ "\\Draft", FLAG_DRAFT },
};

/* RFC 3501 9 flag: \Recent is not the client's to set, and a \word that we
 * do not know cannot be kept. */
static uint32_t
system_flag(struct lex *l)
{
	for (size_t i = 0; i < COUNT(system_flags); i++)
		if (lex_word(l, system_flags[i].name))
			return system_flags[i].flag;
	lex_fail(l, "No such system flag");
	return 0;
}

static void
keyword(struct lex *l, struct flags *f, size_t *cap)
{
	struct span k = lex_atom(l);

	for (size_t i = 0; i < f->keywords; i++)
		if (span_ieq(f->keyword[i], k))
			return;
	if (l->error != NULL)
		return;
	f->keyword = arena_grow(l->arena, f->keyword, cap, f->keywords + 1,
	    sizeof *f->keyword);
	f->keyword[f->keywords++] = k;
}

struct flags
lex_flags(struct lex *l, bool bare)
{
	struct flags f = { 0 };
	size_t cap = 0, n = 0;
	bool list = lex_next(l, '(') || !bare;

	if (list) {
		lex_open(l);
		if (lex_next(l, ')')) {
			lex_close(l);
			return f;
		}
	}
	do {
		if (lex_next(l, '\\'))
			f.system |= system_flag(l);
		else
			keyword(l, &f, &cap);
		if (++n > LEX_FLAGS_MAX)
			lex_fail(l, "Too many flags");
	} while (lex_try(l, ' '));
	if (list)
		lex_close(l);
	return f;
}
