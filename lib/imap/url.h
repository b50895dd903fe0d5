/* SPDX-License-Identifier: ISC */
#ifndef IMAP_URL_H
#define IMAP_URL_H

#include "base/arena.h"
#include "base/buf.h"
#include "mime/section.h"

/*
 * IMAP URLs (RFC 5092), with URLAUTH (RFC 4467) and PARTIAL.  Everything but
 * what says so is decoded; no decoded text holds a NUL.  A URL is ASCII
 * without spaces, of at most IMAP_URL_MAX octets.
 */
enum { IMAP_URL_MAX = 8192 };

enum url_access { URL_NONE, URL_SUBMIT, URL_USER, URL_AUTHUSER,
	URL_ANONYMOUS };

struct imap_url {
	bool absolute;		/* "imap://server…" or "//server…"; else
				   "/mailbox…", or ";UID=…" on the mailbox at
				   hand (RFC 5092 7) */
	struct span user, mech, host;	/* p == NULL: not given.  mech: ;AUTH=;
				   host: a name or an address without its
				   brackets, as written */
	uint16_t port;		/* 0: not given */
	struct span mailbox;	/* UTF-8 with the server's delimiters (see
				   imap_mailbox_utf8); p == NULL: not given */
	uint32_t uidvalidity;	/* 0: not given */
	struct span search;	/* the mailbox's messages that it finds;
				   p == NULL: no search */
	uint32_t uid;		/* 0: it names no message */
	struct section section;	/* SECTION_ALL with depth 0: none */
	bool partial;
	uint32_t offset, length;	/* if partial; length 0: to the end */
	int64_t expire;		/* the last second in which it is good, UTC;
				   INT64_MAX: for ever */
	enum url_access access;	/* URL_NONE: there is no ;URLAUTH= */
	struct span access_user;	/* of URL_SUBMIT and URL_USER */
	struct span rump;	/* as written, up to and with the access;
				   p == NULL if there is none */
	struct span auth_mech, token;	/* "INTERNAL" in any case, and hex; p ==
				   NULL: a rump only */
};

/* NULL, or why it is none (a fixed sentence).  Everything lives in the arena
 * or in text. */
const char *imap_url_parse(struct arena *a, struct span text,
    struct imap_url *u);

/* Add it, percent-encoded.  What has a rump is written as that was; else one
 * with an access is a rump. */
void imap_url_add(struct buf *to, const struct imap_url *u);

#endif
