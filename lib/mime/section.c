/* SPDX-License-Identifier: ISC */
#include "mime/section.h"

void
section_path(struct buf *to, const uint32_t *path, size_t depth)
{
	for (size_t i = 0; i < depth; i++) {
		if (i > 0)
			buf_addc(to, '.');
		buf_addu(to, path[i]);
	}
}
