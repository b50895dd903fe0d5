/* SPDX-License-Identifier: ISC */
/* Any text is a list of addresses that ends; what is written from one is
 * read back as the same one. */
#include <stdlib.h>

#include "mime/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
again(const struct addr *a)
{
	struct buf text = { 0 };
	struct addr_list l = { 0 };
	struct addr b;

	for (size_t i = 0; i < a->local.n; i++)
		if (a->local.p[i] == '\r' || a->local.p[i] == '\n' ||
		    a->local.p[i] == '\0')
			return;
	addr_add(&text, a->local, SPAN("example.org"));
	l.rest = buf_span(&text);
	if (!addr_next(&l, &b) || !span_eq(b.local, a->local) ||
	    !span_eq(b.domain, SPAN("example.org")) || addr_next(&l, &b))
		abort();
	addr_list_free(&l);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct addr_list l = { .rest = { (const char *)p, n } };
	struct addr a;
	size_t count = 0;
	int depth = 0;

	while (addr_next(&l, &a)) {
		/* The end of a group may stand for nothing in the text. */
		if (++count > 2 * n + 2)
			abort();
		depth += a.kind == ADDR_GROUP;
		depth -= a.kind == ADDR_GROUP_END;
		if (depth < 0 || depth > 1)
			abort();
		if (a.kind == ADDR_MAILBOX)
			again(&a);
	}
	if (depth != 0)
		abort();
	addr_list_free(&l);
	return 0;
}
