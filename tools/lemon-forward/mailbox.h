/* SPDX-License-Identifier: ISC */
#ifndef MAILBOX_H
#define MAILBOX_H

#include "forward.h"

/* What mailbox.c and ways.c have in common in talking to the IMAP server. */

/* Give up: what it was, what the server said (f->imap.why), and the advice. */
__attribute__((noreturn))
void mailbox_failed(struct forward *f, const char *what, const char *advice,
    int code);

/* The same if r is not IMAP_OK; its code says which exit code. */
void mailbox_need(struct forward *f, enum imap_result r, const char *what,
    const char *advice);

/* Add a mailbox's name, which is UTF-8, to a command. */
void mailbox_add(struct forward *f, struct span name);

/* Say a command (with the blank behind it), a mailbox or a UID, and more.
 * Returns its tag. */
unsigned mailbox_say(struct forward *f, const char *command,
    struct span name, const char *more);
unsigned mailbox_say_uid(struct forward *f, const char *command, uint32_t uid,
    const char *more);

/* Read up to its answer; what comes before is of no interest. */
enum imap_result mailbox_wait(struct forward *f, unsigned tag);

/* Up to what stands behind "BODY[…] " in a FETCH response; false if that is
 * not in it. */
bool mailbox_body(struct lex *l);

#endif
