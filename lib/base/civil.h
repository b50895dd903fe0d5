/* SPDX-License-Identifier: ISC */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdint.h>

/* Days of the Gregorian calendar counted from 1970-01-01, without any time
 * zone or locale.  Months and days from 1; any year. */
int64_t civil_days(int64_t year, int month, int day);
void civil_date(int64_t days, int64_t *year, int *month, int *day);

/* How many days that month has. */
int civil_month(int64_t year, int month);

#endif
