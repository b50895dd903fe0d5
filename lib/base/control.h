/* SPDX-License-Identifier: ISC */
#ifndef BASE_CONTROL_H
#define BASE_CONTROL_H

#include "base/buf.h"

/*
 * Settings are control files, one value a file, looked up in this order: the
 * environment variable LEMON_NAME (name in capitals, '-' and '.' as '_'; an
 * empty one counts as unset, as with envdir), users/USER/NAME, NAME, the
 * caller's default.  The directory is $LEMON_CONTROL, or /etc/lemon.
 * lemon-control(5) lists every one.
 *
 * A file that is there but cannot be read, or a number that is no number,
 * is a mistake of the administrator: it ends the process, die_setting,
 * since guessing a default could open what was meant closed.  So read what
 * is needed before confine_paths shuts the directory off.
 */
struct control {
	const char *dir;	/* never NULL after control_init */
	const char *user;	/* whose overrides count, or NULL */
	bool guest;		/* the user is not one of our accounts by our
				   own look: a users/ or users/USER/ that we
				   may not enter is not there for us */
};

void control_init(struct control *c);

/* The first line without trailing blanks.  False if it is set nowhere. */
bool control_line(const struct control *c, const char *name,
    struct buf *value);

/* A decimal number between min and max, or the default. */
uint64_t control_num(const struct control *c, const char *name,
    uint64_t def, uint64_t min, uint64_t max);

/* All lines, each ended by '\n', without blank ones and those that begin
 * with '#'.  False if it is set nowhere. */
bool control_list(const struct control *c, const char *name,
    struct buf *lines);

/* Whether the list has that line (ASCII case does not matter). */
bool control_listed(const struct control *c, const char *name,
    struct span line);

/* DIR/users/USER/NAME if that exists, else DIR/NAME, for files that are
 * opened otherwise (certificates, sockets).  An absolute name stands for
 * itself.  Replaces *path. */
void control_path(const struct control *c, const char *name,
    struct buf *path);

/* Add a file with passwords, by control_path: 1, or 0 if there is none; -1
 * with errno if it cannot be read, is no file or longer than max, EPERM if
 * others than its owner may read it. */
int control_secret(const struct control *c, const char *name, size_t max,
    struct buf *text);

/* Whether such a file, by its path, is there.  One that is, but that we may
 * not read, ends the process as above. */
bool control_readable(const char *path);

#endif
