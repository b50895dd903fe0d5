/* SPDX-License-Identifier: ISC */
#ifndef NET_TRACE_H
#define NET_TRACE_H

#include "base/span.h"

/*
 * A transcript of one connection for debugging, in recordio's form but
 * after TLS and DEFLATE: "PID < line" came from the peer, "PID > line" went
 * to it.  A line is cut after 1000 octets, octets of literals are counted
 * and not shown, controls are escaped.  What the peer sent last is held back
 * until something else happens, so that a command that turns out to hold a
 * password can be redacted first; tokens of URLs are, in both directions.
 */
struct trace;

/* A new file PROGRAM.SECONDS.PID (mode 0600) in that directory; NULL if dir
 * is NULL or empty, or (with a warning in the log) if it cannot be made.
 * Open it before confinement and hang it on in->trace and out->trace. */
struct trace *trace_open(const char *dir);
void trace_close(struct trace *t);	/* NULL is fine */

/* Of the last line from the peer keep the first n octets only.  For
 * passwords and SASL responses; call it before reading or writing more.
 * NULL is fine. */
void trace_redact(struct trace *t, size_t n);

/* While quiet, what the peer sends is only counted (the text after DATA).
 * NULL is fine. */
void trace_quiet(struct trace *t, bool quiet);

/* For net/stream.c: octets taken from and given to the stream; octets of a
 * literal or the like. */
void trace_in(struct trace *t, struct span s);
void trace_in_octets(struct trace *t, uint64_t n);
void trace_out(struct trace *t, struct span s);

#endif
