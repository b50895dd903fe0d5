/* SPDX-License-Identifier: ISC */
#ifndef IMAP_WIRE_H
#define IMAP_WIRE_H

#include "imap/lex.h"
#include "net/stream.h"

/* Responses are written with the shortest legal form. */

/* As an atom if it can be one, else quoted, else as a literal.  Octets that
 * no string can hold (NUL) are left out. */
void wire_astring(struct out *o, struct span s);

/* Quoted, or a literal. */
void wire_string(struct out *o, struct span s);

/* The same; NIL where s.p is NULL. */
void wire_nstring(struct out *o, struct span s);

/* "(\Seen $Forwarded)" without the parentheses: the FLAG_* of system, a
 * space between. */
void wire_system_flags(struct out *o, uint32_t system);

/* A date-time in quotes, in UTC. */
void wire_date_time(struct out *o, int64_t seconds);

/* Numbers in the order given, runs of rising neighbours as "a:b" (as COPYUID
 * needs it, whose orders must agree).  For a set there is set_print. */
void wire_numbers(struct buf *to, const uint32_t *v, size_t n);

#endif
