/* SPDX-License-Identifier: ISC */
#include "base/civil.h"

#include "../../t.h"

int
main(void)
{
	static const struct {
		int64_t year;
		int month, day;
		int64_t days;
	} at[] = {
		{ 1970, 1, 1, 0 },
		{ 1969, 12, 31, -1 },
		{ 2000, 2, 29, 11016 },
		{ 2000, 3, 1, 11017 },
		{ 2038, 1, 19, 24855 },
		{ 1, 1, 1, -719162 },
		{ 9999, 12, 31, 2932896 },
	};
	bool both = true;

	for (size_t i = 0; i < COUNT(at); i++) {
		int64_t y;
		int m, d;

		civil_date(at[i].days, &y, &m, &d);
		both = both && y == at[i].year && m == at[i].month &&
		    d == at[i].day && civil_days(y, m, d) == at[i].days;
	}
	ok(both, "known days have their numbers and back");
	bool rising = true;

	for (int64_t day = -800000; day < 3000000; day += 13) {
		int64_t y;
		int m, d;

		civil_date(day, &y, &m, &d);
		rising = rising && civil_days(y, m, d) == day && d >= 1 &&
		    d <= civil_month(y, m);
	}
	ok(rising, "there and back is the same day");
	ok(civil_month(1900, 2) == 28 && civil_month(2000, 2) == 29 &&
	    civil_month(2023, 12) == 31, "months have their lengths");
	return done();
}
