/* SPDX-License-Identifier: ISC */
#include "net/peer.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"

/* A variable that is there and says something. */
static const char *
variable(const char *prefix, const char *name)
{
	struct buf b = { 0 };

	buf_adds(&b, prefix);
	buf_adds(&b, name);
	const char *value = getenv(buf_cstr(&b));

	buf_free(&b);
	return value != NULL && *value == '\0' ? NULL : value;
}

/* The address without "::ffff:", or NULL if it is none. */
static const char *
numeric(const char *s)
{
	struct in6_addr a;

	if (s == NULL)
		return NULL;
	if (span_istarts(span_str(s), SPAN("::ffff:")) &&
	    inet_pton(AF_INET, s + 7, &a) == 1)
		return s + 7;
	if (inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1)
		return s;

	/* "fe80::1%eth0" */
	struct span all = span_str(s);
	struct span head = span_head(all, span_chr(all, '%'));
	char t[INET6_ADDRSTRLEN] = { 0 };

	if (head.n == all.n || head.n >= sizeof t || all.n - head.n > 17)
		return NULL;
	memcpy(t, head.p, head.n);
	for (size_t i = head.n; i < all.n; i++)
		if (all.p[i] <= ' ' || all.p[i] > '~')
			return NULL;
	return inet_pton(AF_INET6, t, &a) == 1 ? s : NULL;
}

static const char *
port_number(const char *s)
{
	uint64_t v;

	return s != NULL && span_u64(span_str(s), 65535, &v) ? s : NULL;
}

/* conventions: $PROTO's own variables, then the others that are about. */
static void
from_environment(struct peer *p, const char *proto)
{
	p->ip = numeric(variable(proto, "REMOTEIP"));
	if (p->ip != NULL) {
		p->port = port_number(variable(proto, "REMOTEPORT"));
		p->local_ip = numeric(variable(proto, "LOCALIP"));
	} else if ((p->ip = numeric(variable("TCP", "REMOTEIP"))) != NULL) {
		p->port = port_number(variable("TCP", "REMOTEPORT"));
		p->local_ip = numeric(variable("TCP", "LOCALIP"));
	} else if ((p->ip = numeric(getenv("REMOTE_ADDR"))) != NULL ||
	    (p->ip = numeric(getenv("REMOTE_HOST"))) != NULL) {
		p->port = port_number(getenv("REMOTE_PORT"));
	}
}

static const char *
name_of(const struct sockaddr_storage *a, socklen_t n, char *host,
    size_t hostlen, char *port, size_t portlen)
{
	if (getnameinfo((const struct sockaddr *)a, n, host,
	    (socklen_t)hostlen, port, (socklen_t)portlen,
	    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return NULL;
	return numeric(host);
}

/* What descriptor 0 knows about itself. */
static void
from_socket(struct peer *p)
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof a;
	char unused[8];

	if (getsockname(0, (struct sockaddr *)&a, &n) < 0)
		return;
	if (a.ss_family == AF_UNIX) {
		/* One end of a socketpair has no name. */
		if (n > offsetof(struct sockaddr_un, sun_path))
			p->network = p->unix_socket = true;
		return;
	}
	/* Other kinds (AF_VSOCK) have strangers too. */
	p->network = true;
	if (a.ss_family != AF_INET && a.ss_family != AF_INET6)
		return;
	if (p->ip != NULL)
		return;
	p->local_ip = name_of(&a, n, p->store[0], sizeof p->store[0],
	    unused, sizeof unused);
	n = sizeof a;
	if (getpeername(0, (struct sockaddr *)&a, &n) < 0)
		return;
	p->ip = name_of(&a, n, p->store[1], sizeof p->store[1], p->store[2],
	    sizeof p->store[2]);
	if (p->ip != NULL)
		p->port = p->store[2];
}

void
peer_find(struct peer *p)
{
	const char *proto = variable("PROTO", "");

	*p = (struct peer){ 0 };
	if (proto != NULL && (strcmp(proto, "UNIX") == 0 ||
	    strcmp(proto, "IPC") == 0))
		p->unix_socket = p->network = true;
	else
		from_environment(p, proto == NULL ? "TCP" : proto);
	if (p->ip != NULL)
		p->network = true;
	from_socket(p);
	p->secure = variable("SSL_PROTOCOL", "") != NULL;

	/* Offered with or without UCSPITLS, but not if that says no. */
	const char *offered = getenv("UCSPITLS");

	p->ucspi_tls = variable("SSLCTLFD", "") != NULL &&
	    variable("DISABLETLS", "") == NULL && !p->secure &&
	    (offered == NULL || (*offered != '\0' && *offered != '-'));
}

const char *
peer_shown(const struct peer *p)
{
	return p->ip != NULL ? p->ip : "local";
}
