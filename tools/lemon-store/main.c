/* SPDX-License-Identifier: ISC */
/* Look after a store. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "house.h"

static const char usage[] =
    "usage: lemon-store check [-d] [-q] [-m FOLDER] USER|MAILDIR\n"
    "       lemon-store rebuild [-m FOLDER] USER|MAILDIR\n"
    "       lemon-store list [-m FOLDER] USER|MAILDIR\n"
    "       lemon-store stat [-m FOLDER] USER|MAILDIR\n";

static const struct act acts[] = {
	{ "check", "dq", run_check },
	{ "list", "", run_list },
	{ "rebuild", "", run_rebuild },
	{ "stat", "", run_stat },
};

static const struct act *
find(const char *name)
{
	for (size_t i = 0; name != NULL && i < COUNT(acts); i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	die_usage("what?  check, list, rebuild or stat");
}

static void
take(struct ask *a, const struct act *act, int c)
{
	if (c == 'm')
		a->folder = optarg;
	else if (c == '?' || strchr(act->options, c) == NULL)
		die_usage("%s does not take that; -h tells", act->name);
	a->digests = a->digests || c == 'd';
	a->quiet = a->quiet || c == 'q';
}

int
main(int argc, char **argv)
{
	struct ask a = { 0 };
	int c;

	die_name(argv[0]);
	if (argc > 1 && strcmp(argv[1], "-h") == 0)
		return fputs(usage, stdout) < 0 ? EXIT_TEMP : EXIT_OK;
	const struct act *act = find(argv[1]);

	argv[1] = argv[0];
	argc--;
	argv++;
	opterr = 0;
	while ((c = getopt(argc, argv, "dhm:q")) != -1) {
		if (c == 'h')
			return fputs(usage, stdout) < 0 ? EXIT_TEMP : EXIT_OK;
		take(&a, act, c);
	}
	if (argc - optind != 1 || argv[optind][0] == '\0')
		die_usage("one user or Maildir; -h tells");
	a.who = argv[optind];
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return act->run(&a);
}
