/* SPDX-License-Identifier: ISC */
/* Any octets that become a message for lines of 7 or 8 bits: each leaf still
 * decodes to what it was, the lines carry it, and pieces make no difference. */
#include "../unit/mime/recode.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span s = { (const char *)p, n };
	struct buf whole = { 0 }, cut = { 0 }, again = { 0 };
	bool eightbit = n > 0 && p[n - 1] % 2 == 0;
	size_t at = n > 1 ? (size_t)(p[0] * 256 + p[1]) % n : 0;

	if (t_convert(s, eightbit, n + 1, &whole) == TRANSPORT_RECODE) {
		if (!t_same(s, buf_span(&whole)))
			abort();
		t_convert(s, eightbit, at > 0 ? at : 1, &cut);
		if (!span_eq(buf_span(&whole), buf_span(&cut)))
			abort();
		if (t_convert(buf_span(&whole), eightbit, whole.n, &again) !=
		    TRANSPORT_FITS)
			abort();
	}
	buf_free(&whole);
	buf_free(&cut);
	buf_free(&again);
	return 0;
}
