/* SPDX-License-Identifier: ISC */
#include "text/mutf7.h"

#include <string.h>

#include "text/base64.h"
#include "text/utf8.h"

static bool
direct(uint32_t cp, const char *escaped)
{
	if (cp < 0x20 || cp > 0x7e)
		return false;
	return escaped == NULL || strchr(escaped, (int)cp) == NULL;
}

static void
unit(struct base64_enc *e, uint32_t u, struct buf *to)
{
	char two[2] = { (char)(u >> 8), (char)u };

	base64_encode(e, (struct span){ two, 2 }, to);
}

/* RFC 3501 5.1.3: base64 of UTF-16 with "," for "/" and no padding. */
static void
shift_back(struct base64_enc *e, size_t from, struct buf *to)
{
	base64_encode_end(e, to);
	while (to->p[to->n - 1] == '=')
		to->n--;
	for (size_t i = from; i < to->n; i++)
		if (to->p[i] == '/')
			to->p[i] = ',';
	buf_addc(to, '-');
	*e = (struct base64_enc){ 0 };
}

bool
mutf7_encode(struct span s, const char *escaped, struct buf *to)
{
	struct base64_enc e = { 0 };
	size_t from = 0;		/* where base64 began, or 0 */

	if (!utf8_valid(s))
		return false;
	while (s.n > 0) {
		uint32_t cp;
		bool good;

		s = span_skip(s, utf8_next(s, &cp, &good));
		if (direct(cp, escaped)) {
			if (from > 0)
				shift_back(&e, from, to);
			from = 0;
			buf_addc(to, (char)cp);
			if (cp == '&')
				buf_addc(to, '-');
			continue;
		}
		if (from == 0) {
			buf_addc(to, '&');
			from = to->n;
		}
		if (cp > 0xffff) {
			unit(&e, 0xd7c0 + (cp >> 10), to);
			cp = 0xdc00 | (cp & 0x3ff);
		}
		unit(&e, cp, to);
	}
	if (from > 0)
		shift_back(&e, from, to);
	return true;
}

/* The UTF-16 between "&" and "-".  Leftover octets, stray bits and wrong
 * characters show when the result is encoded again. */
static bool
unshift(struct span run, struct buf *to)
{
	struct base64_dec d = { 0 };
	struct buf b64 = { 0 }, utf16 = { 0 };
	bool good = true;

	buf_add(&b64, run);
	for (size_t i = 0; i < b64.n; i++)
		if (b64.p[i] == ',')
			b64.p[i] = '/';
	base64_decode(&d, buf_span(&b64), &utf16);
	base64_decode_end(&d, &utf16);
	for (size_t i = 0; good && i + 1 < utf16.n; i += 2) {
		const unsigned char *u = (const unsigned char *)utf16.p + i;
		uint32_t cp = (uint32_t)u[0] << 8 | u[1];

		if (cp >= 0xd800 && cp < 0xdc00 && i + 3 < utf16.n) {
			uint32_t low = (uint32_t)u[2] << 8 | u[3];

			good = low >= 0xdc00 && low < 0xe000;
			cp = ((cp - 0xd7c0) << 10) + (low & 0x3ff);
			i += 2;
		} else if (cp >= 0xd800 && cp < 0xe000)
			good = false;
		if (good)
			utf8_add(to, cp);
	}
	buf_free(&b64);
	buf_free(&utf16);
	return good;
}

static bool
decode(struct span in, struct buf *to)
{
	while (in.n > 0) {
		size_t n = span_chr(in, '&');

		buf_add(to, span_head(in, n));
		in = span_skip(in, n);
		if (in.n == 0)
			break;
		in = span_skip(in, 1);
		n = span_chr(in, '-');
		if (n == in.n)
			return false;
		if (n == 0)
			buf_addc(to, '&');
		else if (!unshift(span_head(in, n), to))
			return false;
		in = span_skip(in, n + 1);
	}
	return true;
}

bool
mutf7_decode(struct span in, const char *escaped, struct buf *to)
{
	struct buf utf8 = { 0 }, again = { 0 };
	bool good = decode(in, &utf8) &&
	    mutf7_encode(buf_span(&utf8), escaped, &again) &&
	    span_eq(buf_span(&again), in);

	if (good)
		buf_add(to, buf_span(&utf8));
	buf_free(&utf8);
	buf_free(&again);
	return good;
}

bool
mutf7_component(struct span s)
{
	if (s.n == 0 || span_eq(s, SPAN(".")) || span_eq(s, SPAN("..")))
		return false;
	while (s.n > 0) {
		uint32_t cp;
		bool good;

		s = span_skip(s, utf8_next(s, &cp, &good));
		if (!good || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
		    cp == '/' || cp == 0x2028 || cp == 0x2029 ||
		    (cp & 0xfffe) == 0xfffe ||
		    (cp >= 0xfdd0 && cp <= 0xfdef))
			return false;
	}
	return true;
}
