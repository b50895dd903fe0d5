/* SPDX-License-Identifier: ISC */
#ifndef SMTP_QUEUE_H
#define SMTP_QUEUE_H

#include "smtp/reply.h"
#include "smtp/spool.h"

/*
 * A program with the qmail-queue interface: the message on its descriptor 0
 * with LF line ends, "Fsender\0Trecipient\0...\0" on 1, a text of its own
 * for exit code 82 on 6.  It carries neither DSN nor SMTPUTF8.
 */
struct queue_job {
	const char *program;	/* absolute path */
	struct span sender;	/* canonical, empty: <> */
	const struct span *rcpt;	/* canonical */
	size_t rcpts;
	struct span top;	/* of the message, then */
	struct spool *message;	/* the rest; CRLF line ends */
	int64_t deadline;	/* on clock_ms(); then it is killed */
};

/* Run it; the reply says how it went: 250 once the message is in the
 * queue.  SIGPIPE must be ignored. */
void queue_run(const struct queue_job *j, struct smtp_reply *r);

#endif
