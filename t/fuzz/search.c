/* SPDX-License-Identifier: ISC */
#include "imap/search.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

/* Either a mistake and no keys, or at least one; OR has two, NOT one. */
int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct arena a = { 0 };
	struct lex l = { .in = { (const char *)p, n }, .arena = &a };
	struct search s;

	search_parse(&l, &s);
	if (lex_ok(&l) != (s.key->sub != NULL))
		abort();
	for (const struct search_key *k = s.key->sub; k != NULL; k = k->next) {
		const struct search_key *sub = k->sub;

		if (k->op == SEARCH_NOT && (sub == NULL || sub->next != NULL))
			abort();
		if (k->op == SEARCH_OR && (sub == NULL || sub->next == NULL ||
		    sub->next->next != NULL))
			abort();
	}
	arena_free(&a);
	return 0;
}
