/* SPDX-License-Identifier: ISC */
#ifndef NET_PEER_H
#define NET_PEER_H

#include <stdbool.h>

/*
 * Who is at the other end, from the UCSPI environment: tcpserver (IPv4 and
 * IPv6), tcpsvd, s6-tcpserver, s6-ipcserver, unixserver, systemd, xinetd,
 * stunnel; without any of these from descriptor 0.  The strings belong to
 * the environment or to the struct, which therefore must not be copied, and
 * last as long as both.  An address that is not a numeric one is ignored.
 */
struct peer {
	const char *ip;		/* numeric, "::ffff:" stripped; NULL: local */
	const char *port;	/* NULL if unknown */
	const char *local_ip;	/* our end; NULL if unknown */
	bool network;		/* strangers may connect: an accepted socket,
				   or a UCSPI server says so.  A pipe or a
				   socketpair (ssh, a tunnel) is none. */
	bool unix_socket;	/* accepted on a UNIX socket */
	bool secure;		/* TLS was done outside: SSL_PROTOCOL is set */
	bool ucspi_tls;		/* STARTTLS is offered outside: SSLCTLFD */
	char store[3][48];	/* for strings that are not in the environment */
};

/* Fill *p; an absent environment makes a local peer, nothing fails. */
void peer_find(struct peer *p);

/* For the log: its address, or "local". */
const char *peer_shown(const struct peer *p);

#endif
