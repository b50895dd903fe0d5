/* SPDX-License-Identifier: ISC */
#include "base/civil.h"

enum { ERA = 146097,		/* days in 400 years */
	EPOCH = 719468 };	/* days from 0000-03-01 to 1970-01-01 */

/* Years are counted from March here, so that a leap day ends its year. */
int64_t
civil_days(int64_t year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * ERA + yoe * 365 + yoe / 4 - yoe / 100 + doy - EPOCH;
}

void
civil_date(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t z = days + EPOCH;
	int64_t era = (z >= 0 ? z : z - (ERA - 1)) / ERA;
	int64_t doe = z - era * ERA;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / (ERA - 1)) /
	    365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

int
civil_month(int64_t year, int month)
{
	int64_t next = month == 12 ? civil_days(year + 1, 1, 1) :
	    civil_days(year, month + 1, 1);

	return (int)(next - civil_days(year, month, 1));
}
