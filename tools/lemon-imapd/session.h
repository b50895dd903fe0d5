/* SPDX-License-Identifier: ISC */
#ifndef SESSION_H
#define SESSION_H

#include "auth/strangers.h"
#include "imap/mailbox.h"
#include "imap/reader.h"
#include "imap/wire.h"
#include "net/peer.h"
#include "net/tls.h"
#include "store/mail.h"
#include "store/piece.h"
#include "store/urlkey.h"
#include "store/view.h"

struct session;

/* The states of RFC 3501 3 in which a command is legal, and what holds of
 * it.  After NOEXPUNGE commands no EXPUNGE may be told (RFC 3501 7.4.1); after
 * FRESH ones, which looked just now, there is nothing to tell. */
enum { ANON = 1, AUTH = 2, SEL = 4, USER = AUTH | SEL, ANY = ANON | USER,
	NOEXPUNGE = 8, FRESH = 16 };

/* How a command ended.  ANSWERED: its tagged reply is already written. */
enum result { OK, NO, BAD, ANSWERED };

/* One row per command; a table per family, ended by an empty row.  The UID
 * forms are rows of their own: "UID FETCH". */
struct cmd {
	const char *name;
	unsigned when;
	const char *cap;	/* the CAPABILITY that promises it, or NULL */
	enum result (*run)(struct session *, struct lex *);
};

/*
 * One connection.  A handler parses (lex_*, then lex_end, else return BAD),
 * checks, does, writes its untagged lines to s->out and returns reply_*().
 * It frees nothing that it took from s->arena or session_set.
 */
struct session {
	struct in in;
	struct out out;
	struct peer peer;
	struct control control;
	struct tls *tls;	/* NULL: none, or outside */
	bool secure;		/* what we say cannot be overheard */
	bool closing;		/* no further command */
	const char *bye;	/* then why, for the log; NULL: LOGOUT */
	int exit;		/* the code, EXIT_OK mostly */
	int64_t started;
	int64_t login_ms;	/* for one command before login */
	int64_t idle_ms;	/* without one after it */
	int64_t probed;		/* when session_tick last asked the client */

	struct reader reader;
	struct arena arena;	/* until the tagged reply */
	struct set_list *sets;	/* of session_set */
	struct span tag;
	const struct cmd *cmd;	/* NULL: none yet */
	bool numbers;		/* UID SEARCH that names sequence numbers:
				   as if the command were NOEXPUNGE */
	struct buf code;	/* the tagged reply's response code */
	const char *text;	/* its sentence */

	unsigned state;		/* ANON, AUTH or SEL */
	unsigned failures;	/* of LOGIN and AUTHENTICATE */
	struct strangers strangers;	/* the client's place among them */
	struct mail mail;	/* of who logs in; path: a Maildir for whoever
				   started us */
	unsigned mistakes;	/* BAD commands before login */
	bool secret;		/* the command may hold a password */

	uint64_t message_max;	/* octets of a message; 0: any */
	struct imap_space space;
	struct buf space_value;
	struct buf locals;	/* the control file of that name */
	bool submitter;		/* the account is of those "submitters" */
	bool urlmech;		/* URLMECH may be told */
	struct buf urlfetch;	/* the socket for URLs of other owners, or
				   empty */
	struct store *store;	/* opened at login */
	struct mailbox *mailbox;	/* of the view; NULL unless SEL */
	struct view *view;
	struct bell *bell;	/* while it waits in IDLE; may be NULL then */
	bool readonly;		/* EXAMINE */
	struct piece_memos memos;	/* sizes that FETCH BINARY found */
	bool listed;		/* what LIST cannot show was logged */
	size_t keywords;	/* how many names the client was told */
	struct urlkey_watch key;	/* of the mailbox, while SEL */
	bool settle;		/* view_settle is due after the answer */
	struct left *left;	/* chores.c: mailboxes that were selected */
	unsigned put_off;	/* commands that went before the chores */

	struct {
		uint64_t commands, fetched, appended, expunged;
	} count;
};

/* --- replies (reply.c) --- */
enum result reply_ok(struct session *s, const char *text);
enum result reply_no(struct session *s, const char *code, const char *text);
enum result reply_bad(struct session *s, const char *text);

/* The NO that a store's failure deserves, with its RFC 5530 code. */
enum result reply_store(struct session *s, enum store_result r);

/* The same for the mailbox that APPEND, COPY and MOVE write to, whose
 * absence is TRYCREATE (RFC 3501 6.3.11). */
enum result reply_target(struct session *s, enum store_result r);

/* Start and end an untagged line: "* " and CRLF; between them wire_* and
 * out_* on &s->out. */
void untagged(struct session *s);
void untagged_end(struct session *s);

/* --- the session (session.c, updates.c) --- */

/* Set up over descriptors 0 and 1; release, log the logout, and return the
 * exit code. */
void session_open(struct session *s);
int session_close(struct session *s);

/* A mailbox's name as the store has it, in the arena.  False after
 * reply_no, for "if (!session_name(…)) return NO". */
bool session_name(struct session *s, struct span wire, struct span *name);
void wire_mailbox(struct session *s, struct span name);

/* An empty set that is released after the command. */
struct set *session_set(struct session *s);

/* The UIDs that a sequence set means now.  False after reply_bad: a
 * sequence number that is no message's. */
bool session_uids(struct session *s, const struct seqset *q, bool uid,
    struct set **uids);

/* Tell what changed in the selected mailbox since last told: EXPUNGE (if
 * it may be), EXISTS, RECENT, FLAGS, FETCH.  The command loop does this
 * before each tagged reply. */
void session_updates(struct session *s, bool expunge);

/* For long searches: false when the client is gone, or we are to stop. */
bool session_tick(void *session);

/* A line for the log about what the store could not do, and why. */
void session_warn(const struct session *s, const char *what);

/* Close the selected mailbox, if any, without telling or expunging. */
void session_unselect(struct session *s);

/* "* BYE text", and no further command; why is a word for the log. */
void session_bye(struct session *s, const char *why, const char *text);

/* Release what one command used. */
void session_reset(struct session *s);

/* --- the families (listed in commands.c) --- */
extern const struct cmd cmds_any[];	/* CAPABILITY NOOP LOGOUT ID */
extern const struct cmd cmds_login[];	/* STARTTLS LOGIN AUTHENTICATE */
extern const struct cmd cmds_select[];	/* SELECT EXAMINE CLOSE CHECK… */
extern const struct cmd cmds_mailbox[];	/* CREATE … STATUS */
extern const struct cmd cmds_list[];	/* LIST LSUB NAMESPACE */
extern const struct cmd cmds_append[];
extern const struct cmd cmds_fetch[];
extern const struct cmd cmds_search[];
extern const struct cmd cmds_store[];
extern const struct cmd cmds_copy[];	/* COPY MOVE */
extern const struct cmd cmds_expunge[];
extern const struct cmd cmds_idle[];
extern const struct cmd cmds_url[];	/* GENURLAUTH URLFETCH RESETKEY */

#endif
