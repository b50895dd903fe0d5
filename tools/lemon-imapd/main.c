/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <unistd.h>

#include "base/die.h"
#include "commands.h"
#include "greet.h"
#include "stop.h"

static const char usage[] =
    "usage: lemon-imapd [-s | -t] [MAILDIR | USER]";

int
main(int argc, char **argv)
{
	static struct session s;
	struct greeting g = { 0 };
	int c;

	die_name(argv[0]);
	while ((c = getopt(argc, argv, "hst")) != -1)
		switch (c) {
		case 's':
			g.tls = true;
			break;
		case 't':
			g.secure = true;
			break;
		case 'h':
			return greet_usage(usage);
		default:
			die_usage("%s", usage);
		}
	if (argc - optind > 1 || (g.tls && g.secure))
		die_usage("%s", usage);
	g.who = argv[optind];
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	stop_catch();
	session_open(&s);
	if (greet(&s, &g))
		while (command_next(&s))
			;
	return session_close(&s);
}
