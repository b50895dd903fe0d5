/* SPDX-License-Identifier: ISC */
#include "deliver.h"

/* A message is refused for good only where no later try can do better:
 * everything that an administrator or time may mend is temporary. */
void
result_reply(enum store_result e, struct smtp_reply *r)
{
	switch (e) {
	case STORE_OK:
		smtp_reply_set(r, 250, "2.0.0", "Delivered");
		return;
	case STORE_FULL:
		smtp_reply_set(r, 452, "4.3.1", "No space left");
		return;
	case STORE_LIMIT:
		smtp_reply_set(r, 451, "4.3.0",
		    "A limit of this system was reached");
		return;
	case STORE_DENIED:
		smtp_reply_set(r, 450, "4.2.1",
		    "The mailbox cannot be written to");
		return;
	case STORE_INUSE:
		smtp_reply_set(r, 450, "4.2.0", "The mailbox is busy");
		return;
	default:
		smtp_reply_set(r, 451, "4.3.0", "Delivery failed, try again");
	}
}
