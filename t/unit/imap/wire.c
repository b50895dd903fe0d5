/* SPDX-License-Identifier: ISC */
#include "imap/wire.h"

#include "../../t.h"

static struct in unused;
static struct out o;

static struct span
written(void)
{
	struct span s = { o.p, o.n };

	o.n = 0;
	return s;
}

int
main(void)
{
	const struct {
		struct span in, want;
	} strings[] = {
		{ SPAN("abc"), SPAN("abc") },
		{ SPAN(""), SPAN("\"\"") },
		{ SPAN("a b"), SPAN("\"a b\"") },
		{ SPAN("a\"b\\"), SPAN("\"a\\\"b\\\\\"") },
		{ SPAN("NIL"), SPAN("\"NIL\"") },
		{ SPAN("a*"), SPAN("\"a*\"") },
		{ SPAN("caf\xc3\xa9"), SPAN("{5}\r\ncaf\xc3\xa9") },
		{ SPAN("a\r\nb"), SPAN("{4}\r\na\r\nb") },
		{ SPAN("a\0b"), SPAN("{2}\r\nab") },
	};
	static const struct {
		int64_t at;
		const char *want;
	} dates[] = {
		{ 0, "\" 1-Jan-1970 00:00:00 +0000\"" },
		{ -1, "\"31-Dec-1969 23:59:59 +0000\"" },
		{ 837596665, "\"17-Jul-1996 09:44:25 +0000\"" },
		{ INT64_MAX, "\"30-Dec-9999 23:59:59 +0000\"" },
		{ INT64_MIN, "\" 2-Jan-0001 00:00:00 +0000\"" },
	};
	struct buf b = { 0 };

	stream_open(&unused, &o, -1, -1);
	for (size_t i = 0; i < COUNT(strings); i++) {
		wire_astring(&o, strings[i].in);
		is(written(), strings[i].want, "the shortest legal astring");
	}
	wire_string(&o, SPAN("abc"));
	is(written(), SPAN("\"abc\""), "a string is no atom");
	wire_nstring(&o, (struct span){ 0 });
	is(written(), SPAN("NIL"), "no string is NIL");
	wire_nstring(&o, SPAN(""));
	is(written(), SPAN("\"\""), "an empty one is not");
	for (size_t i = 0; i < COUNT(dates); i++) {
		wire_date_time(&o, dates[i].at);
		is(written(), span_str(dates[i].want), "a date-time");
	}
	wire_system_flags(&o, FLAG_SEEN | FLAG_RECENT | FLAG_ANSWERED);
	is(written(), SPAN("\\Answered \\Seen \\Recent"), "system flags");
	static const uint32_t v[] = { 5, 6, 7, 3, 2, 4294967295 };

	wire_numbers(&b, v, COUNT(v));
	is(buf_span(&b), SPAN("5:7,3,2,4294967295"),
	    "numbers keep their order");
	buf_free(&b);
	stream_free(&unused, &o);
	return done();
}
