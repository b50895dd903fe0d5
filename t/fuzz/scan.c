/* SPDX-License-Identifier: ISC */
#include "text/scan.h"

#include <stdlib.h>

#include "text/collation.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

/* Lines: up to eight needles, then the text; each is found exactly where it
 * would be alone. */
int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct span in = { (const char *)p, n }, needle[8], piece;
	struct casemap_cache *cache = casemap_cache_new();
	struct scan *s;
	size_t k = 0;

	while (k < COUNT(needle) && span_chr(in, '\n') < in.n)
		needle[k++] = span_cut(&in, '\n');
	s = scan_new(needle, k, cache);
	if (s == NULL || !utf8_valid((struct span){ (const char *)p, n })) {
		scan_free(s);
		casemap_cache_free(cache);
		return 0;
	}
	scan_begin(s);
	for (piece = in; piece.n > 0;) {
		uint32_t cp;
		bool good;
		size_t m = utf8_next(piece, &cp, &good);

		scan_feed(s, span_head(piece, m));
		piece = span_skip(piece, m);
	}
	for (size_t i = 0; i < k; i++)
		if (scan_found(s, i) != collation_contains(
		    COLLATE_UNICODE_CASEMAP, in, needle[i]))
			abort();
	scan_free(s);
	casemap_cache_free(cache);
	return 0;
}
