/* SPDX-License-Identifier: ISC */
#include "mime/quote.h"

#include "mime/header.h"

enum { QUOTED_MAX = 1024 };

/* RFC 3501 9, QUOTED-CHAR: any of 1 to 127 but CR and LF.  DEL and long ones
 * are better in a literal for some readers. */
static bool
quotable(struct span s)
{
	if (s.n > QUOTED_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\0' || c == '\r' || c == '\n' || c > 0x7e)
			return false;
	}
	return true;
}

static void
literal(struct buf *to, struct span s)
{
	size_t nuls = 0;

	for (size_t i = 0; i < s.n; i++)
		nuls += s.p[i] == '\0';
	buf_addc(to, '{');
	buf_addu(to, s.n - nuls);
	buf_adds(to, "}\r\n");
	while (s.p != NULL)
		buf_add(to, span_cut(&s, '\0'));
}

void
quote_string(struct buf *to, struct span s)
{
	if (!quotable(s)) {
		literal(to, s);
		return;
	}
	buf_addc(to, '"');
	while (s.n > 0) {
		size_t n = 0;

		while (n < s.n && s.p[n] != '"' && s.p[n] != '\\')
			n++;
		buf_add(to, span_head(s, n));
		if (n < s.n) {
			buf_addc(to, '\\');
			buf_addc(to, s.p[n++]);
		}
		s = span_skip(s, n);
	}
	buf_addc(to, '"');
}

void
quote_nstring(struct buf *to, struct span s)
{
	if (s.n == 0)
		buf_adds(to, "NIL");
	else
		quote_string(to, s);
}

void
quote_value(struct buf *to, struct span value)
{
	struct buf flat = { 0 };

	if (span_chr(value, '\n') == value.n) {
		quote_string(to, span_trim(value));
		return;
	}
	header_unfold(value, &flat);
	quote_string(to, buf_span(&flat));
	buf_free(&flat);
}
