/* SPDX-License-Identifier: ISC */
#include "mime/date.h"

#include <string.h>
#include <time.h>

#include "base/civil.h"

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char weekdays[] = "sunmontuewedthufrisat";

/* A date while it is read; -1: not seen yet. */
struct fields {
	int year, month, day, hour, minute, second;
	int32_t zone;
	bool zoned;
};

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
date_day(int64_t utc, int32_t zone)
{
	return floor_div(utc + (int64_t)zone * 60, DATE_DAY);
}

/* A leap second is the second after it. */
static bool
moment(const struct fields *f, int64_t *utc, int32_t *zone)
{
	if (f->year < 1 || f->year > 9999 || f->month < 1 || f->day < 1 ||
	    f->day > civil_month(f->year, f->month) || f->hour < 0 ||
	    f->hour > 23 || f->minute < 0 || f->minute > 59 ||
	    f->second < 0 || f->second > 60)
		return false;
	*utc = civil_days(f->year, f->month, f->day) * DATE_DAY +
	    f->hour * 3600 + f->minute * 60 + f->second -
	    (int64_t)f->zone * 60;
	*zone = f->zone;
	return true;
}

/* The index in a list of three-letter names, or -1. */
static int
three(const char *names, struct span s)
{
	if (s.n < 3)
		return -1;
	char a = ascii_lower(s.p[0]), b = ascii_lower(s.p[1]);
	char c = ascii_lower(s.p[2]);

	for (int i = 0; *names != '\0'; i++, names += 3)
		if (names[0] == a && names[1] == b && names[2] == c)
			return i;
	return -1;
}

/* RFC 5322 4.3: the letters are not to be trusted, and read as UTC. */
static bool
zone_name(struct span s, int32_t *zone)
{
	static const struct { const char *name; int32_t zone; } known[] = {
		{ "EDT", -240 }, { "EST", -300 }, { "CDT", -300 },
		{ "CST", -360 }, { "MDT", -360 }, { "MST", -420 },
		{ "PDT", -420 }, { "PST", -480 }, { "BST", 60 },
		{ "MET", 60 }, { "CET", 60 }, { "MEST", 120 },
		{ "CEST", 120 }, { "EET", 120 }, { "EEST", 180 },
		{ "MSK", 180 }, { "JST", 540 }, { "IST", 330 }
	};

	*zone = 0;
	for (size_t i = 0; i < COUNT(known); i++)
		if (span_ieq(s, span_str(known[i].name)))
			*zone = known[i].zone;
	return true;
}

static bool
zone_digits(struct span s, int32_t *zone)
{
	uint64_t v;
	char sign = s.p[0];

	s = span_skip(s, 1);
	if (s.n != 4 || !span_u64(s, 9999, &v) || v % 100 > 59 ||
	    v / 100 > 23)
		return false;
	int32_t z = (int32_t)(v / 100 * 60 + v % 100);

	*zone = sign == '-' ? -z : z;
	return true;
}

static int
small(struct span s, uint64_t max)
{
	uint64_t v;

	return span_u64(s, max, &v) ? (int)v : -1;
}

/* "15:04", "15:04:05", fractions of a second cut. */
static bool
clock_time(struct span s, struct fields *f)
{
	struct span hour = span_cut(&s, ':');
	struct span minute = span_cut(&s, ':');
	struct span second = span_head(s, span_chr(s, '.'));

	f->hour = small(hour, 23);
	f->minute = small(minute, 59);
	f->second = s.p == NULL ? 0 : small(second, 60);
	return f->hour >= 0 && f->minute >= 0 && f->second >= 0;
}

static bool
year(struct span s, struct fields *f)
{
	f->year = small(s, 9999);
	if (f->year < 0)
		return false;
	/* RFC 5322 4.3 */
	if (s.n == 2)
		f->year += f->year < 50 ? 2000 : 1900;
	else if (s.n == 3)
		f->year += 1900;
	return true;
}

/* One word of a date.  Words tell by their form what they are. */
static bool
date_word(struct span w, struct fields *f)
{
	if (span_chr(w, ':') < w.n)
		return f->hour < 0 && clock_time(w, f);
	if ((w.p[0] == '+' || w.p[0] == '-') && f->hour >= 0)
		return f->zoned ||
		    (f->zoned = zone_digits(w, &f->zone));
	if (ascii_digit(w.p[0])) {
		if (f->day < 0 && w.n <= 2)
			return (f->day = small(w, 31)) > 0;
		return f->year >= 0 || year(w, f);
	}
	int month = f->month < 0 ? three(months, w) + 1 : 0;

	if (month > 0) {
		f->month = month;
		return true;
	}
	if (f->hour < 0)
		return three(weekdays, w) >= 0;
	return f->zoned || (f->zoned = zone_name(w, &f->zone));
}

/* The next word, without blanks, commas and comments before it. */
static struct span
next_word(struct span *s)
{
	size_t depth = 0, n = 0;

	while (s->n > 0) {
		char c = s->p[0];

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == '\\' && depth > 0)
			*s = span_skip(*s, 1);
		else if (depth == 0 && c != ' ' && c != '\t' && c != '\r' &&
		    c != '\n' && c != ',')
			break;
		*s = span_skip(*s, 1);
	}
	while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t' &&
	    s->p[n] != '\r' && s->p[n] != '\n' && s->p[n] != ',' &&
	    s->p[n] != '(')
		n++;
	struct span w = span_head(*s, n);

	*s = span_skip(*s, n);
	return w;
}

bool
date_parse(struct span s, int64_t *utc, int32_t *zone)
{
	struct fields f = { -1, -1, -1, -1, -1, -1, 0, false };
	struct span w;

	while ((w = next_word(&s)).n > 0) {
		/* "2-Jan-2006" is three words. */
		if (ascii_digit(w.p[0]) && span_chr(w, '-') < w.n &&
		    span_chr(w, ':') == w.n) {
			while (w.p != NULL) {
				struct span part = span_cut(&w, '-');

				if (part.n == 0 || !date_word(part, &f))
					return false;
			}
		} else if (!date_word(w, &f)) {
			/* What follows a whole date is no harm. */
			if (f.hour < 0 || f.year < 0)
				return false;
			break;
		}
	}
	return moment(&f, utc, zone);
}

/* Add to what is written at *to, and go on behind it. */
static void
put(char **to, struct span s)
{
	memcpy(*to, s.p, s.n);
	*to += s.n;
}

static void
two(char **to, int64_t v)
{
	*(*to)++ = (char)('0' + v / 10);
	*(*to)++ = (char)('0' + v % 10);
}

/* The n-th of a list of three-letter names. */
static void
name(char **to, const char *names, int64_t n)
{
	*(*to)++ = ascii_upper(names[3 * n]);
	put(to, (struct span){ names + 3 * n + 1, 2 });
}

/* What a date can say: years 1 to 9999. */
static int64_t
clamp(int64_t utc)
{
	int64_t min = civil_days(1, 1, 2) * DATE_DAY;
	int64_t max = civil_days(9999, 12, 31) * DATE_DAY - 1;

	return utc < min ? min : utc > max ? max : utc;
}

/* "-Jan-2006 15:04:05 +0100" after the day, with that separator. */
static void
write_rest(char **to, char sep, int64_t local, int32_t zone)
{
	int64_t days = floor_div(local, DATE_DAY), y;
	int64_t s = local - days * DATE_DAY;
	int32_t z = zone < 0 ? -zone : zone;
	int m, d;

	civil_date(days, &y, &m, &d);
	*(*to)++ = sep;
	name(to, months, m - 1);
	*(*to)++ = sep;
	two(to, y / 100);
	two(to, y % 100);
	*(*to)++ = ' ';
	two(to, s / 3600);
	*(*to)++ = ':';
	two(to, s / 60 % 60);
	*(*to)++ = ':';
	two(to, s % 60);
	put(to, zone < 0 ? SPAN(" -") : SPAN(" +"));
	two(to, z / 60 % 24);
	two(to, z % 60);
}

static int
day_of_month(int64_t local)
{
	int64_t y;
	int m, d;

	civil_date(floor_div(local, DATE_DAY), &y, &m, &d);
	return d;
}

void
date_add(struct buf *to, int64_t utc, int32_t zone)
{
	int64_t local = clamp(utc) + (int64_t)zone * 60;
	int64_t w = floor_div(local, DATE_DAY) + 4;
	char text[DATE_INTERNAL + 5], *p = text;

	name(&p, weekdays, w - floor_div(w, 7) * 7);
	put(&p, SPAN(", "));
	int d = day_of_month(local);

	if (d >= 10)
		*p++ = (char)('0' + d / 10);
	*p++ = (char)('0' + d % 10);
	write_rest(&p, ' ', local, zone);
	buf_add(to, (struct span){ text, (size_t)(p - text) });
}

void
date_internal(char *to, int64_t utc, int32_t zone)
{
	int64_t local = clamp(utc) + (int64_t)zone * 60;

	two(&to, day_of_month(local));
	if (to[-2] == '0')
		to[-2] = ' ';
	write_rest(&to, '-', local, zone);
}

/* RFC 3501 9, date-text: 1 or 2 digits, three letters, four digits. */
static bool
day_fields(struct span s, struct fields *f)
{
	struct span day = span_cut(&s, '-'), month = span_cut(&s, '-');

	if (day.n < 1 || day.n > 2 || month.n != 3 || s.n != 4)
		return false;
	f->day = small(day, 31);
	f->month = three(months, month) + 1;
	f->year = small(s, 9999);
	return f->day > 0 && f->month > 0 && f->year > 0 &&
	    f->day <= civil_month(f->year, f->month);
}

bool
date_day_parse(struct span s, int64_t *day)
{
	struct fields f;

	if (!day_fields(s, &f))
		return false;
	*day = civil_days(f.year, f.month, f.day);
	return true;
}

bool
date_internal_parse(struct span s, int64_t *utc, int32_t *zone)
{
	struct fields f = { 0 };

	/* date-day-fixed: a blank and a digit, or two digits. */
	if (s.n != DATE_INTERNAL || s.p[11] != ' ' || s.p[20] != ' ' ||
	    s.p[14] != ':' || s.p[17] != ':' ||
	    (s.p[21] != '+' && s.p[21] != '-'))
		return false;
	struct span date = span_head(s, 11);

	if (date.p[0] == ' ')
		date = span_skip(date, 1);
	return day_fields(date, &f) &&
	    clock_time((struct span){ s.p + 12, 8 }, &f) &&
	    zone_digits(span_skip(s, 21), &f.zone) && moment(&f, utc, zone);
}

int32_t
date_local_zone(int64_t utc)
{
	time_t t = (time_t)utc;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return 0;
	return (int32_t)(tm.tm_gmtoff / 60);
}
