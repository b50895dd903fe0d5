/* SPDX-License-Identifier: ISC */
/* A date that is read is written so that it is read as the same. */
#include <stdlib.h>

#include "mime/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span s = { (const char *)p, n };
	struct buf b = { 0 };
	int64_t utc, again, day;
	int32_t zone, zone_again;
	char text[DATE_INTERNAL];

	date_day_parse(s, &day);
	if (date_internal_parse(s, &utc, &zone) || date_parse(s, &utc, &zone)) {
		/* At the ends of time the zone leads out of it. */
		if (utc < INT64_C(-62135500000) || utc > INT64_C(253402200000))
			return 0;
		date_add(&b, utc, zone);
		if (!date_parse(buf_span(&b), &again, &zone_again) ||
		    again != utc || zone_again != zone)
			abort();
		date_internal(text, utc, zone);
		if (!date_internal_parse((struct span){ text, sizeof text },
		    &again, &zone_again) || again != utc || zone_again != zone)
			abort();
	}
	buf_free(&b);
	return 0;
}
