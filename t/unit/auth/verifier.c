/* SPDX-License-Identifier: ISC */
#include "auth/verifier.h"

#include "auth/addresses.h"

#include "../../t.h"

#define K "SCRAM-SHA-1$4096:AA==$AAAAAAAAAAAAAAAAAAAAAAAAAAA=" \
	":AAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
lines(void)
{
	static const struct {
		const char *name, *text;
		unsigned want;
	} row[] = {
		{ "an empty file has none", "", 0 },
		{ "the main password", "-:::" K "\n", 1 },
		{ "the last line end may be missing", "-:::" K, 1 },
		{ "two of them", "-:::" K "\na:imap,sieve:2030-01-31:" K "\n",
		  2 },
		{ "bad lines are passed over", "\n#\n:::\n-:::" K "\n-\n", 1 },
		{ "no label", ":::" K "\n", 0 },
		{ "a label with a capital", "A:::" K "\n", 0 },
		{ "a label with a slash", "a/b:::" K "\n", 0 },
		{ "an unknown scope", "a:pop::" K "\n", 0 },
		{ "an empty scope among others", "a:imap,::" K "\n", 0 },
		{ "a day that is none", "a::2027-02-29:" K "\n", 0 },
		{ "a day with an hour", "a::2027-02-28T00:" K "\n", 0 },
		{ "a day in words", "a::never:" K "\n", 0 },
		{ "a field too few", "-::" K "\n", 0 },
		{ "a field too many", "-::::" K "\n", 0 },
		{ "a carriage return", "-:::" K "\r\n", 0 },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		struct span text = span_str(row[i].text);
		struct verifier v;
		unsigned n = 0;

		while (verifier_next(&text, &v))
			n++;
		ok(n == row[i].want, row[i].name);
	}
}

static void
days(void)
{
	static const struct {
		const char *day;
		int64_t end;	/* 0: no day */
	} row[] = {
		{ "1970-01-01", 86400 },
		{ "2000-02-29", 951868800 },
		{ "2026-11-22", 1795392000 },
		{ "2038-01-19", 2147558400 },
		{ "9999-12-31", 253402300800 },
		{ "1900-01-01", 0 }, { "2100-02-29", 0 }, { "2027-00-10", 0 },
		{ "2027-13-10", 0 }, { "2027-01-00", 0 }, { "2027-01-32", 0 },
		{ "2027-04-31", 0 }, { "2027-1-1", 0 }, { "2027/01/01", 0 },
		{ "", 0 }, { "2027-01-011", 0 }, { "+027-01-01", 0 },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		int64_t end = 0;
		bool good = verifier_day(span_str(row[i].day), &end);

		ok(good == (row[i].end != 0) && end == row[i].end,
		    row[i].day);
	}
}

static void
counts(void)
{
	struct verifier v = { SPAN("a"), SPAN("imap,sieve"),
	    SPAN("2026-11-22"), { .hash = SCRAM_SHA1 } };

	ok(verifier_counts(&v, SPAN("imap"), 1795391999) &&
	    verifier_counts(&v, SPAN("sieve"), 1795391999),
	    "it counts through its last day");
	ok(!verifier_counts(&v, SPAN("imap"), 1795392000),
	    "and not the second after");
	ok(!verifier_counts(&v, SPAN("submit"), 0) &&
	    !verifier_counts(&v, SPAN("imap,sieve"), 0) &&
	    !verifier_counts(&v, SPAN(""), 0), "only within its scope");
	v.scope.n = v.expiry.n = 0;
	ok(verifier_counts(&v, SPAN("submit"), INT64_MAX),
	    "without both always");
}

static void
addresses(void)
{
	struct span text = SPAN("# a comment\n\n Al@Example.org \r\n"
	    "#x@example.org\nb+c@example.org");

	ok(addresses_has(text, SPAN("aL@eXample.ORG")) &&
	    addresses_has(text, SPAN("b+c@example.org")),
	    "case and blanks around do not matter");
	ok(!addresses_has(text, SPAN("")) &&
	    !addresses_has(text, SPAN("# a comment")) &&
	    !addresses_has(text, SPAN("#x@example.org")) &&
	    !addresses_has(text, SPAN("al@example.or")) &&
	    !addresses_has(text, SPAN("b@example.org")),
	    "comments, blank lines and pieces are no addresses");
}

int
main(void)
{
	lines();
	days();
	counts();
	addresses();
	return done();
}
