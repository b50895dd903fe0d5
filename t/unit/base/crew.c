/* SPDX-License-Identifier: ISC */
#include "base/crew.h"

#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

#include "../../t.h"

enum { PIECES = 20000 };

struct work {
	unsigned char done[PIECES];
	size_t by[CREW_HANDS];
	size_t most;		/* of one hand */
	bool signals;		/* the second hand takes some */
};

static bool
piece(void *arg, unsigned hand, size_t i)
{
	struct work *w = arg;
	sigset_t s;

	if (hand == 1 && w->by[1] == 0) {
		pthread_sigmask(SIG_SETMASK, NULL, &s);
		w->signals = !sigismember(&s, SIGTERM);
	}
	w->done[i]++;
	return ++w->by[hand] < w->most;
}

/* Whether pieces 0 to n - 1 were done once, and no others. */
static bool
once(const struct work *w, size_t n)
{
	for (size_t i = 0; i < PIECES; i++)
		if (w->done[i] != (i < n))
			return false;
	return true;
}

static struct work w;
static struct crew c;

/* Each hand waits in its first piece for the other. */
struct meeting {
	sem_t other_came[CREW_HANDS];
	bool met[CREW_HANDS];
};

static bool
meet(void *arg, unsigned hand, size_t i)
{
	struct meeting *m = arg;
	struct timespec until;

	(void)i;
	if (m->met[hand])
		return true;
	sem_post(&m->other_came[!hand]);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	m->met[hand] = sem_timedwait(&m->other_came[hand], &until) == 0;
	return m->met[hand];
}

static void
together(void)
{
	struct meeting m = { .met = { false } };
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) == 0 &&
	    CPU_COUNT(&set) < 2) {
		ok(true, "there are two hands # SKIP there is one processor");
		return;
	}
	for (unsigned h = 0; h < CREW_HANDS; h++)
		sem_init(&m.other_came[h], 0, 0);
	crew_start(&c, meet, &m, PIECES);
	crew_finish(&c);
	ok(m.met[0] && m.met[1], "there are two hands");
	for (unsigned h = 0; h < CREW_HANDS; h++)
		sem_destroy(&m.other_came[h]);
}

static size_t
all(size_t n, size_t most)
{
	memset(&w, 0, sizeof w);
	w.most = most;
	crew_start(&c, piece, &w, n);
	return crew_finish(&c);
}

int
main(void)
{
	cpu_set_t before, one;
	size_t n;

	crew_init(&c);
	ok(all(PIECES, PIECES) == PIECES && once(&w, PIECES),
	    "each piece is done once");
	ok(!w.signals, "the second thread takes no signals");
	together();
	n = all(PIECES, 100);
	ok(n >= 100 && n <= 200 && once(&w, n),
	    "what hands that stop early leave is told");
	ok(all(3, PIECES) == 3 && once(&w, 3) && w.by[1] == 0,
	    "for a few pieces there is no second thread");
	ok(all(0, PIECES) == 0 && once(&w, 0), "no work is done at once");

	memset(&w, 0, sizeof w);
	w.most = PIECES;
	crew_start(&c, piece, &w, PIECES);
	crew_stop(&c);
	crew_free(&c);
	n = w.by[0] + w.by[1];
	ok(w.by[0] == 0 && once(&w, n), "what is given up stops");

	sched_getaffinity(0, sizeof before, &before);
	CPU_ZERO(&one);
	for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &one);
	sched_setaffinity(0, sizeof one, &one);
	crew_init(&c);
	ok(all(PIECES, PIECES) == PIECES && once(&w, PIECES) && w.by[1] == 0,
	    "on one processor the caller does all of it");
	crew_free(&c);
	return done();
}
