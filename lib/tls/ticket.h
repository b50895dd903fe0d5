/* SPDX-License-Identifier: ISC */
#ifndef TLS_TICKET_H
#define TLS_TICKET_H

#include <openssl/ssl.h>

/*
 * TLS session tickets that any process of the same host understands.
 *
 * The file has one or two lines of 160 hexadecimal digits each, 80 octets:
 * 16 of key name, 32 of AES-256-CBC key, 32 of HMAC-SHA-256 key.  The first
 * line makes new tickets; those of the second are still understood, and are
 * renewed.  To rotate (once a day, say; a ticket lives as long as its key):
 *
 *     { openssl rand -hex 80; head -n 1 tickets; } > tickets.new &&
 *         mv tickets.new tickets
 */
enum { TICKET_KEYS = 2 };

struct ticket_key {
	unsigned char name[16], aes[32], hmac[32];
};

struct tickets {
	unsigned n;
	struct ticket_key key[TICKET_KEYS];
};

/* 0; -1 with errno if the file cannot be read, EINVAL if it is no such
 * file. */
int tickets_load(struct tickets *t, const char *path);

/* Make contexts use them; t must live as long as ctx. */
void tickets_use(struct tickets *t, SSL_CTX *ctx);

/* Wipe the keys. */
void tickets_free(struct tickets *t);

#endif
