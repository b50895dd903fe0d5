/* SPDX-License-Identifier: ISC */
#include "text/encode.h"

#include "text/base64.h"
#include "text/utf8.h"

/* "=?utf-8?B?" and "?=" leave 63 characters of base64. */
enum { WORD_OCTETS = 45 };

static bool
plain(struct span s)
{
	return span_printable(s) && span_find(s, SPAN("=?")) == s.n;
}

void
encode_text(struct span s, struct buf *to)
{
	struct buf word = { 0 };

	if (plain(s)) {
		buf_add(to, s);
		return;
	}
	for (size_t words = 0; s.n > 0; words++) {
		buf_clear(&word);
		while (s.n > 0 && word.n <= WORD_OCTETS - 4) {
			uint32_t cp;
			bool good;

			s = span_skip(s, utf8_next(s, &cp, &good));
			utf8_add(&word, cp < ' ' ? ' ' : cp);
		}
		buf_adds(to, words > 0 ? " =?utf-8?B?" : "=?utf-8?B?");
		base64_add(buf_span(&word), to);
		buf_adds(to, "?=");
	}
	buf_free(&word);
}
