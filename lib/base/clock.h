/* SPDX-License-Identifier: ISC */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that never jumps; for time-outs and durations. */
int64_t clock_ms(void);

/* Seconds and microseconds since 1970; it may jump.  For dates only. */
int64_t clock_now(void);
int64_t clock_now_us(void);

/* The same by the clock that the kernel stamps files with: no later change of
 * a file gets an earlier time.  It stands still between ticks, for longer
 * where a virtual machine is not let run. */
int64_t clock_files_us(void);

#endif
