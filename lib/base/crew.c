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

void
crew_init(struct crew *c)
{
	*c = (struct crew){ 0 };
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->change, NULL);
}

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
	struct crew *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!c->over) {
		if (!c->offered) {
			pthread_cond_wait(&c->change, &c->lock);
			continue;
		}
		c->offered = false;
		c->busy = true;
		pthread_mutex_unlock(&c->lock);
		take(c, 1);
		pthread_mutex_lock(&c->lock);
		c->busy = false;
		pthread_cond_signal(&c->change);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static bool
has_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 &&
	    CPU_COUNT(&set) > 1;
}

static void
get_thread(struct crew *c)
{
	pthread_attr_t a;
	sigset_t all, before;

	if (!has_processors() || pthread_attr_init(&a) != 0)
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

void
crew_start(struct crew *c, crew_fn *fn, void *arg, size_t n)
{
	c->fn = fn;
	c->arg = arg;
	c->n = n;
	c->next = 0;
	if (n < WORTH)
		return;
	if (!c->started)
		get_thread(c);
	if (!c->started)
		return;
	pthread_mutex_lock(&c->lock);
	c->offered = true;
	pthread_cond_signal(&c->change);
	pthread_mutex_unlock(&c->lock);
}

/* The second hand begins no more, and has done what it began. */
static void
wait_for(struct crew *c)
{
	if (!c->started)
		return;
	pthread_mutex_lock(&c->lock);
	c->offered = false;
	while (c->busy)
		pthread_cond_wait(&c->change, &c->lock);
	pthread_mutex_unlock(&c->lock);
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

void
crew_free(struct crew *c)
{
	if (c->started) {
		pthread_mutex_lock(&c->lock);
		c->over = true;
		pthread_cond_signal(&c->change);
		pthread_mutex_unlock(&c->lock);
		pthread_join(c->thread, NULL);
	}
	pthread_cond_destroy(&c->change);
	pthread_mutex_destroy(&c->lock);
}
