/* SPDX-License-Identifier: ISC */
#ifndef NET_UCSPI_TLS_H
#define NET_UCSPI_TLS_H

#include "net/stream.h"

/*
 * STARTTLS done by the program before us (UCSPI-TLS: sslserver,
 * s6-ucspitlsd and others), which peer.ucspi_tls announces.  Answer the
 * client first; this flushes it, asks on $SSLCTLFD, forgets what the client
 * sent too early and goes on over $SSLREADFD and $SSLWRITEFD, which take the
 * place of the stream's descriptors.
 *
 * Waits for the handshake, bounded by in->deadline, and puts what the
 * wrapper says about it (SSL_PROTOCOL, SSL_CIPHER, …) in the environment.
 * There is no channel binding.  0, or -1 with *why; the stream is then dead.
 */
int ucspi_tls_start(struct in *in, struct out *out, const char **why);

#endif
