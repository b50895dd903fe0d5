/* SPDX-License-Identifier: ISC */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include "net/tls.h"

/* What is agreed upon first, and what else is; of TLS 1.3 and 1.2.  SHA-256
 * and AES-128 are in the processor, and a handshake hashes more than it
 * enciphers. */
#define CIPHERSUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
	"TLS_CHACHA20_POLY1305_SHA256"
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AESGCM:" \
	"!aNULL:!SHA1"

/* net/tls.h over OpenSSL: session_accept is its tls_accept, and so on, with
 * the same contracts.  Called through tls/object.c. */
struct tls *session_server_new(const struct tls_server *cfg,
    const char **why);
int session_accept(struct tls *t, struct in *in, struct out *out,
    const char **why);
int session_connect(struct tls **t, struct in *in, struct out *out,
    const char *host, const char *cafile, bool verify, const char **why);
bool session_binding(const struct tls *t, const char **type,
    struct buf *data);
bool session_peer_name(const struct tls *t, struct buf *name);
const char *session_version(const struct tls *t);
const char *session_cipher(const struct tls *t);
bool session_resumed(const struct tls *t);
void session_free(struct tls *t);

#endif
