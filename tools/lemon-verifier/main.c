/* SPDX-License-Identifier: ISC */
/* Turn a password on standard input into the lines of a verifier file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "auth/account.h"
#include "auth/saslprep.h"
#include "auth/verifier.h"
#include "base/die.h"
#include "base/file.h"

static const char usage[] =
    "usage: lemon-verifier [-u] [-l LABEL] [-s SCOPE] [-e DATE] [-i ROUNDS]\n";

struct options {
	struct verifier v;
	uint64_t rounds;
	bool unknown;		/* -u: a password that nobody knows */
};

static void
options(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options){ .v = { .label = SPAN("-") },
	    .rounds = SCRAM_ROUNDS };
	while ((c = getopt(argc, argv, "hl:s:e:i:u")) != -1)
		switch (c) {
		case 'l':
			o->v.label = span_str(optarg);
			break;
		case 's':
			o->v.scope = span_str(optarg);
			break;
		case 'e':
			o->v.expiry = span_str(optarg);
			break;
		case 'i':
			if (!span_u64(span_str(optarg), SCRAM_ROUNDS_MAX,
			    &o->rounds) || o->rounds < SCRAM_ROUNDS)
				die_usage("-i: a number from %d to %d",
				    SCRAM_ROUNDS, SCRAM_ROUNDS_MAX);
			break;
		case 'u':
			o->unknown = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(EXIT_USAGE);
		}
	if (optind != argc)
		die_usage("no arguments; the password is on standard input");
	if (!span_eq(o->v.label, SPAN("-")) && !account_legal(o->v.label))
		die_usage("-l: a label is [a-z0-9][a-z0-9._-]{0,63}");
	if (!verifier_scope(o->v.scope))
		die_usage("-s: a list with commas of imap, submit and sieve");
	if (o->v.expiry.n > 0 && !verifier_day(o->v.expiry, NULL))
		die_usage("-e: a day is YYYY-MM-DD");
}

/* One line, prepared; the rest of the input is not ours to read. */
static void
read_password(struct buf *prepared)
{
	char line[PASSWORD_MAX + 2];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof line && (got = read(0, line + n, 1)) == 1 &&
	    line[n] != '\n')
		n++;
	switch (saslprep((struct span){ line, n }, prepared)) {
	case SASLPREP_OK:
		break;
	case SASLPREP_BAD:
		die_refused("a password is 1 to %d octets of UTF-8 without "
		    "control characters", PASSWORD_MAX);
	case SASLPREP_TEMP:
		die_temp("cannot load ICU, which a password that is not "
		    "ASCII needs");
	}
	OPENSSL_cleanse(line, sizeof line);
}

int
main(int argc, char **argv)
{
	struct options o;
	struct buf password = { 0 }, text = { 0 };

	die_name(argv[0]);
	options(&o, argc, argv);
	if (o.unknown) {
		random_fill(buf_room(&password, 32), 32);
		password.n = 32;
	} else {
		read_password(&password);
	}
	for (enum scram_hash h = SCRAM_HASHES; h-- > 0;) {
		struct scram *s = &o.v.scram;

		*s = (struct scram){ .hash = h, .nsalt = SCRAM_SALT,
		    .rounds = (unsigned)o.rounds };
		random_fill(s->salt, SCRAM_SALT);
		scram_make(s, buf_span(&password));
		verifier_print(&o.v, &text);
	}
	OPENSSL_cleanse(password.p, password.cap);
	buf_free(&password);
	if (file_write(1, buf_span(&text)) < 0)
		die_temp("write: %s", strerror(errno));
	buf_free(&text);
	return 0;
}
