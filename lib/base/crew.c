/* SPDX-License-Identifier: ISC */
#include "base/crew.h"

#include <malloc.h>
#include <sched.h>
#include <signal.h>

enum {
	STACK = 256 * 1024,
	WORTH = 16		/* fewer pieces are done sooner than a thread
				   is there */
};

static void
take(struct crew *c, unsigned hand)
{
	size_t i;

	while ((i = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED)) < c->n)
		if (!c->fn(c->arg, hand, i))
			return;
}

static void *
second(void *arg)
{
	take(arg, 1);
	return NULL;
}

static bool
has_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 &&
	    CPU_COUNT(&set) > 1;
}

void
crew_start(struct crew *c, crew_fn *fn, void *arg, size_t n)
{
	pthread_attr_t a;
	sigset_t all, before;

	*c = (struct crew){ .fn = fn, .arg = arg, .n = n };
	if (n < WORTH || !has_processors() || pthread_attr_init(&a) != 0)
		return;
	/* A heap for each thread would be a large map. */
	mallopt(M_ARENA_MAX, 1);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_setstacksize(&a, STACK);
	c->started = pthread_create(&c->thread, &a, second, c) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&a);
}

static void
wait_for(struct crew *c)
{
	if (c->started)
		pthread_join(c->thread, NULL);
	c->started = false;
}

size_t
crew_finish(struct crew *c)
{
	take(c, 0);
	wait_for(c);
	return c->next < c->n ? c->next : c->n;
}

void
crew_stop(struct crew *c)
{
	__atomic_store_n(&c->next, c->n, __ATOMIC_RELAXED);
	wait_for(c);
}
