/* SPDX-License-Identifier: ISC */
#include "imap/wire.h"

#include "mime/date.h"
#include "mime/quote.h"

void
wire_string(struct out *o, struct span s)
{
	struct buf b = { 0 };

	quote_string(&b, s);
	out_add(o, buf_span(&b));
	buf_free(&b);
}

void
wire_nstring(struct out *o, struct span s)
{
	if (s.p == NULL)
		out_adds(o, "NIL");
	else
		wire_string(o, s);
}

void
wire_astring(struct out *o, struct span s)
{
	size_t n = 0;

	while (n < s.n && lex_astring_char(s.p[n]))
		n++;
	/* Some clients take a bare NIL for no string at all. */
	if (n > 0 && n == s.n && !span_ieq(s, SPAN("NIL")))
		out_add(o, s);
	else
		wire_string(o, s);
}

void
wire_system_flags(struct out *o, uint32_t system)
{
	static const struct {
		uint32_t flag;
		struct span name;	/* after a space */
	} names[] = {
		{ FLAG_ANSWERED, SPAN_INIT(" \\Answered") },
		{ FLAG_FLAGGED, SPAN_INIT(" \\Flagged") },
		{ FLAG_DELETED, SPAN_INIT(" \\Deleted") },
		{ FLAG_SEEN, SPAN_INIT(" \\Seen") },
		{ FLAG_DRAFT, SPAN_INIT(" \\Draft") },
		{ FLAG_RECENT, SPAN_INIT(" \\Recent") },
	};
	size_t none = 1;	/* the first has none before it */

	for (size_t i = 0; i < COUNT(names); i++)
		if (system & names[i].flag) {
			out_add(o, span_skip(names[i].name, none));
			none = 0;
		}
}

void
wire_numbers(struct buf *to, const uint32_t *v, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		end = i + 1;
		while (end < n && v[end] == v[end - 1] + 1)
			end++;
		if (i > 0)
			buf_addc(to, ',');
		buf_addu(to, v[i]);
		if (end > i + 1) {
			buf_addc(to, ':');
			buf_addu(to, v[end - 1]);
		}
	}
}

void
wire_date_time(struct out *o, int64_t seconds)
{
	char text[DATE_INTERNAL];

	date_internal(text, seconds, 0);
	out_addc(o, '"');
	out_add(o, (struct span){ text, sizeof text });
	out_addc(o, '"');
}
