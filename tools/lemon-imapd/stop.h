/* SPDX-License-Identifier: ISC */
#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/*
 * SIGTERM ends the session where a command ends: what is written is written
 * to its end, and the client gets its BYE.  Whatever takes longer than some
 * seconds then is cut off, which the store survives.
 */
void stop_catch(void);

/* Whether it came. */
bool stop_asked(void);

#endif
