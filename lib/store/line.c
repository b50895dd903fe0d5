/* SPDX-License-Identifier: ISC */
#include "store/line.h"

/* The CRC-32 of ISO 3309, four bits at a time. */
uint32_t
line_crc(struct span s)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c
	};
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= (unsigned char)s.p[i];
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}

void
line_seal(struct buf *b, size_t from)
{
	buf_addf(b, " %08x\n",
	    (unsigned)line_crc(span_skip(buf_span(b), from)));
}

bool
line_check(struct span line, struct span *text)
{
	uint32_t sum = 0;
	struct span body;

	if (line.n < 9 || line.p[line.n - 9] != ' ')
		return false;
	for (size_t i = line.n - 8; i < line.n; i++) {
		int v = ascii_hex(line.p[i]);

		if (v < 0)
			return false;
		sum = sum << 4 | (uint32_t)v;
	}
	body = span_head(line, line.n - 9);
	if (line_crc(body) != sum)
		return false;
	*text = body;
	return true;
}

void
line_escape(struct buf *b, struct span s)
{
	if (s.n == 0)
		buf_addc(b, '%');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c == '%' || c == 0x7f)
			buf_addf(b, "%%%02X", c);
		else
			buf_addc(b, s.p[i]);
	}
}

bool
line_unescape(struct buf *b, struct span word)
{
	size_t before = b->n;

	if (word.n == 1 && word.p[0] == '%')
		return true;
	if (word.n == 0)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		int c;

		if (word.p[i] != '%') {
			buf_addc(b, word.p[i]);
			continue;
		}
		c = span_hex(span_skip(word, i + 1));
		if (c < 0) {
			b->n = before;
			return false;
		}
		buf_addc(b, (char)c);
		i += 2;
	}
	return true;
}
