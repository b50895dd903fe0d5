/* SPDX-License-Identifier: ISC */
#include "mime/date.h"

#include "../../t.h"

static const struct {
	const char *in;
	int64_t utc;
	int32_t zone;
} good[] = {
	{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360 },
	{ "Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120 },
	{ "21 Nov 97 09:55:06 GMT", 880106106, 0 },
	{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 0, -1 },
	{ "Thu,\r\n 13\r\n Feb\r\n 1969 23:32 -0330 (Newfoundland)",
	    -27723480, -210 },
	{ "Mon, 2 Jan 2006 15:04:05 EST", 1136232245, -300 },
	{ "2 Jan 2006 15:04:05", 1136214245, 0 },
	{ "Thu Sep 19 16:46:47 2002", 1032454007, 0 },
	{ "Thu, 19 Sep 2002 16:46:47 +0000 (GMT)", 1032454007, 0 },
	{ "Mon, 02 Jan 2006 15:04:05 -0700 (MST)", 1136239445, -420 },
	{ "31 Dec 1998 23:59:60 +0000", 915148800, 0 },
	{ "1-Jan-2000 00:00:00 +0000", 946684800, 0 },
	{ "29 Feb 2000 12:00:00 Z", 951825600, 0 },
	{ "1 Jan 0001 00:00:00 +0000", INT64_C(-62135596800), 0 },
	{ "Sat, 1 Jan 100 00:00:00 +0000", 946684800, 0 },
};

static const char *const bad[] = {
	"", "yesterday", "30 Feb 2001 10:00:00 +0000", "Mon, 2 Jan 2006",
	"2 Jan 2006 25:00:00 +0000", "2 Jan 2006 10:61:00 +0000",
	"32 Jan 2006 10:00:00 +0000", "0 Jan 2006 10:00:00 +0000",
	"2 Foo 2006 10:00:00 +0000", "10:00:00", "2 Jan 99999 10:00:00",
	"2 Jan 18446744073709551616 10:00:00", "(((((", ",,,,"
};

static void
test_parse(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		int64_t utc = 0;
		int32_t zone = -1;
		bool fine = date_parse(span_str(good[i].in), &utc, &zone);

		/* A comment inside the time is more than we read. */
		if (good[i].zone == -1)
			ok(!fine, good[i].in);
		else
			ok(fine && utc == good[i].utc && zone == good[i].zone,
			    good[i].in);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		int64_t utc = 42;
		int32_t zone = 42;

		ok(!date_parse(span_str(bad[i]), &utc, &zone) && utc == 42,
		    bad[i]);
	}
}

static void
test_write(void)
{
	struct buf b = { 0 };
	int64_t utc, day;
	int32_t zone;
	bool fine = true;
	char text[DATE_INTERNAL];

	date_add(&b, 880127706, -360);
	is(buf_span(&b), SPAN("Fri, 21 Nov 1997 09:55:06 -0600"), "RFC 5322");
	buf_clear(&b);
	date_internal(text, 1136214245, 60);
	is((struct span){ text, sizeof text },
	    SPAN(" 2-Jan-2006 16:04:05 +0100"), "INTERNALDATE");
	date_add(&b, INT64_MAX, 0);
	date_add(&b, INT64_MIN, 0);
	ok(b.n == 2 * 30 + 1, "the end of time is written somehow");
	/* Every 11 days and some seconds, from 1200 to 3000. */
	for (int64_t t = INT64_C(-24298963200); t < INT64_C(32503680000);
	    t += 86400 * 11 + 4567) {
		int32_t z = (int32_t)(t / 1000 % 1400);
		int64_t back;

		buf_clear(&b);
		date_add(&b, t, z);
		fine = fine && date_parse(buf_span(&b), &back, &zone) &&
		    back == t && zone == z;
		date_internal(text, t, z);
		fine = fine && date_internal_parse((struct span){ text,
		    sizeof text }, &back, &zone) && back == t && zone == z;
	}
	ok(fine, "what is written is read back");
	buf_free(&b);
	ok(date_day_parse(SPAN("1-Feb-1994"), &day) && day == 8797,
	    "1-Feb-1994");
	ok(!date_day_parse(SPAN("1-Feb-94"), &day), "years have four digits");
	ok(!date_day_parse(SPAN("31-Feb-1994"), &day), "no such day");
	ok(!date_internal_parse(SPAN("2-Jan-2006 16:04:05 +0100"), &utc,
	    &zone), "the day is two columns");
	ok(date_day(-1, 0) == -1 && date_day(0, 0) == 0 &&
	    date_day(86399, 1) == 1, "days in a zone");
}

int
main(void)
{
	test_parse();
	test_write();
	return done();
}
