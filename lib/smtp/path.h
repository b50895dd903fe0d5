/* SPDX-License-Identifier: ISC */
#ifndef SMTP_PATH_H
#define SMTP_PATH_H

#include "base/buf.h"

/*
 * Reverse-path and forward-path (RFC 5321 4.1.2, RFC 6531 3.3) as views into
 * the command line.  The minimum sizes of RFC 5321 4.5.3.1 are no limits:
 * senders with long VERP and SRS local parts are real.
 */
enum {
	SMTP_LOCAL_MAX = 512,
	SMTP_DOMAIN_MAX = 255,
	SMTP_ADDRESS_MAX = SMTP_LOCAL_MAX + 1 + SMTP_DOMAIN_MAX
};

struct smtp_path {
	struct span address;	/* local "@" domain; empty for <> */
	struct span local;	/* as written, perhaps a quoted string */
	struct span domain;	/* empty for <postmaster> and bare names */
	bool utf8;		/* there are octets above 127 in it */
};

enum {
	SMTP_PATH_NULL = 1,	/* <> is fine (MAIL) */
	SMTP_PATH_POSTMASTER = 2,	/* <postmaster> is (RCPT) */
	SMTP_PATH_BARE = 4,	/* any local part without a domain is */
	SMTP_PATH_UTF8 = 8	/* UTF-8 is (SMTPUTF8 was announced) */
};

/* What was wrong.  SMTP_PATH_NOT_ASCII: it is right but for octets above
 * 127, which were not announced. */
enum smtp_path_error { SMTP_PATH_OK, SMTP_PATH_SYNTAX, SMTP_PATH_TOO_LONG,
	SMTP_PATH_NOT_ASCII };

/* Take a path with its angle brackets off the front of *s.  A source route
 * is checked and dropped (RFC 5321 4.1.1.3).  On failure *s and *p hold
 * nothing of use. */
enum smtp_path_error smtp_path_parse(struct span *s, unsigned allow,
    struct smtp_path *p);

/* A mailbox without brackets, all of s. */
enum smtp_path_error smtp_mailbox_parse(struct span s, unsigned allow,
    struct smtp_path *p);

/*
 * Add the address in its one shortest form: the local part unquoted where
 * it can be, else with no needless backslash (RFC 5321 4.1.2: they mean the
 * same), the domain as written.  Look-ups and comparisons use this form.
 */
void smtp_path_canon(const struct smtp_path *p, struct buf *to);

/* Whether s is a domain name or an address literal in brackets. */
bool smtp_domain_ok(struct span s, bool utf8);

#endif
