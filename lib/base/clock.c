/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <time.h>

static int64_t
microseconds(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
	return microseconds(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_now(void)
{
	return microseconds(CLOCK_REALTIME) / 1000000;
}

int64_t
clock_now_us(void)
{
	return microseconds(CLOCK_REALTIME);
}

int64_t
clock_files_us(void)
{
	return microseconds(CLOCK_REALTIME_COARSE);
}
