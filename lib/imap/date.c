/* SPDX-License-Identifier: ISC */
#include "mime/date.h"

#include "imap/lex.h"

/* RFC 3501 9: date = date-text / DQUOTE date-text DQUOTE */
int64_t
lex_date(struct lex *l)
{
	bool quotes = lex_try(l, '"');
	bool two = l->in.n > 1 && ascii_digit(l->in.p[1]);
	struct span text = span_head(l->in, two ? 11 : 10);
	int64_t day = 0;

	if (!date_day_parse(text, &day))
		lex_fail(l, "Bad date");
	l->in = span_skip(l->in, text.n);
	if (quotes)
		lex_char(l, '"');
	return l->error == NULL ? day : 0;
}

/* RFC 3501 9: date-time = DQUOTE date-day-fixed "-" date-month "-"
 * date-year SP time SP zone DQUOTE */
int64_t
lex_date_time(struct lex *l)
{
	int64_t utc = 0;
	int32_t zone;

	lex_char(l, '"');
	struct span text = span_head(l->in, DATE_INTERNAL);

	if (!date_internal_parse(text, &utc, &zone))
		lex_fail(l, "Bad date");
	l->in = span_skip(l->in, text.n);
	lex_char(l, '"');
	return l->error == NULL ? utc : 0;
}
