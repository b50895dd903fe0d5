/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <time.h>

#include "../../t.h"

int
main(void)
{
	int64_t a = clock_ms(), us = clock_now_us();

	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	int64_t b = clock_ms();

	ok(b - a >= 19 && b - a < 10000, "milliseconds pass");
	ok(clock_now() - (int64_t)time(NULL) <= 1, "seconds since 1970");
	ok(clock_files_us() <= clock_now_us(), "files are not of tomorrow");
	ok(clock_now_us() - us >= 19000, "microseconds since 1970");
	return done();
}
