/* SPDX-License-Identifier: ISC */
/*
 * usage: urlfetch [-g] [-t none|must|verify] [-I] [-C CAFILE] [-a AUTHZID]
 *            HOST:PORT USER PASSWORD [URL]...
 *
 * Log in with lib/imap's client, and print what the URLs name; with -g have
 * each signed (GENURLAUTH) and print that.  Exit 0, 1 if
 * one names nothing ("NIL URL" on standard error), 2 if the server does not
 * let us in or does not know URLFETCH, and why.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imap/client.h"
#include "net/tls_object.h"

static bool
print(void *ctx, struct span octets)
{
	return fwrite(octets.p, 1, octets.n, ctx) == octets.n;
}

static void
signed_url(void *ctx, uint32_t number, struct span name, struct lex *l)
{
	(void)number;
	if (!span_ieq(name, SPAN("GENURLAUTH")))
		return;
	print(ctx, lex_astring(l));
	print(ctx, SPAN("\n"));
}

static bool
sign(struct imap_client *c, const char *url)
{
	unsigned tag = imap_client_begin(c, "GENURLAUTH ");

	imap_client_add_string(c, span_str(url));
	imap_client_add(c, SPAN(" INTERNAL"));
	imap_client_end(c);
	return imap_client_answer(c, tag, signed_url, stdout) == IMAP_OK;
}

static int
trouble(struct imap_client *c)
{
	fprintf(stderr, "%s\n", buf_cstr(&c->why));
	imap_client_close(c);
	return 2;
}

int
main(int argc, char **argv)
{
	struct imap_client_opts o = { .tls = IMAP_TLS_VERIFY,
		.timeout_ms = 20000 };
	struct imap_login l = { .user = SPAN("") };
	struct imap_client c;
	bool generate = false;
	int opt, code = 0;

	signal(SIGPIPE, SIG_IGN);
	while ((opt = getopt(argc, argv, "gt:IC:a:")) != -1)
		if (opt == 'g')
			generate = true;
		else if (opt == 't')
			o.tls = strcmp(optarg, "none") == 0 ? IMAP_TLS_NONE :
			    IMAP_TLS_MUST;
		else if (opt == 'I')
			o.implicit = true;
		else if (opt == 'C')
			o.cafile = optarg;
		else
			l.authzid = span_str(optarg);
	argv += optind;
	argc -= optind + 3;
	/* It is linked in, as in the unit tests. */
	if (argc < 0 || lemon_tls.shape != TLS_SHAPE)
		return 64;
	o.where = span_str(argv[0]);
	l.user = span_str(argv[1]);
	l.password = span_str(argv[2]);
	if (!imap_client_open(&c, &o) || imap_client_login(&c, &l) != IMAP_OK)
		return trouble(&c);

	for (int i = 0; generate && i < argc; i++)
		if (!sign(&c, argv[i + 3]))
			return trouble(&c);
	size_t n = generate ? 0 : (size_t)argc;
	struct imap_url_fetch *u = calloc(n + 1, sizeof *u);

	for (size_t i = 0; i < n; i++)
		u[i] = (struct imap_url_fetch){ .url = span_str(argv[i + 3]),
		    .sink = print, .ctx = stdout };
	if (imap_client_urlfetch(&c, u, n) != IMAP_OK)
		return trouble(&c);
	for (size_t i = 0; i < n; i++)
		if (u[i].state != IMAP_GIVEN) {
			fprintf(stderr, "NIL %s\n", argv[i + 3]);
			code = 1;
		}
	free(u);
	imap_client_close(&c);
	return code;
}
