/* SPDX-License-Identifier: ISC */
/*
 * That a stranger costs what a friend costs: the rounds of PBKDF2 that a login
 * takes, counted between auth/password.c and auth/hmac.c (the Makefile's
 * --wrap), where a clock would tell something else on each machine.
 *
 * work.t time N: what the clock tells all the same, of N logins each of a
 * friend and a stranger in turns, with one round, so that all else is seen.
 */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "auth/hmac.h"
#include "auth/password.h"
#include "house.h"

void __real_hmac_stretch(enum hash h, struct span password, struct span salt,
    unsigned rounds, unsigned char *out);
void __wrap_hmac_stretch(enum hash h, struct span password, struct span salt,
    unsigned rounds, unsigned char *out);

static struct {
	unsigned calls, rounds, salt;
	enum hash hash;
} work;

void
__wrap_hmac_stretch(enum hash h, struct span password, struct span salt,
    unsigned rounds, unsigned char *out)
{
	work.calls++;
	work.rounds += rounds;
	work.salt = (unsigned)salt.n;
	work.hash = h;
	__real_hmac_stretch(h, password, salt, rounds, out);
}

static void
costs(const char *login, const char *password, enum auth want,
    unsigned rounds)
{
	struct account a;

	memset(&work, 0, sizeof work);
	ok(auth_password(&house, span_str(login), span_str(password), "submit",
	    &a) == want && work.calls == 1 && work.rounds == rounds &&
	    work.salt == SCRAM_SALT && work.hash == HASH_SHA256, login);
	if (want == AUTH_OK)
		account_free(&a);
}

struct sample {
	double n, mean, m2;
};

static void
add(struct sample *s, double x)
{
	double d = x - s->mean;

	s->mean += d / ++s->n;
	s->m2 += d * (x - s->mean);
}

static double
once(const char *login)
{
	struct timespec a, b;
	struct account account;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	auth_password(&house, span_str(login), SPAN("wrong"), "imap",
	    &account);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e6 +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e3;
}

/* Welch's t, of those that no interrupt made longer. */
static int
clocked(long n)
{
	struct sample s[2] = { 0 };
	double most = 0;

	house_rounds = 1;
	house_remove("users/.unknown/verifier");
	house_password(".unknown", "-", "", "", "nobody knows it", 3);
	house_user("carol", NULL);
	house_password("carol", "-", "", "", "carol's", 3);
	for (int i = 0; i < 200; i++)
		most += once(i % 2 ? "carol" : "karol") / 200;
	for (long i = 0; i < 2 * n; i++) {
		double us = once(i % 2 ? "carol" : "karol");

		if (us < 3 * most)
			add(&s[i % 2], us);
	}
	double t = (s[0].mean - s[1].mean) / sqrt(s[0].m2 / (s[0].n - 1) /
	    s[0].n + s[1].m2 / (s[1].n - 1) / s[1].n);

	printf("a stranger %.2f us, a friend %.2f us, one round each: t = "
	    "%.1f of %ld\n", s[0].mean, s[1].mean, t, n);
	return 0;
}

int
main(int argc, char **argv)
{
	static const char *const strangers[] = { "nobody", "alice+none",
		"nobody+phone", "alice@elsewhere.example", "..", "a/b", "\n",
		".unknown", "alice+", "+alice", "@", "@example.org" };

	house_make();
	if (argc == 3)
		return clocked(strtol(argv[2], NULL, 10));
	costs("alice", "Secret of alice", AUTH_OK, SCRAM_ROUNDS);
	costs("alice@example.org", "wrong", AUTH_BAD, SCRAM_ROUNDS);
	costs("bob", "p\303\251rdu", AUTH_OK, SCRAM_ROUNDS);
	/* Of the wrong scope, and too late. */
	costs("alice+phone", "phone secret", AUTH_BAD, SCRAM_ROUNDS);
	costs("alice+old", "old secret", AUTH_BAD, SCRAM_ROUNDS);
	for (size_t i = 0; i < COUNT(strangers); i++)
		costs(strangers[i], "wrong", AUTH_BAD, SCRAM_ROUNDS);

	/* Rounds of one's own, for all. */
	house_remove("users/.unknown/verifier");
	house_rounds = 10;
	house_password(".unknown", "-", "", "", "nobody knows it", 3);
	costs("nobody", "wrong", AUTH_BAD, 10);
	house_user("carol", NULL);
	house_password("carol", "-", "", "", "carol's", 3);
	costs("carol", "carol's", AUTH_OK, 10);
	return done();
}
