/* SPDX-License-Identifier: ISC */
#ifndef CHORES_H
#define CHORES_H

#include "session.h"

/* After an answer: settle what was selected, unlink and rename what the
 * command left to do, unless the client has something to say. */
void chores(struct session *s);

/* Before a message comes: if the disk is almost full, what was expunged is
 * unlinked first. */
void chores_make_room(struct session *s);

/* The selected mailbox is left: what is to be done there stays due. */
void chores_keep(struct session *s);

/* At the end of the session; nothing can be said any more. */
void chores_finish(struct session *s);

#endif
