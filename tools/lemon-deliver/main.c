/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/die.h"
#include "deliver.h"
#include "store/guard.h"

static const char usage[] =
    "usage: lemon-deliver -l\n"
    "       lemon-deliver [-f SENDER] [-r RECIPIENT] [-m FOLDER] "
    "USER|MAILDIR\n";

/* A typing error must never bounce mail: no EXIT_USAGE here. */
static bool
options(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "f:hlm:r:")) != -1) {
		if (c == 'f')
			o->sender = optarg;
		else if (c == 'l')
			o->lmtp = true;
		else if (c == 'm')
			o->folder = optarg;
		else if (c == 'r')
			o->recipient = optarg;
		else if (c == 'h')
			o->target = usage;
		else {
			o->wrong = (char)optopt;
			return false;
		}
	}
	if (o->target == usage)
		return true;
	if (!o->lmtp && optind == argc - 1)
		o->target = argv[optind];
	else if (!o->lmtp || optind < argc || o->sender != NULL ||
	    o->recipient != NULL || o->folder != NULL)
		return false;
	/* "" is a variable that is not set. */
	return o->lmtp || o->target[0] != '\0';
}

/* LMDB died of its index.  An MTA would take a signal for a final failure. */
static void
damaged(void)
{
	static const char said[] =
	    "4.3.0 The index was damaged: it will be made anew\n";
	int code = die_code();
	ssize_t n = 0;

	if (code != EXIT_OK)
		n = write(2, said, sizeof said - 1);
	(void)n;
	_exit(code);
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };

	die_name(argv[0]);
	opterr = 0;
	if (!options(&o, argc, argv)) {
		char which[] = { ':', ' ', '-', o.wrong, '\0' };

		fprintf(stderr, "4.3.5 Wrong command line%s\n%s",
		    o.wrong != '\0' ? which : "", usage);
		return EXIT_TEMP;
	}
	if (o.target == usage)
		return fputs(usage, stdout) < 0 ? EXIT_TEMP : EXIT_OK;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (o.lmtp)
		return lmtp();
	die_status();
	guard_ends(damaged);
	return single(&o);
}
