/* SPDX-License-Identifier: ISC */
/* Sign URLs, and look at signed ones. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "house.h"
#include "serve.h"

static const char usage[] =
    "usage: lemon-urlauth mint [-a ACCESS] [-e DATE|+DURATION|never] "
    "[-n HOST]\n"
    "           USER|MAILDIR [URL...]\n"
    "       lemon-urlauth mint [-a ACCESS] [-e DATE|+DURATION|never] "
    "[-n HOST]\n"
    "           [-m FOLDER] -u UID [-p PART] [-r FROM[.LENGTH]] "
    "USER|MAILDIR\n"
    "       lemon-urlauth verify [-c CALLER] USER|MAILDIR [URL...]\n"
    "       lemon-urlauth fetch [-d] [-c CALLER] USER|MAILDIR [URL...]\n"
    "       lemon-urlauth explain [-c CALLER] USER|MAILDIR [URL...]\n"
    "       lemon-urlauth revoke [-m FOLDER] USER|MAILDIR\n"
    "       lemon-urlauth -s\n";

static const struct act acts[] = {
	{ "mint", "aempnru", false, mint_url, mint_run },
	{ "verify", "c", true, verify_url, NULL },
	{ "fetch", "cd", false, fetch_url, NULL },
	{ "explain", "c", true, explain_url, NULL },
	{ "revoke", "m", false, NULL, revoke_run },
};

static const struct act *
find(const char *name)
{
	for (size_t i = 0; name != NULL && i < COUNT(acts); i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	die_usage("what?  mint, verify, fetch, explain or revoke");
}

static void
take(struct ask *a, const struct act *act, int c)
{
	const struct {
		int c;
		const char **to;
	} t[] = { { 'a', &a->access }, { 'c', &a->caller },
		{ 'e', &a->expire }, { 'm', &a->folder }, { 'n', &a->host },
		{ 'p', &a->part }, { 'r', &a->range }, { 'u', &a->uid } };

	if (c == ':')
		die_usage("-%c needs an argument; -h tells", optopt);
	if (c == '?' || strchr(act->options, c) == NULL)
		die_usage("%s takes no -%c; -h tells", act->name,
		    c == '?' ? optopt : c);
	a->decode = a->decode || c == 'd';
	for (size_t i = 0; i < COUNT(t); i++)
		if (t[i].c == c)
			*t[i].to = optarg;
}

/* -u, and what belongs to it, stands for a URL. */
static bool
without_urls(const struct ask *a, const struct act *act)
{
	if (act->url == NULL || a->uid != NULL)
		return true;
	if (a->folder != NULL || a->part != NULL || a->range != NULL)
		die_usage("-m, -p and -r need the message's UID, -u");
	return false;
}

static int
run(const struct act *act, const struct ask *a)
{
	struct house h = { 0 };
	bool none = without_urls(a, act);

	if (act->url == NULL && a->urls > 0)
		die_usage("%s takes a mailbox by -m, before the user",
		    act->name);
	if (none && a->urls > 0)
		die_usage("a URL, or what makes one; -h tells");
	house_open(&h, a);
	int code = none ? act->run(&h) : house_urls(&h, act);

	house_close(&h);
	return fflush(stdout) != 0 ? EXIT_TEMP : code;
}

int
main(int argc, char **argv)
{
	struct ask a = { 0 };
	const char *name = argc > 1 ? argv[1] : NULL;
	int c;

	die_name(argv[0]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (argc > 1 && strcmp(name, "-h") == 0)
		return fputs(usage, stdout) < 0 ? EXIT_TEMP : EXIT_OK;
	if (argc == 2 && strcmp(name, "-s") == 0)
		return serve();
	const struct act *act = find(name);

	argv[1] = argv[0];
	argc--;
	argv++;
	opterr = 0;
	/* Options end at the owner: URLs may come from strangers. */
	while ((c = getopt(argc, argv, "+:a:c:de:hm:n:p:r:su:")) != -1) {
		if (c == 'h')
			return fputs(usage, stdout) < 0 ? EXIT_TEMP : EXIT_OK;
		take(&a, act, c);
	}
	if (optind == argc || argv[optind][0] == '\0')
		die_usage("whose?  A user or Maildir; -h tells");
	a.who = argv[optind];
	a.url = argv + optind + 1;
	a.urls = argc - optind - 1;
	return run(act, &a);
}
