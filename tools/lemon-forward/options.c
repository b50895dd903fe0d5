/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/file.h"
#include "base/log.h"
#include "forward.h"
#include "imap/url.h"
#include "net/connect.h"
#include "text/utf8.h"

enum { COVER_MAX = 1024 * 1024, PASSWORD_LINE_MAX = 4096, RCPTS_MAX = 1000,
	NAME_SHOWN = 400 };

static const char usage[] =
    "usage: lemon-forward [-v] [-b | --burl | -c | --catenate | -d | --download]\n"
    "           [-i HOST[:PORT]] [-s HOST[:PORT]] [-t none|must|verify] [-I]\n"
    "           [-C CAFILE] [-u USER] [-w FD] [-f FROM] [-j SUBJECT] [-m SENT]\n"
    "           [-p PART[,PART]...] {MAILBOX UID | URL} RECIPIENT...\n";

static const struct option long_options[] = {
	{ "burl", no_argument, NULL, 'b' },
	{ "catenate", no_argument, NULL, 'c' },
	{ "download", no_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ "verbose", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 }
};

static void
add_part(struct forward *f, const struct section *part)
{
	f->part = arena_grow(&f->arena, f->part, &f->part_cap, f->parts + 1,
	    sizeof *f->part);
	f->part[f->parts++] = *part;
}

/* "2" or "2,3.1" */
static void
parts(struct forward *f, const char *list)
{
	struct span rest = span_str(list);

	while (rest.p != NULL) {
		struct lex l = { .in = span_cut(&rest, ','),
			.arena = &f->arena };
		uint32_t path[SECTION_DEPTH_MAX];
		struct section part = { .depth = 0 };

		do
			path[part.depth++] = lex_nz_number(&l);
		while (part.depth < COUNT(path) && lex_try(&l, '.'));
		if (!lex_end(&l))
			die_usage("-p: a part is a number like 2 or 2.1, as "
			    "BODYSTRUCTURE counts them");
		part.path = (uint32_t *)(uintptr_t)arena_dup(&f->arena,
		    (struct span){ (const char *)path,
		    part.depth * sizeof *path }).p;
		add_part(f, &part);
	}
}

static enum imap_tls
policy(const char *word)
{
	static const char *const words[] = { [IMAP_TLS_NONE] = "none",
		[IMAP_TLS_MUST] = "must", [IMAP_TLS_VERIFY] = "verify" };

	for (unsigned i = 0; i < COUNT(words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum imap_tls)i;
	die_usage("-t: none, must or verify");
}

/* The first line of that descriptor, or $LEMON_PASSWORD: an argument would be
 * for all to see. */
static void
password(struct forward *f, const char *fd)
{
	struct buf line = { 0 };
	uint64_t n;

	if (fd == NULL) {
		buf_adds(&line, getenv("LEMON_PASSWORD"));
	} else {
		if (!span_u64(span_str(fd), 1023, &n))
			die_usage("-w: the number of a descriptor");
		if (n == 0)
			die_usage("-w: the cover text comes on descriptor 0");
		if (fcntl((int)n, F_GETFD) < 0)
			die_usage("-w: descriptor %s is not open", fd);
		if (file_read_fd((int)n, PASSWORD_LINE_MAX, &line) != 0)
			die_temp("no password on descriptor %s: %s", fd,
			    strerror(errno));
		line.n = span_chr(buf_span(&line), '\n');
	}
	if (line.n == 0)
		die_usage("no password: set LEMON_PASSWORD, or name a "
		    "descriptor with -w");
	f->password = arena_dup(&f->arena, buf_span(&line));
	buf_wipe(&line);
	buf_free(&line);
}

/* The name without the label of an app password, NAME+LABEL[@DOMAIN]: that
 * logs in, and owns nothing. */
static struct span
account_of(struct forward *f, struct span user)
{
	size_t at = span_rchr(user, '@');
	size_t label = span_chr(span_head(user, at), '+');
	struct buf b = { 0 };
	struct span s;

	if (label == 0)
		return user;
	buf_add(&b, span_head(user, label));
	buf_add(&b, span_skip(user, at));
	s = arena_dup(&f->arena, buf_span(&b));
	buf_free(&b);
	return s;
}

/* Whether two names may be one account's: one may be without the domain, and
 * which domains are the server's is known there alone. */
static bool
same_account(struct span a, struct span b)
{
	size_t at = span_rchr(a, '@'), bt = span_rchr(b, '@');

	return span_ieq(span_head(a, at), span_head(b, bt)) &&
	    (at == a.n || bt == b.n ||
	    span_ieq(span_skip(a, at), span_skip(b, bt)));
}

/* A URL names one message of one owner on one server; that of another would
 * be sent in its place. */
static void
must_be_ours(struct forward *f, const struct imap_url *u)
{
	struct span host = connect_host(f->imap_at), owner = f->account;
	struct buf said = { 0 };

	if (u->host.p != NULL && !span_ieq(u->host, host)) {
		log_text(&said, u->host, NAME_SHOWN);
		die_usage("the URL is of the server %s and -i says %.*s",
		    buf_cstr(&said), (int)host.n, host.p);
	}
	if (u->user.p != NULL)
		owner = account_of(f, u->user);
	if (!same_account(owner, f->account)) {
		log_text(&said, owner, NAME_SHOWN);
		die_refused("the URL is of %s's mail and you are %.*s; "
		    "%s forwards your own mail", buf_cstr(&said),
		    (int)f->account.n, f->account.p, program_name());
	}
}

static void
message_url(struct forward *f, const char *text)
{
	struct imap_url u;
	const char *why = imap_url_parse(&f->arena, span_str(text), &u);

	if (why != NULL)
		die_usage("%s: %s", text, why);
	if (u.mailbox.p == NULL || u.uid == 0 || u.partial)
		die_usage("%s: that names no message", text);
	f->mailbox = u.mailbox;
	f->uid = u.uid;
	f->uidvalidity = u.uidvalidity;
	if (u.section.depth > 0 && u.section.kind == SECTION_ALL)
		add_part(f, &u.section);
	else if (u.section.kind != SECTION_ALL)
		die_usage("%s: that names no part", text);
	if (u.host.p != NULL && f->imap_at.p == NULL) {
		struct buf at = { 0 };

		if (span_chr(u.host, ':') < u.host.n)
			buf_addc(&at, '[');
		buf_add(&at, u.host);
		if (span_chr(u.host, ':') < u.host.n)
			buf_addc(&at, ']');
		if (u.port != 0)
			buf_addf(&at, ":%u", u.port);
		f->imap_at = arena_dup(&f->arena, buf_span(&at));
		buf_free(&at);
	}
	if (f->user.p == NULL)
		f->user = u.user;
	f->account = account_of(f, f->user);
	must_be_ours(f, &u);
}

/* Returns how many arguments that takes. */
static int
message(struct forward *f, int argc, char **argv)
{
	uint64_t uid;

	if (argc > 0 && (span_istarts(span_str(argv[0]), SPAN("imap:")) ||
	    span_starts(span_str(argv[0]), SPAN("/")))) {
		message_url(f, argv[0]);
		return 1;
	}
	if (argc < 2 || !span_u64(span_str(argv[1]), UINT32_MAX, &uid) ||
	    uid == 0)
		die_usage("which message? a mailbox and a UID, or an IMAP "
		    "URL");
	f->mailbox = span_str(argv[0]);
	f->uid = (uint32_t)uid;
	f->account = account_of(f, f->user);
	return 2;
}

static void
recipients(struct forward *f, int argc, char **argv)
{
	if (argc < 1 || argc > RCPTS_MAX)
		die_usage("to whom? from 1 to %d addresses", RCPTS_MAX);
	f->rcpts = (size_t)argc;
	f->rcpt = arena_zero(&f->arena, f->rcpts * sizeof *f->rcpt);
	for (size_t i = 0; i < f->rcpts; i++)
		if (smtp_mailbox_parse(span_str(argv[i]), 0,
		    &f->rcpt[i].to) != SMTP_PATH_OK)
			die_usage("%s: that is no address", argv[i]);
}

/* Who sends, if -f does not say: the user, at the server's host. */
static void
sender(struct forward *f)
{
	struct smtp_path p;
	struct buf b = { 0 };

	if (f->from.p == NULL) {
		buf_add(&b, f->account);
		if (span_chr(f->account, '@') == f->account.n) {
			buf_addc(&b, '@');
			buf_add(&b, connect_host(f->smtp_at));
		}
		f->from = arena_dup(&f->arena, buf_span(&b));
		buf_free(&b);
	}
	if (smtp_mailbox_parse(f->from, 0, &p) != SMTP_PATH_OK)
		die_usage("%.*s: that is no address; -f gives yours",
		    (int)f->from.n, f->from.p);
}

/* Whether that is the port where TLS comes first. */
static bool
names_port(struct span where, struct span port)
{
	return span_ends(where, port) && connect_host(where).n < where.n;
}

static void
implicit_ports(struct forward *f)
{
	if (f->tls_given && f->tls == IMAP_TLS_NONE)
		return;
	f->imap_implicit |= names_port(f->imap_at, SPAN(":993"));
	f->smtp_implicit |= names_port(f->smtp_at, SPAN(":465"));
}

static void
cover(struct forward *f)
{
	if (file_read_fd(0, COVER_MAX, &f->cover) != 0)
		die_refused("no cover text on standard input: %s%s",
		    strerror(errno), errno == EFBIG ?
		    " (1 MiB is the limit)" : "");
	if (!utf8_valid(buf_span(&f->cover)) ||
	    span_chr(buf_span(&f->cover), '\0') < f->cover.n)
		die_refused("the cover text is not UTF-8: "
		    "iconv makes it so");
}

void
options(struct forward *f, int argc, char **argv)
{
	const char *fd = NULL;
	int c;

	*f = (struct forward){ .sent = SPAN("Sent"), .imap.lost = true,
		.smtp.lost = true, .spool.fd = -1 };
	while ((c = getopt_long(argc, argv, "bcC:df:hi:Ij:m:p:s:t:u:vw:",
	    long_options, NULL)) != -1)
		switch (c) {
		case 'b':
			f->way = WAY_BURL;
			break;
		case 'c':
			f->way = WAY_CATENATE;
			break;
		case 'C':
			f->cafile = optarg;
			break;
		case 'd':
			f->way = WAY_DOWNLOAD;
			break;
		case 'f':
			f->from = span_str(optarg);
			break;
		case 'i':
			f->imap_at = span_str(optarg);
			break;
		case 'I':
			f->imap_implicit = f->smtp_implicit = true;
			break;
		case 'j':
			f->subject = span_str(optarg);
			break;
		case 'm':
			f->sent = span_str(optarg);
			f->sent_given = true;
			break;
		case 'p':
			parts(f, optarg);
			break;
		case 's':
			f->smtp_at = span_str(optarg);
			break;
		case 't':
			f->tls = policy(optarg);
			f->tls_given = true;
			break;
		case 'u':
			f->user = span_str(optarg);
			break;
		case 'v':
			f->verbose = true;
			break;
		case 'w':
			fd = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_OK);
		default:
			fputs(usage, stderr);
			exit(EXIT_USAGE);
		}
	argc -= optind;
	argv += optind;
	c = message(f, argc, argv);
	recipients(f, argc - c, argv + c);
	if (f->imap_at.p == NULL)
		f->imap_at = SPAN("localhost");
	if (f->smtp_at.p == NULL)
		f->smtp_at = connect_host(f->imap_at);
	implicit_ports(f);
	if (f->user.p == NULL)
		die_usage("who are you? -u USER, or an IMAP URL with one");
	sender(f);
	password(f, fd);
	cover(f);
}
