/* SPDX-License-Identifier: ISC */
/* Names of message files, of whoever wrote them: flags can be set and taken
 * back, and the base and the sizes stay. */
#include "store/filename.h"

#include <stdlib.h>

#include "store/letters.h"
#include "store/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
same_sizes(struct span a, struct span b)
{
	uint64_t x = 0, y = 0;

	if (filename_size(a, &x) != filename_size(b, &y) || x != y)
		abort();
	x = y = 0;
	if (filename_wire(a, &x) != filename_wire(b, &y) || x != y)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span file = { (const char *)p, n };
	struct span base = filename_base(file), old = filename_flags(file);
	uint32_t flags = letters_flags(old);
	struct buf all = { 0 }, back = { 0 };

	if (base.n + old.n > n)
		abort();
	letters_name(&all, base, old, flags ^ MSG_SEEN);
	if (letters_flags(filename_flags(buf_span(&all))) !=
	    (flags ^ MSG_SEEN))
		abort();
	if (letters_valid(file) && all.n <= 255 &&
	    !letters_valid(buf_span(&all)))
		abort();
	letters_name(&back, filename_base(buf_span(&all)),
	    filename_flags(buf_span(&all)), flags);
	if (!span_eq(filename_base(buf_span(&back)), base) ||
	    letters_flags(filename_flags(buf_span(&back))) != flags ||
	    letters_hash(filename_base(buf_span(&back))) !=
	    letters_hash(base))
		abort();
	same_sizes(file, buf_span(&back));
	buf_free(&all);
	buf_free(&back);
	return 0;
}
