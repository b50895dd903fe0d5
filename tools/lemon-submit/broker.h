/* SPDX-License-Identifier: ISC */
#ifndef BROKER_H
#define BROKER_H

#include <stdint.h>

#include "base/span.h"

/*
 * A child from before the doors are shut that does one thing: it connects
 * to one of the places that it was told of when asked, and hands the
 * descriptor over.  It ends with us.
 */
struct broker {
	int fd;			/* 0 or less: there is none */
	char why[120];		/* what broker_connect says */
};

/* As for connect_to. */
struct broker_place {
	struct span where;
	const char *port;
};

/* 0, or -1 with errno. */
int broker_start(struct broker *b, const struct broker_place *place,
    size_t n);

/* As connect_to; ctx is one of these. */
struct broker_door {
	struct broker *broker;
	size_t place;
};
int broker_connect(void *ctx, int64_t deadline, const char **why);

void broker_stop(struct broker *b);

#endif
