/* SPDX-License-Identifier: ISC */
/*
 * The load of the benchmarks: a client fast enough that it is the server
 * that is measured.  Prints one line of numbers.
 *
 *   load conn  PORT USER PASS MAILBOX N PAR [tls]
 *        N times connect, LOGIN, SELECT, LOGOUT, by PAR clients at once:
 *        sessions a second, then the medians in microseconds of: greeting,
 *        login, select
 *   load imap  PORT USER PASS [tls] -- COMMAND…
 *        each COMMAND in one session: for each a line of seconds and octets
 *   load lmtp  PORT RCPT N PAR SIZE
 *        N messages of SIZE octets, each in its own transaction, over PAR
 *        connections: messages a second
 *   load idle  PORT USER PASS LMTPPORT RCPT N
 *        N deliveries while another session is in IDLE: microseconds from
 *        LMTP's 250 to the EXISTS, median and worst
 *
 * Ports are on 127.0.0.1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct conn {
	int fd;
	SSL *tls;
	char buf[256 * 1024];
	size_t from, to;
	char line[64 * 1024];
	unsigned long long octets;
};

static SSL_CTX *tls_ctx;

__attribute__((noreturn)) static void
fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct conn *
dial(const char *port, bool tls)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct conn *c = malloc(sizeof *c);
	int one = 1;

	if (c == NULL)
		fail("memory");
	c->from = c->to = 0;
	c->octets = 0;
	c->tls = NULL;
	a.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(c->fd, (struct sockaddr *)&a, sizeof a) < 0)
		fail("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (tls) {
		if (tls_ctx == NULL)
			tls_ctx = SSL_CTX_new(TLS_client_method());
		c->tls = SSL_new(tls_ctx);
		SSL_set_fd(c->tls, c->fd);
		if (SSL_connect(c->tls) != 1)
			fail("TLS");
	}
	return c;
}

static void
hang_up(struct conn *c)
{
	if (c->tls != NULL)
		SSL_free(c->tls);
	close(c->fd);
	free(c);
}

static void
say(struct conn *c, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = c->tls != NULL ? SSL_write(c->tls, p, (int)n) :
		    write(c->fd, p, n);

		if (w <= 0)
			fail("write");
		p += w;
		n -= (size_t)w;
	}
}

__attribute__((format(printf, 2, 3))) static void
sayf(struct conn *c, const char *fmt, ...)
{
	char t[4096];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof t)
		fail("a command that long");
	say(c, t, (size_t)n);
}

static void
more(struct conn *c)
{
	if (c->from > 0) {
		memmove(c->buf, c->buf + c->from, c->to - c->from);
		c->to -= c->from;
		c->from = 0;
	}
	size_t room = sizeof c->buf - c->to;
	ssize_t n = c->tls != NULL ? SSL_read(c->tls, c->buf + c->to,
	    (int)room) : read(c->fd, c->buf + c->to, room);

	if (n <= 0)
		fail("the server hung up");
	c->to += (size_t)n;
	c->octets += (size_t)n;
}

/* The next line, without its end; a longer one than fits is cut. */
static const char *
hear(struct conn *c)
{
	size_t n = 0;

	for (;;) {
		char *p = c->buf + c->from;
		char *lf = memchr(p, '\n', c->to - c->from);
		size_t k = lf != NULL ? (size_t)(lf - p) + 1 :
		    c->to - c->from;
		size_t take = k < sizeof c->line - 1 - n ? k :
		    sizeof c->line - 1 - n;

		memcpy(c->line + n, p, take);
		n += take;
		c->from += k;
		if (lf != NULL)
			break;
		more(c);
	}
	while (n > 0 && (c->line[n - 1] == '\n' || c->line[n - 1] == '\r'))
		n--;
	c->line[n] = '\0';
	return c->line;
}

/* Skip n octets, as of a literal. */
static void
skip(struct conn *c, unsigned long long n)
{
	while (n > 0) {
		size_t k = c->to - c->from;

		if (k > n)
			k = (size_t)n;
		c->from += k;
		n -= k;
		if (n > 0)
			more(c);
	}
}

/* Read to the line that begins with tag; it must say OK. */
static void
await(struct conn *c, const char *tag)
{
	size_t n = strlen(tag);

	for (;;) {
		const char *line = hear(c);
		const char *brace = strrchr(line, '{');

		if (strncmp(line, tag, n) == 0 && line[n] == ' ') {
			if (strncmp(line + n + 1, "OK", 2) != 0) {
				fprintf(stderr, "load: %s\n", line);
				exit(1);
			}
			return;
		}
		if (brace != NULL && line[strlen(line) - 1] == '}')
			skip(c, strtoull(brace + 1, NULL, 10));
	}
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof *v, by_value);
	return n == 0 ? 0 : v[n / 2];
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

static void
wait_all(size_t n)
{
	int status;

	for (size_t i = 0; i < n; i++)
		if (wait(&status) < 0 || status != 0)
			exit(1);
}

static void
login(struct conn *c, const char *user, const char *pass)
{
	sayf(c, "l LOGIN %s %s\r\n", user, pass);
	await(c, "l");
}

static void
run_conn(char **v, bool tls)
{
	size_t n = strtoul(v[4], NULL, 10), par = strtoul(v[5], NULL, 10);
	double *t = board(n * 3), start = now();

	for (size_t k = 0; k < par; k++) {
		if (fork() != 0)
			continue;
		for (size_t i = k; i < n; i += par) {
			double a = now();
			struct conn *c = dial(v[0], tls);

			hear(c);
			t[i] = now() - a;
			a = now();
			login(c, v[1], v[2]);
			t[n + i] = now() - a;
			a = now();
			sayf(c, "s SELECT %s\r\n", v[3]);
			await(c, "s");
			t[2 * n + i] = now() - a;
			sayf(c, "o LOGOUT\r\n");
			await(c, "o");
			hang_up(c);
		}
		_exit(0);
	}
	wait_all(par);
	printf("%.1f", (double)n / (now() - start));
	for (size_t i = 0; i < 3; i++)
		printf(" %.0f", median(t + i * n, n) * 1e6);
	putchar('\n');
}

static void
run_imap(char **v, int n, bool tls)
{
	struct conn *c = dial(v[0], tls);

	hear(c);
	login(c, v[1], v[2]);
	for (int i = 0; i < n; i++) {
		double start = now();

		c->octets = 0;
		sayf(c, "x %s\r\n", v[3 + tls + 1 + i]);
		await(c, "x");
		printf("%.6f %llu\n", now() - start, c->octets);
	}
}

static void
reply(struct conn *c, const char *code)
{
	const char *line;

	do
		line = hear(c);
	while (line[0] != '\0' && line[3] == '-');
	if (strncmp(line, code, strlen(code)) != 0) {
		fprintf(stderr, "load: %s\n", line);
		exit(1);
	}
}

static char *
letter(size_t size, size_t *n)
{
	static const char head[] = "From: Load <load@localhost>\r\n"
	    "To: Reader <reader@localhost>\r\nSubject: A load of mail\r\n"
	    "Date: Sun, 1 Nov 2026 12:00:00 +0000\r\n"
	    "Message-ID: <load@localhost>\r\n\r\n";
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

static struct conn *
lmtp(const char *port)
{
	struct conn *c = dial(port, false);

	reply(c, "220");
	sayf(c, "LHLO load\r\n");
	reply(c, "250");
	return c;
}

static void
deliver(struct conn *c, const char *rcpt, const char *m, size_t n)
{
	sayf(c, "MAIL FROM:<load@localhost>\r\nRCPT TO:<%s>\r\nDATA\r\n",
	    rcpt);
	reply(c, "250");
	reply(c, "250");
	reply(c, "354");
	say(c, m, n);
	reply(c, "250");
}

static void
run_lmtp(char **v)
{
	size_t n = strtoul(v[2], NULL, 10), par = strtoul(v[3], NULL, 10);
	size_t size;
	char *m = letter(strtoul(v[4], NULL, 10), &size);
	double start = now();

	for (size_t k = 0; k < par; k++) {
		if (fork() != 0)
			continue;
		struct conn *c = lmtp(v[0]);

		for (size_t i = k; i < n; i += par)
			deliver(c, v[1], m, size);
		_exit(0);
	}
	wait_all(par);
	printf("%.1f\n", (double)n / (now() - start));
}

static void
run_idle(char **v)
{
	size_t n = strtoul(v[5], NULL, 10), size;
	char *m = letter(4096, &size);
	struct conn *c = dial(v[0], false), *l = lmtp(v[3]);
	double *t = board(n);

	hear(c);
	login(c, v[1], v[2]);
	sayf(c, "s SELECT INBOX\r\n");
	await(c, "s");
	sayf(c, "i IDLE\r\n");
	while (hear(c)[0] != '+')
		;
	for (size_t i = 0; i < n; i++) {
		deliver(l, v[4], m, size);
		double start = now();

		while (strstr(hear(c), "EXISTS") == NULL)
			;
		t[i] = now() - start;
	}
	printf("%.0f ", median(t, n) * 1e6);
	printf("%.0f\n", t[n - 1] * 1e6);
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	char **v = argv + 2;
	int n = argc - 2;

	if (strcmp(mode, "conn") == 0 && n >= 6)
		run_conn(v, n > 6);
	else if (strcmp(mode, "imap") == 0 && n >= 5)
		run_imap(v, n - 4 - (strcmp(v[3], "tls") == 0),
		    strcmp(v[3], "tls") == 0);
	else if (strcmp(mode, "lmtp") == 0 && n == 5)
		run_lmtp(v);
	else if (strcmp(mode, "idle") == 0 && n == 6)
		run_idle(v);
	else {
		fprintf(stderr, "usage: load conn|imap|lmtp|idle ...\n");
		return 64;
	}
	return 0;
}
