/* SPDX-License-Identifier: ISC */
#include "mime/quote.h"

#include "mime/header.h"

/* RFC 3501 9, QUOTED-CHAR: any of 1 to 127 but CR and LF. */
static bool
quotable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0 || s.p[i] == '\r' || s.p[i] == '\n')
			return false;
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
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(to, '\\');
		buf_addc(to, s.p[i]);
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

	header_unfold(value, &flat);
	quote_string(to, buf_span(&flat));
	buf_free(&flat);
}
