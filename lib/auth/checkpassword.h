/* SPDX-License-Identifier: ISC */
#ifndef AUTH_CHECKPASSWORD_H
#define AUTH_CHECKPASSWORD_H

#include "auth/account.h"

/*
 * Ask the program of the control file "checkpassword": a command line, its
 * words divided by blanks, the first an absolute path.  It runs as a child
 * with lemon-checkreply appended, which tells us on its standard output
 * whom the program made of itself.  "checkpassword-timeout" is how many
 * seconds it may take (default 30), "checkreply" where lemon-checkreply is
 * if not beside our own program.
 *
 * The child gets login, password and time on descriptor 3, /dev/null as
 * standard input, our standard error, no other descriptor of ours, and our
 * environment without what names a user, with a PATH if there was none.
 *
 * It left with 1, 2 or 100: AUTH_BAD; with 0 after a good reply: AUTH_OK
 * and *a; anything else, and too late, is AUTH_TEMP.
 */
enum auth checkpassword(const struct control *c, struct span login,
    struct span password, struct account *a);

/* The reply: these NUL-ended strings.  checkreply_parse fills *a from
 * it; false unless all of it is well formed (user: no path, no controls). */
void checkreply_make(struct buf *to, const char *user, const char *home,
    const char *maildir, uid_t uid, gid_t gid);
bool checkreply_parse(struct span reply, struct account *a);

#endif
