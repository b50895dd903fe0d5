/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "session.h"

/* The row of that command, "UID" forms with one space.  NULL: none. */
const struct cmd *command_find(struct span name);

/* What CAPABILITY says now: "IMAP4rev1 LITERAL+ …". */
void capability_list(struct session *s, struct buf *to);

/* Read one command, run it and answer.  False when the session is over. */
bool command_next(struct session *s);

#endif
