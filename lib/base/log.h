/* SPDX-License-Identifier: ISC */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"

/*
 * Log lines for people, multilog and fail2ban: one event a line on standard
 * error, "PROGRAM[PID]: verb user=… rip=… key=value …", no time stamp, one
 * write(2) each, at most 1000 octets.  Every value is escaped: controls,
 * 0x7f, '"', spaces and bad UTF-8 can neither forge a field nor a line, and
 * each value is cut at 512 octets.
 *
 *     struct log l;
 *     log_begin(&l, "login");
 *     log_kv(&l, "user", name);
 *     log_kv(&l, "rip", peer);
 *     log_end(&l);
 */
struct log {
	struct buf line;
};

/* Begin a line; add octets, a C string (NULL: no field), a number; write it. */
void log_begin(struct log *l, const char *verb);
void log_kv(struct log *l, const char *key, struct span value);
void log_ks(struct log *l, const char *key, const char *value);
void log_ku(struct log *l, const char *key, uint64_t value);
void log_end(struct log *l);

/* Add s as a value is written, but with its spaces and '"', and at most max
 * octets: for what else a hostile text is told to people in. */
void log_text(struct buf *to, struct span s, size_t max);

/* One line, its end included, in one write to standard error; or to syslog
 * where that is the connection itself, as under inetd, which must not hear
 * it.  Keeps errno; there is nobody to tell when it fails. */
void log_line(struct span line);

/* "PROGRAM[PID]: warning: text", escaped as above but for spaces and '"'.
 * Keeps errno. */
__attribute__((format(printf, 1, 2)))
void log_warn(const char *fmt, ...);

#endif
