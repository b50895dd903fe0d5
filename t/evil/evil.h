/* SPDX-License-Identifier: ISC */
#ifndef EVIL_H
#define EVIL_H

#include <stdbool.h>
#include <sys/types.h>

/* What is tried, in the words of "refused" and "DONE". */
struct act {
	const char *name;
	bool (*run)(void);	/* whether it succeeded; errno is 0 before */
};

/* Each file's, up to one without a name. */
extern const struct act files_acts[], network_acts[], processes_acts[],
    power_acts[], doors_acts[];
extern const struct act last_act;	/* where it is refused the process ends */

/* VARIABLE's value and what follows.  Four of them are good at a time. */
const char *at(const char *variable, const char *rest);
const char *home(const char *rest);	/* the Maildir */
const char *other(const char *rest);	/* another user's */
pid_t victim(void);			/* a process of the same user */
const char *proc(pid_t pid, const char *name);	/* its file in /proc */

bool reads(const char *path);
bool writes(const char *path);
bool makes(const char *path);

#endif
