/* SPDX-License-Identifier: ISC */
/* Any directory has a name that leads back to it; any name that is taken has
 * a directory that shows it. */
#include <stdlib.h>

#include "store/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span s = { (const char *)p, n };
	struct buf name = { 0 }, disk = { 0 };

	if (name_disk(s, &disk) == STORE_OK && !name_inbox(s)) {
		name_show(buf_span(&disk), NAME_CANONICAL, &name);
		if (!span_eq(buf_span(&name), s) || disk.n > NAME_DISK_MAX)
			abort();
	}
	buf_clear(&disk);
	buf_clear(&name);
	if (n > 1 && n <= 80 && p[0] == '.' && span_chr(s, '/') == n &&
	    span_chr(s, '\0') == n) {
		name_show(s, NAME_CANONICAL, &name);
		if (!name_raw(buf_span(&name), &disk) ||
		    !span_eq(buf_span(&disk), s))
			abort();
	}
	buf_free(&disk);
	buf_free(&name);
	return 0;
}
