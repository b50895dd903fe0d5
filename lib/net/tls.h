/* SPDX-License-Identifier: ISC */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "net/stream.h"

/*
 * TLS over a stream, through OpenSSL; TLS 1.2 and up, forward secrecy only,
 * no compression, no renegotiation, no early data.  After tls_accept or
 * tls_connect the stream's operations go through TLS.  A close_notify is the
 * end of file for ever: nothing that comes after it in plain text is read.
 * The pair stays where it is in memory until tls_free.
 * A connection that ends without one is STREAM_ERROR with ECONNRESET.
 *
 * OpenSSL is in a shared object of ours (lib/tls), opened by the first call
 * here: a session in plain text neither maps it nor pays for moving its
 * tables.  Its configuration file is not read.
 */
struct tls;

struct tls_server {
	const char *certfile;	/* PEM, chain and perhaps key */
	const char *keyfile;	/* PEM, or NULL: in certfile */
	const char *tickets;	/* ticket keys, or NULL; see ticket.h.  A file
				   that is not there counts as NULL. */
	const char *cafile;	/* NULL, or whose client certificates count */
	const char **wrong;	/* NULL, or where to say which of the files it
				   was that failed */
};

/* Open the object now: for whoever will need TLS, and is about to shut itself
 * in.  False, and *why, if it is not there. */
bool tls_ready(const char **why);

/* Load certificate and key (as the account that may read them) without
 * talking.  NULL and *why on failure; *why is a fixed sentence or from
 * OpenSSL and lasts until the next call. */
struct tls *tls_server_new(const struct tls_server *cfg, const char **why);

/* Do the handshake on that pair, whose buffers must be empty (else it is
 * refused); bounded by the deadline of in.  0, or -1 and *why; then the
 * stream is dead.  Only tls_free may be called afterwards. */
int tls_accept(struct tls *t, struct in *in, struct out *out,
    const char **why);

/*
 * The client's side.  host is checked against the certificate unless verify
 * is false; cafile NULL means the system's roots.  *t is NULL on failure.
 */
int tls_connect(struct tls **t, struct in *in, struct out *out,
    const char *host, const char *cafile, bool verify, const char **why);

/* The channel binding for SASL: tls-exporter on TLS 1.3, tls-unique on
 * TLS 1.2 with extended master secret (RFC 5929, RFC 9266).  Adds to *data.
 * False if there is none. */
bool tls_binding(const struct tls *t, const char **type, struct buf *data);

/* The subject's e-mail or common name of a verified client certificate, for
 * EXTERNAL (RFC 4422 appendix A).  Replaces *name.  False if there is
 * none. */
bool tls_peer_name(const struct tls *t, struct buf *name);

/* For log lines and Received: "TLSv1.3", "TLS_AES_256_GCM_SHA384", and
 * whether an earlier session was resumed. */
const char *tls_version(const struct tls *t);
const char *tls_cipher(const struct tls *t);
bool tls_resumed(const struct tls *t);

/* Send close_notify (without waiting) and release; NULL is fine.  The pair
 * must not be used afterwards but for stream_free. */
void tls_free(struct tls *t);

#endif
