/* SPDX-License-Identifier: ISC */
/* To speak with others, or be spoken to. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "evil.h"

static bool
opens(int family, int type, int protocol)
{
	return socket(family, type, protocol) >= 0;
}

static bool net_tcp(void) { return opens(AF_INET, SOCK_STREAM, 0); }
static bool net_tcp6(void) { return opens(AF_INET6, SOCK_STREAM, 0); }
static bool net_udp(void) { return opens(AF_INET, SOCK_DGRAM, 0); }
static bool net_raw(void) { return opens(AF_INET, SOCK_RAW, 1); }
static bool net_packet(void) { return opens(AF_PACKET, SOCK_RAW, 0); }
static bool net_netlink(void) { return opens(AF_NETLINK, SOCK_RAW, 0); }
static bool net_vsock(void) { return opens(40, SOCK_STREAM, 0); }
static bool net_alg(void) { return opens(38, SOCK_SEQPACKET, 0); }
static bool net_listen(void) { return listen(0, 1) == 0; }
static bool net_accept(void) { return accept(0, NULL, NULL) >= 0; }

static struct sockaddr_in
tcp(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtol(at("EVIL_PORT", ""), NULL,
		10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Over a socket of our own, or the client's. */
static bool
net_connect(void)
{
	struct sockaddr_in to = tcp();
	int s = socket(AF_INET, SOCK_STREAM, 0);

	return connect(s < 0 ? 0 : s, (struct sockaddr *)&to, sizeof to) == 0;
}

static bool
net_send(void)
{
	struct sockaddr_in to = tcp();
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	return sendto(s < 0 ? 0 : s, "x", 1, MSG_NOSIGNAL,
	    (struct sockaddr *)&to, sizeof to) == 1;
}

static bool
net_fastopen(void)
{
	struct sockaddr_in to = tcp();
	int s = socket(AF_INET, SOCK_STREAM, 0);

	return s >= 0 && sendto(s, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
	    (struct sockaddr *)&to, sizeof to) == 1;
}

static bool
net_bind(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	return bind(s < 0 ? 0 : s, (struct sockaddr *)&to, sizeof to) == 0;
}

static bool
net_unix_bind(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	const char *path = home("/bound");

	memcpy(un.sun_path, path, strnlen(path, sizeof un.sun_path - 1));
	return s >= 0 && bind(s, (struct sockaddr *)&un, sizeof un) == 0;
}

/* lemon-submit may: local delivery is behind one. */
static bool
net_unix(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	const char *path = at("EVIL_SOCKET", "");

	memcpy(un.sun_path, path, strnlen(path, sizeof un.sun_path - 1));
	return s >= 0 && connect(s, (struct sockaddr *)&un, sizeof un) == 0;
}

static bool
net_pair(void)
{
	int s[2];

	return socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0;
}

const struct act network_acts[] = {
	{ "open a TCP socket", net_tcp },
	{ "open a TCP socket of IPv6", net_tcp6 },
	{ "open a UDP socket", net_udp },
	{ "open a raw socket", net_raw },
	{ "open a packet socket", net_packet },
	{ "open a netlink socket", net_netlink },
	{ "open a vsock socket", net_vsock },
	{ "open a crypto socket", net_alg },
	{ "connect by TCP", net_connect },
	{ "connect by TCP fast open", net_fastopen },
	{ "send a datagram", net_send },
	{ "bind a port", net_bind },
	{ "bind a UNIX socket", net_unix_bind },
	{ "connect to a UNIX socket", net_unix },
	{ "listen", net_listen },
	{ "accept", net_accept },
	{ "make a socket pair", net_pair },
	{ 0 }
};
