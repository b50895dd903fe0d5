/* SPDX-License-Identifier: ISC */
#include "imap/wire.h"

#include "mime/date.h"

/* RFC 3501 9: what a quoted string can hold. */
static bool
quotable(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\0' || c == '\r' || c == '\n' || c > 0x7e)
			return false;
	}
	return true;
}

static void
quoted(struct out *o, struct span s)
{
	out_addc(o, '"');
	while (s.n > 0) {
		size_t n = 0;

		while (n < s.n && s.p[n] != '"' && s.p[n] != '\\')
			n++;
		out_add(o, span_head(s, n));
		s = span_skip(s, n);
		if (s.n > 0) {
			out_addc(o, '\\');
			out_addc(o, s.p[0]);
			s = span_skip(s, 1);
		}
	}
	out_addc(o, '"');
}

static void
literal(struct out *o, struct span s)
{
	size_t nuls = 0;

	for (size_t i = 0; i < s.n; i++)
		nuls += s.p[i] == '\0';
	out_addc(o, '{');
	out_addu(o, s.n - nuls);
	out_adds(o, "}\r\n");
	while (s.p != NULL)
		out_add(o, span_cut(&s, '\0'));
}

void
wire_string(struct out *o, struct span s)
{
	if (s.n <= 1024 && quotable(s))
		quoted(o, s);
	else
		literal(o, s);
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
		const char *name;
	} names[] = {
		{ FLAG_ANSWERED, "\\Answered" },
		{ FLAG_FLAGGED, "\\Flagged" },
		{ FLAG_DELETED, "\\Deleted" },
		{ FLAG_SEEN, "\\Seen" },
		{ FLAG_DRAFT, "\\Draft" },
		{ FLAG_RECENT, "\\Recent" },
	};
	const char *sep = "";

	for (size_t i = 0; i < COUNT(names); i++)
		if (system & names[i].flag) {
			out_adds(o, sep);
			out_adds(o, names[i].name);
			sep = " ";
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
