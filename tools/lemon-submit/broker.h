/* SPDX-License-Identifier: ISC */
#ifndef BROKER_H
#define BROKER_H

#include <stdint.h>

#include "base/span.h"

/*
 * A child from before the doors are shut that does one thing: it connects
 * to the relay when asked, and hands the descriptor over.  It ends with us.
 */
struct broker {
	int fd;			/* 0 or less: there is none */
	char why[120];		/* what broker_connect says */
};

/* 0, or -1 with errno.  where and port are as for connect_to. */
int broker_start(struct broker *b, struct span where, const char *port);

/* As connect_to; ctx is the broker. */
int broker_connect(void *ctx, int64_t deadline, const char **why);

void broker_stop(struct broker *b);

#endif
