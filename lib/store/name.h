/* SPDX-License-Identifier: ISC */
#ifndef STORE_NAME_H
#define STORE_NAME_H

#include "store/store.h"

/*
 * Mailbox names and the directories they live in.  The directory of a name
 * is "." and its components in modified UTF-7, "." between them; a "." inside
 * a component is written in base64, so "&AC4-".  That is the canonical form,
 * and the only one that is ever made here.
 *
 * Directories that others made may have another: UTF-8 as Courier 5 writes
 * it, or octets that are no name at all.  Of the latter each component that
 * is not canonical is shown with "%XX" for the octets that a name cannot
 * have, and nothing else is shown like that, so every directory has a name
 * of its own.  Names of that form can be used and renamed, but not created.
 */
enum { NAME_MAX_OCTETS = 1024, NAME_DISK_MAX = 255 };

/*
 * The canonical directory, "." for INBOX in any case.  STORE_CANNOT for what
 * can never be one: empty, controls, bad UTF-8, "/", a leading "." or "~",
 * anything below INBOX, over NAME_DISK_MAX octets, or the "%XX" form.
 */
enum store_result name_disk(struct span name, struct buf *disk);

/* Whether some component has the "%XX" form of what is not canonical. */
bool name_escaped(struct span name);

/* How far to go in taking octets of a directory for UTF-8. */
enum name_form {
	NAME_CANONICAL,	/* modified UTF-7, else "%XX" */
	NAME_UTF8,	/* also octets above 127 that are UTF-8 */
	NAME_COURIER	/* also "&" for itself */
};

/* Add the name of a directory (which begins with "."). */
void name_show(struct span disk, enum name_form form, struct buf *name);

/* Add the directory that name_show with NAME_CANONICAL shows so: the
 * canonical one, or the octets behind "%XX".  False if there can be none. */
bool name_raw(struct span name, struct buf *disk);

/* Whether it is INBOX, in any case. */
bool name_inbox(struct span name);

/* The name without its last component; empty if it has but one. */
struct span name_parent(struct span name);

/* Whether name is below that other one. */
bool name_below(struct span name, struct span above);

#endif
