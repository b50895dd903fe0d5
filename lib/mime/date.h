/* SPDX-License-Identifier: ISC */
#ifndef MIME_DATE_H
#define MIME_DATE_H

#include "base/buf.h"

/*
 * Dates: the only place where they are read and written.  A moment is
 * seconds since 1970 UTC (int64_t); a zone is minutes east of Greenwich, from
 * -1439 to 1439; a day is days since 1970-01-01 in the proleptic Gregorian
 * calendar.  Years are 1 to 9999.  No locale and no TZ is asked but in
 * date_local_zone.
 */
enum { DATE_DAY = 24 * 60 * 60 };

/* RFC 5322 3.3 with the obsolete forms of 4.3 (two-digit years, zone names,
 * comments) and what is often seen (no zone, no weekday, one-digit fields,
 * asctime's order).  False if it is no date; nothing is set then. */
bool date_parse(struct span s, int64_t *utc, int32_t *zone);

/* Add "Mon, 2 Jan 2006 15:04:05 +0100" (RFC 5322 3.3). */
void date_add(struct buf *to, int64_t utc, int32_t zone);

/* RFC 3501 date-time without its quotes, " 2-Jan-2006 15:04:05 +0100", to
 * and from exactly that many octets. */
enum { DATE_INTERNAL = 26 };
bool date_internal_parse(struct span s, int64_t *utc, int32_t *zone);
void date_internal(char *to, int64_t utc, int32_t zone);

/* RFC 3501 date-text, "2-Jan-2006", as a day. */
bool date_day_parse(struct span s, int64_t *day);

/* The day of that moment in that zone. */
int64_t date_day(int64_t utc, int32_t zone);

/* The system's zone at that moment. */
int32_t date_local_zone(int64_t utc);

#endif
