/* SPDX-License-Identifier: ISC */
#ifndef STORE_MESSAGE_H
#define STORE_MESSAGE_H

#include <sys/types.h>

#include "mime/digest.h"
#include "store/view.h"

/*
 * The octets of one message, in wire form.  Opened by UID through a view;
 * it stays readable when it is expunged or renamed meanwhile.
 */
struct message;

enum store_result message_open(struct view *v, uint32_t uid,
    struct message **m);
void message_close(struct message *m);

/* The same for a message that view_each is showing (NEED_FILE): opened by the
 * name it had in that snapshot, without another look at the index unless it
 * is not there any more.  d is its digest and must outlive *out. */
enum store_result message_shown(struct view *v, const struct msg *m,
    const struct digest *d, struct message **out);

/* Valid while the message is open. */
const struct digest *message_digest(const struct message *m);

/* Up to n wire octets from that wire offset on; fewer only at the end.
 * Reading on where the last call ended is linear; elsewhere it starts from
 * the digest's checkpoints.  -1 with errno on failure. */
ssize_t message_read(struct message *m, uint64_t wire, char *p, size_t n);

#endif
