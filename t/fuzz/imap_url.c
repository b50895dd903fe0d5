/* SPDX-License-Identifier: ISC */
/* What a URL was understood as is written and understood alike again; with
 * its rump it is written as it was. */
#include <stdlib.h>

#include "imap/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(struct arena *a, struct span text, struct imap_url *u)
{
	struct buf once = { 0 }, twice = { 0 };

	imap_url_add(&once, u);
	if (u->rump.p != NULL && !span_ieq(buf_span(&once), text))
		abort();
	buf_clear(&once);
	u->rump.p = NULL;
	imap_url_add(&once, u);
	/* Encoded it may be longer than it was, and too long. */
	if (once.n <= IMAP_URL_MAX && u->expire >= 0) {
		if (imap_url_parse(a, buf_span(&once), u) != NULL)
			abort();
		u->rump.p = NULL;
		imap_url_add(&twice, u);
		if (!span_eq(buf_span(&once), buf_span(&twice)))
			abort();
	}
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = { (const char *)p, n };
	struct arena a = { 0 };
	struct imap_url u;

	if (imap_url_parse(&a, text, &u) == NULL)
		check(&a, text, &u);
	arena_free(&a);
	return 0;
}
