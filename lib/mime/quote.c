/* SPDX-License-Identifier: ISC */
#include "mime/quote.h"

#include "mime/header.h"

enum { QUOTED_MAX = 1024 };

/* RFC 3501 9, QUOTED-CHAR: any of 1 to 127 but CR and LF.  DEL is better in
 * a literal for some readers. */
enum { ESCAPED = 1, NOT_QUOTED = 2 };
static const unsigned char kinds[128] = {
	['"'] = ESCAPED, ['\\'] = ESCAPED, ['\0'] = NOT_QUOTED,
	['\r'] = NOT_QUOTED, ['\n'] = NOT_QUOTED, [127] = NOT_QUOTED
};

/* All kinds that are in there; long ones are literals too. */
static unsigned
kinds_of(struct span s)
{
	unsigned all = 0, octets = 0;

	if (s.n > QUOTED_MAX)
		return NOT_QUOTED;
	for (size_t i = 0; i < s.n; i++) {
		octets |= (unsigned char)s.p[i];
		all |= kinds[s.p[i] & 127];
	}
	return octets > 127 ? NOT_QUOTED : all;
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
	unsigned all = kinds_of(s);

	if (all & NOT_QUOTED) {
		literal(to, s);
		return;
	}
	char *p = buf_room(to, 2 * s.n + 2);

	*p++ = '"';
	if (all == 0 && s.n > 0) {
		memcpy(p, s.p, s.n);
		p += s.n;
	} else {
		for (size_t i = 0; i < s.n; i++) {
			if (kinds[s.p[i] & 127] == ESCAPED)
				*p++ = '\\';
			*p++ = s.p[i];
		}
	}
	*p++ = '"';
	to->n = (size_t)(p - to->p);
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
