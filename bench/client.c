/* SPDX-License-Identifier: ISC */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024 };

static SSL_CTX *tls_ctx;
static SSL_SESSION *ticket;

enum security
security_parse(const char *name)
{
	static const char *const names[] = { "plain", "starttls", "tls",
	    "resumed" };

	for (int s = PLAIN; s <= RESUMED; s++)
		if (strcmp(name, names[s]) == 0)
			return s;
	errno = EINVAL;
	fail(name);
}

void
fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
keep_ticket(SSL *tls, SSL_SESSION *s)
{
	(void)tls;
	SSL_SESSION_free(ticket);
	ticket = s;
	return 1;
}

void
client_shake(struct client *c, enum security s)
{
	if (tls_ctx == NULL) {
		tls_ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_session_cache_mode(tls_ctx,
		    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(tls_ctx, keep_ticket);
	}
	c->tls = SSL_new(tls_ctx);
	SSL_set_fd(c->tls, c->fd);
	if (s == RESUMED && ticket != NULL)
		SSL_set_session(c->tls, ticket);
	if (SSL_connect(c->tls) != 1)
		fail("TLS");
}

static struct client *
client_new(int fd)
{
	struct client *c = malloc(sizeof *c);
	int one = 1;

	if (c == NULL || (c->buf = malloc(BUFFER)) == NULL)
		fail("memory");
	c->from = c->to = 0;
	c->octets = 0;
	c->tls = NULL;
	c->fd = fd;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return c;
}

int
client_listen(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    listen(fd, 128) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		fail("listen");
	signal(SIGCHLD, SIG_IGN);
	printf("%u\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

struct client *
client_accept(int fd)
{
	int got = accept(fd, NULL, NULL);

	if (got == -1)
		fail("accept");
	return client_new(got);
}

struct client *
client_dial(const char *port, enum security s)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct client *c = client_new(socket(AF_INET, SOCK_STREAM, 0));

	a.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(c->fd, (struct sockaddr *)&a, sizeof a) < 0)
		fail("connect");
	if (s == TLS || s == RESUMED)
		client_shake(c, s);
	return c;
}

void
client_free(struct client *c)
{
	SSL_free(c->tls);
	close(c->fd);
	free(c->buf);
	free(c);
}

static ssize_t
take(struct client *c, char *to, size_t n)
{
	return c->tls != NULL ? SSL_read(c->tls, to, (int)n) :
	    read(c->fd, to, n);
}

void
client_outlast(struct client *c)
{
	while (take(c, c->buf, BUFFER) > 0)
		;
	client_free(c);
}

void
client_say(struct client *c, const char *p, size_t n)
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

static void
say(struct client *c, const char *fmt, va_list ap)
{
	char t[4096];
	int n = vsnprintf(t, sizeof t, fmt, ap);

	if (n < 0 || n >= (int)sizeof t)
		fail("a command that long");
	client_say(c, t, (size_t)n);
}

void
client_sayf(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, fmt, ap);
	va_end(ap);
}

static void
more(struct client *c)
{
	if (c->from > 0) {
		memmove(c->buf, c->buf + c->from, c->to - c->from);
		c->to -= c->from;
		c->from = 0;
	}
	ssize_t n = take(c, c->buf + c->to, BUFFER - c->to);

	if (n <= 0)
		fail("the server hung up");
	c->to += (size_t)n;
	c->octets += (size_t)n;
}

const char *
client_hear(struct client *c)
{
	size_t n = 0;

	for (;;) {
		char *p = c->buf + c->from;
		char *lf = memchr(p, '\n', c->to - c->from);
		size_t k = lf != NULL ? (size_t)(lf - p) + 1 :
		    c->to - c->from;
		size_t some = k < sizeof c->line - 1 - n ? k :
		    sizeof c->line - 1 - n;

		memcpy(c->line + n, p, some);
		n += some;
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

bool
client_ready(struct client *c, int ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return c->from < c->to || poll(&p, 1, ms) > 0;
}

/* Skip n octets, as of a literal. */
static void
skip(struct client *c, unsigned long long n)
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

void
client_await(struct client *c, const char *tag)
{
	size_t n = strlen(tag);

	for (;;) {
		const char *line = client_hear(c);
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

void
client_ask(struct client *c, const char *tag, const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof line)
		fail("a command that long");
	client_sayf(c, "%s %s\r\n", tag, line);
	client_await(c, tag);
}

struct client *
client_login(const char *port, const char *user, const char *pass,
    enum security s, double *hello, double *login)
{
	double start = now();
	struct client *c = client_dial(port, s);

	client_hear(c);
	if (s == STARTTLS) {
		client_ask(c, "t", "STARTTLS");
		client_shake(c, s);
	}
	if (hello != NULL)
		*hello = now() - start;
	start = now();
	client_ask(c, "l", "LOGIN %s %s", user, pass);
	if (login != NULL)
		*login = now() - start;
	return c;
}

void
client_reply(struct client *c, const char *code)
{
	const char *line;

	do
		line = client_hear(c);
	while (line[0] != '\0' && line[3] == '-');
	if (strncmp(line, code, strlen(code)) != 0) {
		fprintf(stderr, "load: %s\n", line);
		exit(1);
	}
}

struct client *
client_lmtp(const char *port)
{
	struct client *c = client_dial(port, PLAIN);

	client_reply(c, "220");
	client_sayf(c, "LHLO load\r\n");
	client_reply(c, "250");
	return c;
}

struct client *
client_submission(const char *port, const char *user, const char *pass)
{
	struct client *c = client_dial(port, PLAIN);
	unsigned char plain[128], code[200];
	int n = snprintf((char *)plain, sizeof plain, "%c%s%c%s", 0, user, 0,
	    pass);

	client_reply(c, "220");
	client_sayf(c, "EHLO load\r\n");
	client_reply(c, "250");
	EVP_EncodeBlock(code, plain, n);
	client_sayf(c, "AUTH PLAIN %s\r\n", code);
	client_reply(c, "235");
	return c;
}

void
client_deliver(struct client *c, const char *sender, const char *rcpt,
    const char *m, size_t n)
{
	client_sayf(c, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", sender,
	    rcpt);
	client_reply(c, "250");
	client_reply(c, "250");
	client_reply(c, "354");
	client_say(c, m, n);
	client_reply(c, "250");
}
