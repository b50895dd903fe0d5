/* SPDX-License-Identifier: ISC */
#ifndef HOUSE_H
#define HOUSE_H

#include "store/mail.h"
#include "url/grant.h"
#include "url/resolve.h"

/* What the command line asks for; NULL: not given. */
struct ask {
	const char *access, *expire, *host;	/* -a, -e, -n */
	const char *folder, *uid;		/* -m, -u */
	const char *part, *range;		/* -p, -r */
	const char *caller;			/* -c */
	bool decode;				/* -d */
	const char *who;	/* USER or MAILDIR */
	char **url;		/* [urls]; none: lines of standard input */
	int urls;
};

/* The owner's mail, opened. */
struct house {
	const struct ask *ask;
	struct control control;
	struct mail mail;
	struct store *store;
	struct buf space_value, locals, me;
	struct imap_space space;
	struct owner owner;
	struct arena arena;	/* of one URL */
	int64_t now;
};

enum { EXIT_INVALID = 1 };

/* One row per subcommand.  url does its work with one URL and returns the
 * exit code, after a line on standard error if that is not 0; run does it
 * without any. */
struct act {
	const char *name;
	const char *options;
	bool goes_on;		/* after a URL that is not valid */
	int (*url)(struct house *h, struct span text);
	int (*run)(struct house *h);
};

/* The URL's mailbox, to read. */
enum store_result house_mailbox(struct house *h, const struct imap_url *u,
    struct mailbox **mb);

/* Add ": ", the number of messages of the URL's mailbox, and of the newest of
 * them a line each. */
enum store_result list_mailbox(struct house *h, const struct imap_url *u,
    struct buf *to);

/* Add ", " and whom it is for; explain.c. */
void reader_add(struct buf *to, const struct imap_url *u);

int mint_url(struct house *h, struct span text);
int mint_run(struct house *h);
int verify_url(struct house *h, struct span text);
int fetch_url(struct house *h, struct span text);
int explain_url(struct house *h, struct span text);
int revoke_run(struct house *h);

/* Become who owns the mail, open it, and shut the door.  Ends the process if
 * that cannot be. */
void house_open(struct house *h, const struct ask *a);
void house_close(struct house *h);

/* Call it for every URL; the exit code. */
int house_urls(struct house *h, const struct act *act);

/* Go on if it went well, else end the process with what the store says. */
void house_must(const struct house *h, enum store_result r);

/* The mailbox that -m means, to *name.  Ends the process if it is none. */
void house_folder(const struct house *h, const char *typed, struct buf *name);

/* Tell why a URL is not valid, and which, but for its token. */
int house_invalid(struct house *h, struct span text, const char *why);

/* The same of what imap_url_parse does not take: what was probably meant. */
int house_no_url(struct house *h, struct span text, const char *why);

/* A URL of that other owner. */
int house_not_ours(struct house *h, struct span text, struct span owner);

/* grant_text; but what is gone may be the mailbox.  This is for the owner's
 * eyes alone. */
const char *house_why(struct house *h, const struct imap_url *u,
    enum grant g);

/* Tell what a check or a look came to; EXIT_OK if it was well. */
int house_grant(struct house *h, struct span text, const struct imap_url *u,
    enum grant g);
int house_result(struct house *h, struct span text,
    const struct imap_url *u, enum store_result r);

/* A line of octets for standard output. */
void house_print(struct buf *line);

#endif
