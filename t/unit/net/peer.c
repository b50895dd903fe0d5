/* SPDX-License-Identifier: ISC */
#include "net/peer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "../../t.h"

static void
describe(struct buf *b)
{
	struct peer p;

	peer_find(&p);
	buf_adds(b, p.ip == NULL ? "-" : p.ip);
	buf_addc(b, ' ');
	buf_adds(b, p.port == NULL ? "-" : p.port);
	buf_addc(b, ' ');
	buf_adds(b, p.local_ip == NULL ? "-" : p.local_ip);
	buf_adds(b, p.network ? " network" : "");
	buf_adds(b, p.unix_socket ? " unix" : "");
	buf_adds(b, p.secure ? " secure" : "");
	buf_adds(b, p.ucspi_tls ? " starttls" : "");
}

static void
environments(void)
{
	static const struct {
		const char *env[8];
		const char *want, *name;
	} t[] = {
		{ { 0 }, "- - -", "a shell: local" },
		{ { "PROTO=TCP", "TCPREMOTEIP=192.0.2.1",
			"TCPREMOTEPORT=1024", "TCPLOCALIP=192.0.2.2",
			"TCPLOCALHOST=0" },
			"192.0.2.1 1024 192.0.2.2 network", "tcpserver" },
		{ { "PROTO=TCP6", "TCP6REMOTEIP=2001:db8::1",
			"TCP6REMOTEPORT=1", "TCPREMOTEIP=2001:db8::1" },
			"2001:db8::1 1 - network", "ucspi-tcp-ipv6" },
		{ { "PROTO=TCP", "TCP6REMOTEIP=::ffff:192.0.2.1",
			"TCPREMOTEIP=::FFFF:192.0.2.1" },
			"192.0.2.1 - - network", "a mapped address" },
		{ { "TCPREMOTEIP=192.0.2.9", "TCPREMOTEPORT=99999" },
			"192.0.2.9 - - network", "a wrapper without PROTO" },
		{ { "PROTO=SSL", "SSLREMOTEIP=192.0.2.3",
			"SSL_PROTOCOL=TLSv1.3" },
			"192.0.2.3 - - network secure", "sslserver" },
		{ { "PROTO=TCP", "TCPREMOTEIP=192.0.2.3", "SSLCTLFD=5" },
			"192.0.2.3 - - network starttls", "s6-ucspitlsd" },
		{ { "SSLCTLFD=5", "UCSPITLS=" }, "- - -",
			"UCSPI-TLS turned off" },
		{ { "SSLCTLFD=5", "UCSPITLS=!" }, "- - - starttls",
			"UCSPI-TLS required" },
		{ { "SSLCTLFD=5", "DISABLETLS=1" }, "- - -", "DISABLETLS" },
		{ { "PROTO=UNIX", "UNIXREMOTEEUID=0",
			"TCPREMOTEIP=192.0.2.8" },
			"- - - network unix", "unixserver" },
		{ { "PROTO=IPC", "IPCREMOTEEUID=0" }, "- - - network unix",
			"s6-ipcserver" },
		{ { "REMOTE_ADDR=2001:db8::2", "REMOTE_PORT=7" },
			"2001:db8::2 7 - network", "systemd" },
		{ { "REMOTE_HOST=192.0.2.7" }, "192.0.2.7 - - network",
			"xinetd" },
		{ { "REMOTE_HOST=mail.example.org" }, "- - -",
			"a host name is no address" },
		{ { "TCPREMOTEIP=192.0.2.1 user=root" }, "- - -",
			"an address with something behind it is none" },
		{ { "TCPREMOTEIP=fe80::1%eth0" }, "fe80::1%eth0 - - network",
			"a link-local address" },
	};

	for (size_t i = 0; i < COUNT(t); i++) {
		struct buf b = { 0 };

		clearenv();
		for (size_t j = 0; t[i].env[j] != NULL; j++)
			putenv((char *)(uintptr_t)t[i].env[j]);
		describe(&b);
		is(buf_span(&b), span_str(t[i].want), t[i].name);
		buf_free(&b);
	}
	clearenv();
	ok(strcmp(peer_shown(&(struct peer){ .ip = NULL }), "local") == 0 &&
	    strcmp(peer_shown(&(struct peer){ .ip = "::1" }), "::1") == 0,
	    "the log has its address, or that it is local");
}

/* With descriptor 0 as an accepted connection. */
static void
accepted(struct sockaddr *a, socklen_t n, const char *want, const char *name)
{
	int l = socket(a->sa_family, SOCK_STREAM, 0);
	int c = socket(a->sa_family, SOCK_STREAM, 0);
	struct buf b = { 0 };

	if (bind(l, a, n) < 0 || listen(l, 1) < 0 ||
	    getsockname(l, a, &n) < 0 || connect(c, a, n) < 0)
		exit(1);
	int s = accept(l, NULL, NULL);

	dup2(s, 0);
	describe(&b);
	ok(span_starts(buf_span(&b), span_str(want)) && (a->sa_family ==
	    AF_UNIX || span_ends(buf_span(&b), SPAN(" 127.0.0.1 network"))),
	    name);
	close(s);
	close(c);
	close(l);
	buf_free(&b);
}

int
main(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct buf b = { 0 };
	char dir[] = "/tmp/lemon-peer-XXXXXX";
	int p[2];

	if (pipe(p) < 0 || dup2(p[0], 0) < 0 || mkdtemp(dir) == NULL)
		return 1;
	environments();
	accepted((struct sockaddr *)&in, sizeof in, "127.0.0.1 ",
	    "inetd: the socket says who it is");
	snprintf(un.sun_path, sizeof un.sun_path, "%s/s", dir);
	accepted((struct sockaddr *)&un, sizeof un, "- - - network unix",
	    "an accepted UNIX socket");
	unlink(un.sun_path);
	rmdir(dir);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) < 0 || dup2(p[0], 0) < 0)
		return 1;
	describe(&b);
	is(buf_span(&b), SPAN("- - -"), "a tunnel's socketpair is local");
	buf_clear(&b);
	p[0] = socket(AF_NETLINK, SOCK_RAW, 0);
	if (dup2(p[0], 0) < 0)
		return 1;
	describe(&b);
	is(buf_span(&b), SPAN("- - - network"),
	    "any other kind of socket is for strangers");
	buf_free(&b);
	return done();
}
