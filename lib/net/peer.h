/* SPDX-License-Identifier: ISC */
#ifndef NET_PEER_H
#define NET_PEER_H

#include <stdbool.h>

/*
 * Who is at the other end, from the UCSPI environment: tcpserver (IPv4 and
 * IPv6), tcpsvd, s6-tcpserver, s6-ipcserver, unixserver, systemd, xinetd,
 * stunnel; without any of these getpeername(0).  All strings belong to the
 * environment or to static storage of the process and last as long as it.
 */
struct peer {
	const char *ip;		/* numeric, "::ffff:" stripped; NULL: local */
	const char *port;	/* NULL if unknown */
	const char *local_ip;	/* our end; NULL if unknown */
	bool network;		/* a socket, or a UCSPI server says so */
	bool unix_socket;	/* PROTO is UNIX or IPC */
	bool secure;		/* TLS was done outside: SSL_PROTOCOL is set */
	bool ucspi_tls;		/* STARTTLS is offered outside: SSLCTLFD */
};

/* Look it up; costs a system call at most. */
void peer_find(struct peer *p);

#endif
