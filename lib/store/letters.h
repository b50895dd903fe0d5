/* SPDX-License-Identifier: ISC */
#ifndef STORE_LETTERS_H
#define STORE_LETTERS_H

#include "base/buf.h"

/* The letters at the end of a message file's name, BASE:2,LETTERS, and what
 * else the store asks of such names (filename.h has their parts). */

/* MSG_* of the capitals among the letters (D F R S T; P has no flag). */
uint32_t letters_flags(struct span letters);

/* The letter of one of them. */
char letters_of(uint32_t flag);

/* Add base with the letters of these flags; other letters of old stay. */
void letters_name(struct buf *to, struct span base, struct span old,
    uint32_t flags);

/* Whether a message may be called so: no dot first, no control characters,
 * at most 255 octets. */
bool letters_valid(struct span name);

/* 64 bits of a name; for comparing, not against enemies. */
uint64_t letters_hash(struct span s);

#endif
