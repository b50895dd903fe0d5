/* SPDX-License-Identifier: ISC */
/*
 * A mail client for the benchmarks, fast enough that it is the server that
 * is measured.  Every function ends the program with a line on stderr where
 * the server does not do as it should.  Ports are on 127.0.0.1.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

enum security { PLAIN, STARTTLS, TLS, RESUMED };

struct client {
	int fd;
	void *tls;			/* SSL, or NULL */
	char *buf;
	size_t from, to;
	char line[64 * 1024];
	unsigned long long octets;	/* heard; may be set to 0 */
};

/* plain, starttls, tls or resumed (TLS with a ticket of the session
 * before). */
enum security security_parse(const char *name);

__attribute__((noreturn)) void fail(const char *what);

/* Seconds, from whenever. */
double now(void);

/* Connect, and shake hands if it is TLS or RESUMED; nothing is read. */
struct client *client_dial(const char *port, enum security s);
/* Shake hands on a connection in the clear. */
void client_shake(struct client *c, enum security s);
void client_free(struct client *c);

/* Wait until the server has closed the connection, then free. */
void client_outlast(struct client *c);

void client_say(struct client *c, const char *p, size_t n);
/* At most 4 KiB. */
__attribute__((format(printf, 2, 3)))
void client_sayf(struct client *c, const char *fmt, ...);

/* The next line, without its end; a longer one than fits is cut. */
const char *client_hear(struct client *c);

/* Whether there is something to hear within ms, on a plain connection. */
bool client_ready(struct client *c, int ms);

/* IMAP: read to the line that begins with tag; it must say OK. */
void client_await(struct client *c, const char *tag);
/* IMAP: say "tag command", and await tag. */
__attribute__((format(printf, 3, 4)))
void client_ask(struct client *c, const char *tag, const char *fmt, ...);
/* IMAP: dial, and all there is to do up to a login; *hello and *login are set
 * to the seconds up to the greeting (with STARTTLS, to the end of its
 * handshake) and of LOGIN, where they are not NULL. */
struct client *client_login(const char *port, const char *user,
    const char *pass, enum security s, double *hello, double *login);

/* LMTP: read a reply; it must begin with code. */
void client_reply(struct client *c, const char *code);
/* LMTP: dial, and LHLO. */
struct client *client_lmtp(const char *port);
/* LMTP and submission: one message in one transaction; m ends in a line of a
 * dot. */
void client_deliver(struct client *c, const char *sender, const char *rcpt,
    const char *m, size_t n);
/* Submission: dial, EHLO and AUTH PLAIN, in the clear. */
struct client *client_submission(const char *port, const char *user,
    const char *pass);

/* Listen anywhere, and print the port; take the next connection. */
int client_listen(void);
struct client *client_accept(int fd);

#endif
