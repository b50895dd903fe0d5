/* SPDX-License-Identifier: ISC */
/*
 * What a session does that somebody else has taken over: linked into the
 * real programs by the Makefile (build/evil), never into what is installed.
 * The linker sends their calls of confine_paths, and of what reads the first
 * command after it, here (--wrap).  Then everything is tried that must not
 * succeed, in the session's own process, and each outcome is a line of
 * standard error: "evil: refused NAME", or "evil: DONE NAME".
 *
 * From the environment: EVIL_HOME the Maildir, EVIL_OTHER another user's,
 * EVIL_CONTROL the control directory, EVIL_VICTIM a process of the same user,
 * EVIL_PORT where somebody listens on loopback, EVIL_SOCKET the same on a UNIX
 * socket.  With EVIL_LAST one more act follows, which ends the process where it
 * is refused; with EVIL_OPEN nothing is confined, and with EVIL_ONLY one act is
 * tried, that of this name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/confine.h"
#include "base/die.h"
#include "evil.h"
#include "imap/reader.h"
#include "smtp/param.h"

int __real_confine_paths(const struct confine *c, const char **why);
int __wrap_confine_paths(const struct confine *c, const char **why);
enum reader_result __real_reader_command(struct reader *r, struct lex *l,
    const char **why);
enum reader_result __wrap_reader_command(struct reader *r, struct lex *l,
    const char **why);
bool __real_smtp_mail_parse(struct span args, unsigned features,
    unsigned allow, struct arena *a, struct smtp_mail *m,
    struct smtp_reply *why);
bool __wrap_smtp_mail_parse(struct span args, unsigned features,
    unsigned allow, struct arena *a, struct smtp_mail *m,
    struct smtp_reply *why);

static void
tell(const struct act *a)
{
	const char *only = getenv("EVIL_ONLY");

	if (only != NULL && strcmp(only, a->name) != 0)
		return;
	errno = 0;
	bool done = a->run();
	char line[160];
	int n = snprintf(line, sizeof line, "evil: %s %s\n",
	    done ? "DONE" : "refused", a->name);

	if (write(2, line, (size_t)n) != n)
		_exit(99);
}

static void
attack(void)
{
	static const struct act *const all[] = { files_acts, network_acts,
		processes_acts, power_acts, doors_acts };

	for (size_t i = 0; i < COUNT(all); i++)
		for (const struct act *a = all[i]; a->name != NULL; a++)
			tell(a);
	if (getenv("EVIL_LAST") != NULL)
		tell(&last_act);
}

/* --- when --- */

static bool armed;

static void
first_time(void)
{
	bool now = armed;

	armed = false;
	if (now)
		attack();
}

int
__wrap_confine_paths(const struct confine *c, const char **why)
{
	bool open = getenv("EVIL_OPEN") != NULL;
	int r = open ? 0 : __real_confine_paths(c, why);

	/* Where nothing is confined, as under a sanitizer, it would do all of
	 * it. */
	armed = r == 0 && (open || strcmp(confine_level(), "full") == 0);
	/* These have no command after that. */
	if (strcmp(program_name(), "lemon-deliver") == 0 ||
	    strcmp(program_name(), "lemon-urlauth") == 0)
		first_time();
	return r;
}

enum reader_result
__wrap_reader_command(struct reader *r, struct lex *l, const char **why)
{
	first_time();
	return __real_reader_command(r, l, why);
}

bool
__wrap_smtp_mail_parse(struct span args, unsigned features, unsigned allow,
    struct arena *a, struct smtp_mail *m, struct smtp_reply *why)
{
	first_time();
	return __real_smtp_mail_parse(args, features, allow, a, m, why);
}
