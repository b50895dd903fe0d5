/* SPDX-License-Identifier: ISC */
/*
 * The loads of the benchmarks.  Prints lines of numbers.
 *
 *   load conn   PORT USER PASS MAILBOX N PAR SECURITY
 *        N times connect, LOGIN, SELECT, LOGOUT, by PAR clients at once:
 *        sessions a second, then the medians in microseconds of: all up to
 *        the greeting or the end of STARTTLS, login, select, logout
 *   load imap   PORT USER PASS SECURITY COMMAND...
 *        each COMMAND in one session: for each a line of seconds and octets
 *   load append PORT USER PASS MAILBOX N PAR SIZE
 *        N messages of SIZE octets over PAR connections: messages a second
 *   load fill   PORT USER PASS MAILBOX
 *        MULTIAPPEND of what comes on stdin: a line of the number of octets,
 *        a blank and flags, then the octets, and so on
 *   load hold   PORT USER PASS MAILBOX N SECURITY
 *        N sessions in IDLE: prints "ready", and holds them until stdin ends
 *   load lmtp   PORT RCPT N PAR SIZE
 *        the same as append by LMTP, each message in its own transaction
 *   load submit PORT USER PASS RCPT N PAR SIZE EACH
 *        the same to a submission server, from USER@localhost after AUTH
 *        PLAIN; with EACH new, on a connection for each message
 *   load sink
 *        a relay that takes all mail and has no disk: prints its port, and
 *        goes on until it is ended
 *   load idle   PORT USER PASS LMTPPORT RCPT N
 *        N deliveries while another session is in IDLE: microseconds from
 *        LMTP's 250 to the EXISTS, median, 99th percentile
 *   load greet  PORT N PAR
 *        N times connect and read to the end: connections a second, and the
 *        median in microseconds
 *
 * SECURITY is plain, starttls, tls or resumed.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

enum {
	TOGETHER = 500,		/* messages in one MULTIAPPEND */
	MISSED_MS = 2000	/* an EXISTS that late does not come */
};

static size_t
number(const char *s)
{
	return strtoul(s, NULL, 10);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Prints microseconds, of the value that so many percent are below. */
static void
print_us(double *v, size_t n, size_t percent)
{
	qsort(v, n, sizeof *v, by_value);
	printf(" %.0f", n == 0 ? 0 : v[n * percent / 100] * 1e6);
}

/* Numbers that child processes write for their parent. */
static double *
board(size_t n)
{
	void *p = mmap(NULL, n * sizeof(double), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("memory");
	return p;
}

struct job {
	char **v;		/* what was given after the mode */
	size_t n;		/* how often in all */
	double *t;		/* a board */
};

/* Have par processes do the work of a job, each its share: i, i + par, ... */
static double
share(struct job *j, size_t par, void (*work)(struct job *, size_t, size_t))
{
	double start = now();
	int status;

	for (size_t k = 0; k < par; k++)
		if (fork() == 0) {
			work(j, k, par);
			_exit(0);
		}
	for (size_t k = 0; k < par; k++)
		if (wait(&status) < 0 || status != 0)
			exit(1);
	return (double)j->n / (now() - start);
}

static void
conn_work(struct job *j, size_t from, size_t step)
{
	enum security s = security_parse(j->v[6]);

	for (size_t i = from; i < j->n; i += step) {
		double *t = j->t + i;
		struct client *c = client_login(j->v[0], j->v[1], j->v[2], s,
		    t, t + j->n);
		double a = now();

		client_ask(c, "s", "SELECT %s", j->v[3]);
		t[2 * j->n] = now() - a;
		a = now();
		client_ask(c, "o", "LOGOUT");
		client_free(c);
		t[3 * j->n] = now() - a;
	}
}

static void
run_conn(char **v)
{
	size_t n = number(v[4]);
	struct job j = { v, n, board(n * 4) };

	printf("%.1f", share(&j, number(v[5]), conn_work));
	for (size_t i = 0; i < 4; i++)
		print_us(j.t + i * n, n, 50);
	putchar('\n');
}

static void
greet_work(struct job *j, size_t from, size_t step)
{
	for (size_t i = from; i < j->n; i += step) {
		double a = now();

		client_outlast(client_dial(j->v[0], PLAIN));
		j->t[i] = now() - a;
	}
}

static void
run_greet(char **v)
{
	size_t n = number(v[1]);
	struct job j = { v, n, board(n) };

	printf("%.1f", share(&j, number(v[2]), greet_work));
	print_us(j.t, n, 50);
	putchar('\n');
}

static void
run_imap(char **v, int n)
{
	struct client *c = client_login(v[0], v[1], v[2],
	    security_parse(v[3]), NULL, NULL);

	for (int i = 4; i < n; i++) {
		double start = now();

		c->octets = 0;
		client_ask(c, "x", "%s", v[i]);
		printf("%.6f %llu\n", now() - start, c->octets);
	}
	client_ask(c, "o", "LOGOUT");
	client_outlast(c);
}

static const char head[] =
    "Message-ID: <000000000.000000000.load@localhost>\r\n"
    "From: Load <load@localhost>\r\nTo: Reader <reader@localhost>\r\n"
    "Subject: A load of mail\r\nDate: Sun, 1 Nov 2026 12:00:00 +0000\r\n\r\n";

/* A message of about that size, and a line of a dot after it. */
static char *
letter(size_t size, size_t *n)
{
	static const char row[] =
	    "All work and no play makes a benchmark a dull boy to look at.\r\n";
	char *m = malloc(size + sizeof head + sizeof row + 5);

	if (m == NULL)
		fail("memory");
	memcpy(m, head, *n = sizeof head - 1);
	while (*n < size) {
		memcpy(m + *n, row, sizeof row - 1);
		*n += sizeof row - 1;
	}
	memcpy(m + *n, ".\r\n", 3);
	*n += 3;
	return m;
}

/* Some servers look whose name is on it. */
static void
own_letter(char *m, const char *sender)
{
	char *from = strstr(m, "From: ");
	size_t room = strcspn(from, "\r");

	memset(from, ' ', room);
	memcpy(from, "From: ", 6);
	memcpy(from + 6, sender, strnlen(sender, room - 6));
}

/* Make it the i-th message, another one than all before: some servers drop
 * what they think that they have. */
static void
stamp(char *m, size_t i)
{
	char id[32];

	snprintf(id, sizeof id, "%09u.%09u",
	    (unsigned)getpid() % 1000000000, (unsigned)i % 1000000000);
	memcpy(m + strcspn(head, "0"), id, 19);
}

static void
append_work(struct job *j, size_t from, size_t step)
{
	size_t n;
	char *m = letter(number(j->v[6]), &n);
	struct client *c = client_login(j->v[0], j->v[1], j->v[2], PLAIN,
	    NULL, NULL);

	/* In place of the line of a dot comes the end of the command. */
	n -= 3;
	memcpy(m + n, "\r\n", 2);
	for (size_t i = from; i < j->n; i += step) {
		stamp(m, i);
		client_sayf(c, "a APPEND %s {%zu}\r\n", j->v[3], n);
		if (client_hear(c)[0] != '+')
			fail("APPEND");
		client_say(c, m, n + 2);
		client_await(c, "a");
	}
}

static void
run_append(char **v)
{
	struct job j = { v, number(v[4]), NULL };

	printf("%.1f\n", share(&j, number(v[5]), append_work));
}

static void
run_fill(char **v)
{
	struct client *c = client_login(v[0], v[1], v[2], PLAIN, NULL, NULL);
	char line[256];
	size_t count = 0;

	while (fgets(line, sizeof line, stdin) != NULL) {
		size_t n = number(line), blank = strcspn(line, " ");
		char *m = malloc(n + 1);

		line[strcspn(line, "\n")] = '\0';
		if (m == NULL || fread(m, 1, n, stdin) != n)
			fail("what is to be appended");
		if (count++ % TOGETHER == 0)
			client_sayf(c, "f APPEND %s", v[3]);
		client_sayf(c, "%s {%zu+}\r\n", line + blank, n);
		client_say(c, m, n);
		if (count % TOGETHER == 0) {
			client_say(c, "\r\n", 2);
			client_await(c, "f");
		}
		free(m);
	}
	if (count % TOGETHER != 0) {
		client_say(c, "\r\n", 2);
		client_await(c, "f");
	}
}

static void
run_hold(char **v)
{
	enum security s = security_parse(v[5]);

	for (size_t i = number(v[4]); i > 0; i--) {
		struct client *c = client_login(v[0], v[1], v[2], s, NULL,
		    NULL);

		client_ask(c, "s", "SELECT %s", v[3]);
		client_sayf(c, "i IDLE\r\n");
		while (client_hear(c)[0] != '+')
			;
	}
	puts("ready");
	fflush(stdout);
	getchar();
}

static void
lmtp_work(struct job *j, size_t from, size_t step)
{
	size_t size;
	char *m = letter(number(j->v[4]), &size);
	struct client *c = client_lmtp(j->v[0]);

	for (size_t i = from; i < j->n; i += step) {
		stamp(m, i);
		client_deliver(c, "load@localhost", j->v[1], m, size);
	}
}

static void
run_lmtp(char **v)
{
	struct job j = { v, number(v[2]), NULL };

	printf("%.1f\n", share(&j, number(v[3]), lmtp_work));
}

static void
submit_work(struct job *j, size_t from, size_t step)
{
	bool each = strcmp(j->v[7], "new") == 0;
	struct client *c = NULL;
	char sender[64];
	size_t size;
	char *m = letter(number(j->v[6]), &size);

	snprintf(sender, sizeof sender, "%s@localhost", j->v[1]);
	own_letter(m, sender);
	for (size_t i = from; i < j->n; i += step) {
		if (c == NULL)
			c = client_submission(j->v[0], j->v[1], j->v[2]);
		stamp(m, i);
		client_deliver(c, sender, j->v[3], m, size);
		if (!each)
			continue;
		client_sayf(c, "QUIT\r\n");
		client_outlast(c);
		c = NULL;
	}
}

static void
run_submit(char **v)
{
	struct job j = { v, number(v[4]), NULL };

	printf("%.1f\n", share(&j, number(v[5]), submit_work));
}

/* Up to a line of a dot; to the next command otherwise. */
static void
sink_session(struct client *c)
{
	bool data = false;

	client_sayf(c, "220 sink\r\n");
	for (;;) {
		const char *l = client_hear(c);

		if (data && strcmp(l, ".") != 0)
			continue;
		if (strcmp(l, "QUIT") == 0)
			_exit(0);
		if (strncmp(l, "EHLO", 4) == 0)
			client_sayf(c, "250-sink\r\n250-PIPELINING\r\n"
			    "250-8BITMIME\r\n250 SIZE\r\n");
		else if (!data && strcmp(l, "DATA") == 0)
			client_sayf(c, "354 go on\r\n");
		else
			client_sayf(c, "250 fine\r\n");
		data = strcmp(l, "DATA") == 0;
	}
}

static void
run_sink(void)
{
	int fd = client_listen();

	for (;;) {
		struct client *c = client_accept(fd);

		if (fork() == 0) {
			close(fd);
			sink_session(c);
		}
		client_free(c);
	}
}

static void
hear_exists(const char *line, size_t *seen)
{
	if (strstr(line, " EXISTS") != NULL)
		*seen = number(line + 2);
}

static void
run_idle(char **v)
{
	size_t n = number(v[5]), size;
	char *m = letter(4096, &size);
	struct client *c = client_login(v[0], v[1], v[2], PLAIN, NULL, NULL);
	struct client *l = client_lmtp(v[3]);
	double *t = board(n);
	size_t seen = 0, exists;

	client_sayf(c, "i SELECT INBOX\r\ni IDLE\r\n");
	while (client_hear(c)[0] != '+')
		hear_exists(c->line, &seen);
	exists = seen;
	for (size_t i = 0; i < n; i++) {
		stamp(m, i);
		client_deliver(l, "load@localhost", v[4], m, size);
		double start = now();

		/* A server that misses one tells of two the next time. */
		for (exists++; seen < exists && client_ready(c, MISSED_MS);)
			hear_exists(client_hear(c), &seen);
		t[i] = now() - start;
	}
	print_us(t, n, 50);
	print_us(t, n, 99);
	putchar('\n');
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	char **v = argv + 2;
	int n = argc - 2;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(mode, "conn") == 0 && n == 7)
		run_conn(v);
	else if (strcmp(mode, "imap") == 0 && n >= 5)
		run_imap(v, n);
	else if (strcmp(mode, "append") == 0 && n == 7)
		run_append(v);
	else if (strcmp(mode, "fill") == 0 && n == 4)
		run_fill(v);
	else if (strcmp(mode, "hold") == 0 && n == 6)
		run_hold(v);
	else if (strcmp(mode, "lmtp") == 0 && n == 5)
		run_lmtp(v);
	else if (strcmp(mode, "submit") == 0 && n == 8)
		run_submit(v);
	else if (strcmp(mode, "sink") == 0 && n == 0)
		run_sink();
	else if (strcmp(mode, "idle") == 0 && n == 6)
		run_idle(v);
	else if (strcmp(mode, "greet") == 0 && n == 3)
		run_greet(v);
	else {
		fprintf(stderr, "usage: see bench/load.c\n");
		return 64;
	}
	return 0;
}
