/* SPDX-License-Identifier: ISC */
#ifndef BASE_CREW_H
#define BASE_CREW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Two pairs of hands for work that falls into pieces: crew_start lets a
 * second thread begin with them while the caller does something else, and
 * crew_finish takes a share of what is left.  Where there is one processor,
 * or a thread cannot be had, crew_finish does all of it; nobody waits for a
 * thread that has not come to begin.
 *
 * The thread takes no signals, and ends with crew_free: whoever waits for a
 * client should have none.  Work touches only what is its piece's or its
 * hand's.
 */
enum { CREW_HANDS = 2 };

/* Do piece i; hand (0, the caller's, or 1) is whose turn it is, so that each
 * has memory of its own.  False: this hand takes no more. */
typedef bool crew_fn(void *arg, unsigned hand, size_t i);

struct crew {
	crew_fn *fn;
	void *arg;
	size_t n;
	size_t next;		/* the first that nobody took */
	pthread_t thread;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t change;
	bool started;		/* there is a thread */
	bool offered;		/* there is work that it may begin */
	bool busy;		/* it works */
	bool over;
};

void crew_init(struct crew *c);
void crew_free(struct crew *c);	/* after crew_finish or crew_stop */

/* Begin with pieces 0 to n - 1.  crew_finish or crew_stop must follow before
 * the next. */
void crew_start(struct crew *c, crew_fn *fn, void *arg, size_t n);

/* How many pieces are done: 0 up to that, all unless a hand stopped early. */
size_t crew_finish(struct crew *c);

/* What nobody took is left. */
void crew_stop(struct crew *c);

#endif
