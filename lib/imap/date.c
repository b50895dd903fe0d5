/* SPDX-License-Identifier: ISC */
#include "base/civil.h"
#include "imap/lex.h"

/* Exactly n digits, at most max. */
static int
fixed(struct lex *l, size_t n, int max)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (i >= l->in.n || !ascii_digit(l->in.p[i])) {
			lex_fail(l, "Bad date");
			return 0;
		}
		v = v * 10 + (l->in.p[i] - '0');
	}
	l->in = span_skip(l->in, n);
	if (v > max)
		lex_fail(l, "Bad date");
	return v;
}

static int
month_name(struct lex *l)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int m = 0; m < 12; m++)
		if (span_istarts(l->in, (struct span){ names + 3 * m, 3 })) {
			l->in = span_skip(l->in, 3);
			return m + 1;
		}
	lex_fail(l, "Bad date");
	return 1;
}

/* "-Feb-1994" after its day: the days since 1970. */
static int64_t
rest_of_date(struct lex *l, int day)
{
	lex_char(l, '-');
	int month = month_name(l);
	lex_char(l, '-');
	int year = fixed(l, 4, 9999);

	if (day < 1 || day > civil_month(year, month))
		lex_fail(l, "Bad date");
	return l->error == NULL ? civil_days(year, month, day) : 0;
}

/* RFC 3501 9: date = date-text / DQUOTE date-text DQUOTE */
int64_t
lex_date(struct lex *l)
{
	bool quotes = lex_try(l, '"');
	bool two = l->in.n > 1 && ascii_digit(l->in.p[1]);
	int64_t days = rest_of_date(l, fixed(l, two ? 2 : 1, 31));

	if (quotes)
		lex_char(l, '"');
	return l->error == NULL ? days : 0;
}

/* RFC 3501 9: date-time = DQUOTE date-day-fixed "-" date-month "-"
 * date-year SP time SP zone DQUOTE */
int64_t
lex_date_time(struct lex *l)
{
	lex_char(l, '"');
	bool space = lex_try(l, ' ');
	int64_t days = rest_of_date(l, fixed(l, space ? 1 : 2, 31));

	lex_space(l);
	int h = fixed(l, 2, 23);
	lex_char(l, ':');
	int m = fixed(l, 2, 59);
	lex_char(l, ':');
	int s = fixed(l, 2, 60);
	lex_space(l);
	bool west = lex_try(l, '-');
	if (!west)
		lex_char(l, '+');
	int zone = fixed(l, 2, 23) * 60;
	zone += fixed(l, 2, 59);
	lex_char(l, '"');
	if (l->error != NULL)
		return 0;
	return days * 86400 + h * 3600 + m * 60 + s -
	    (west ? -zone : zone) * 60;
}
