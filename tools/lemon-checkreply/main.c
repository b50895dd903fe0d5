/* SPDX-License-Identifier: ISC */
/* The program that a checkpassword runs for us: it says on standard output
 * who it was made.  See lib/auth/checkpassword.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/checkpassword.h"
#include "base/die.h"
#include "base/file.h"

static const char *
value(const char *name)
{
	const char *v = getenv(name);

	return v == NULL ? "" : v;
}

int
main(int argc, char **argv)
{
	struct buf reply = { 0 };

	die_name(argv[0]);
	if (argc == 2 && strcmp(argv[1], "-h") == 0) {
		puts("usage: checkpassword lemon-checkreply 3<credentials");
		return 0;
	}
	if (argc != 1)
		die_usage("usage: checkpassword lemon-checkreply "
		    "3<credentials");
	if (*value("USER") == '\0' || *value("HOME") == '\0')
		die_temp("USER and HOME are not set");
	checkreply_make(&reply, value("USER"), value("HOME"),
	    value("MAILDIR"), getuid(), getgid());
	if (file_write(1, buf_span(&reply)) < 0)
		die_temp("write: %s", strerror(errno));
	buf_free(&reply);
	return 0;
}
