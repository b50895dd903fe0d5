/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "submit.h"

static const char usage[] = "usage: lemon-submit [-s | -t]";

static void
options(struct submit *s, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "hst")) != -1) {
		if (c == 'h') {
			puts(usage);
			exit(EXIT_OK);
		}
		if (c == 's')
			s->implicit = true;
		else if (c == 't')
			s->outside = true;
		else
			die_usage("%s", usage);
	}
	if (optind < argc || (s->implicit && s->outside))
		die_usage("%s", usage);
}

int
main(int argc, char **argv)
{
	struct submit s = { 0 };

	die_name(argv[0]);
	options(&s, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	submit_open(&s);
	return submit_close(&s, smtp_server_run(&s.server));
}
