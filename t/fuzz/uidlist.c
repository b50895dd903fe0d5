/* SPDX-License-Identifier: ISC */
/* The reader of lemon-uidlist: any octets, and lines with good checksums and
 * anything before them.  What it took must be taken again alone; what stands behind
 * it may only raise the next UID. */
#include <stdlib.h>

#include "sealed.h"
#include "store/uidlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is set is late. */
static bool
is_late_sane(const struct uidlist *l, uint32_t uid)
{
	uint32_t flags, late = uidlist_late_flags(l, uid, &flags);

	return (flags & ~late) == 0 && late < 1u << UIDLIST_LETTERS;
}

static void
try(struct span text)
{
	struct uidlist l, again;

	if (uidlist_parse(text, &l)) {
		if (!uidlist_parse(span_head(text, l.good), &again) ||
		    again.n != l.n || again.lines != l.lines ||
		    again.uidnext > l.uidnext)
			abort();
		for (size_t i = 0; i < l.n; i++)
			if (uidlist_find(&l, l.msg[i].uid) != &l.msg[i] ||
			    l.msg[i].uid >= l.uidnext ||
			    !is_late_sane(&l, l.msg[i].uid))
				abort();
		uidlist_free(&again);
	}
	uidlist_free(&l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span text = { (const char *)data, n };
	struct buf sealed = { 0 };

	try(text);
	seal_all(&sealed, text);
	try(buf_span(&sealed));
	buf_free(&sealed);
	return 0;
}
