/* SPDX-License-Identifier: ISC */
#ifndef IMAP_CLIENT_H
#define IMAP_CLIENT_H

#include "imap/reader.h"
#include "net/tls.h"

/*
 * The client's side of IMAP, for who fetches a few octets or puts a message
 * together.  The server is not trusted: every length is bounded, every wait
 * has a time-out, memory does not grow with what it says, and a literal
 * goes through in pieces.
 *
 * After a failure of the connection .lost is set, every call says
 * IMAP_LOST at once, and .why tells what it was.
 */
enum imap_tls {
	IMAP_TLS_NONE,		/* never: loopback, or a tunnel */
	IMAP_TLS_MUST,		/* always, any certificate */
	IMAP_TLS_VERIFY		/* always, and the certificate must fit */
};

struct imap_client_opts {
	struct span where;	/* as for connect_to; its name is looked for in
				   the certificate */
	const char *port;	/* where it names none; NULL: "143", or "993"
				   if implicit */
	enum imap_tls tls;
	bool implicit;		/* TLS from the first octet */
	const char *cafile;	/* NULL: the system's roots */
	int64_t timeout_ms;	/* to connect, for each answer, and for each
				   STREAM_BUFFER octets of a literal; 0: a
				   minute */
	int64_t deadline;	/* on clock_ms(), for all together; 0: none */
	/* NULL, or what connects instead of connect_to, with its contract;
	 * for processes that may not. */
	int (*connect)(void *ctx, int64_t deadline, const char **why);
	void *connect_ctx;
};

/* What the server offers, from its CAPABILITY. */
enum {
	IMAP_STARTTLS = 1, IMAP_LOGINDISABLED = 2, IMAP_AUTH_PLAIN = 4,
	IMAP_SASL_IR = 8, IMAP_LITERAL_PLUS = 16, IMAP_LITERAL_MINUS = 32,
	IMAP_UIDPLUS = 64, IMAP_CATENATE = 128, IMAP_URLAUTH = 256,
	IMAP_SPECIAL_USE = 512
};

/* Also why an answer is none. */
enum imap_result { IMAP_OK, IMAP_NO, IMAP_BAD, IMAP_LOST };

struct imap_client {
	struct in in;
	struct out out;
	struct tls *tls;	/* NULL: not secured */
	int fd;			/* 0 or less: none */
	bool lost;
	bool logged_in;		/* PREAUTH, or a login that succeeded */
	bool known;		/* offered is what it offers now */
	unsigned offered;	/* IMAP_… */
	unsigned trips;		/* how often it was waited for */

	/* What the last answer said, until the next call: */
	struct span code, args;	/* "APPENDUID", "38505 3955"; or empty */
	struct span text;
	struct buf why;		/* why not, in a line of printable ASCII */

	int64_t timeout_ms, deadline;
	struct reader reader;
	struct arena arena;	/* of one response */
	bool cut;		/* the command was refused before its end */
	enum imap_result refused;	/* … and so */
	struct imap_early {	/* an answer that came before its time */
		unsigned tag;	/* 0: none */
		enum imap_result result;
		struct buf text;	/* what stood behind its OK */
	} early[8];
	unsigned tag;		/* of the last command sent */
	uint64_t said;		/* out.total when it was last waited for */
	uint64_t from;		/* in.total when this answer began */
	uint64_t streamed;	/* octets of it that were asked for */
	size_t pulled;		/* octets since the deadline was set */
};

/*
 * Connect, greet and secure.  False, with c->why, if that is not possible;
 * c is to be closed all the same.  A server that says PREAUTH in plain text
 * although TLS is wanted is refused: nobody knows who says it.
 */
bool imap_client_open(struct imap_client *c,
    const struct imap_client_opts *o);

/* The same on a connection that is there; fd becomes the client's own. */
bool imap_client_start(struct imap_client *c, int fd,
    const struct imap_client_opts *o);

/* Another deadline, on clock_ms(), for all that follows; 0: none. */
void imap_client_until(struct imap_client *c, int64_t deadline);

struct imap_login {
	struct span user, password;
	struct span authzid;	/* as whom; p == NULL: as user himself */
};

/* Log in, by PLAIN or LOGIN.  IMAP_BAD also where the server takes no
 * password that way. */
enum imap_result imap_client_login(struct imap_client *c,
    const struct imap_login *l);

/* Say so, by LOGIN without waiting for the answer, so that more can be said;
 * imap_client_logged_in waits for it.  0 if it cannot be said. */
unsigned imap_client_say_login(struct imap_client *c,
    const struct imap_login *l);
enum imap_result imap_client_logged_in(struct imap_client *c, unsigned tag);

/* Have c->known: ask, if the server did not say by itself. */
enum imap_result imap_client_learn(struct imap_client *c);

/*
 * A command: begin, add, end; up to 9 may be on their way, and are waited for
 * in their order; that the server answers in its own (RFC 3501 5.5) shows
 * only in what is heard meanwhile.  begin returns the tag to wait for with
 * imap_client_answer.  The text is the caller's, and holds no line end; what
 * is added after the server refused a literal is dropped.
 */
unsigned imap_client_begin(struct imap_client *c, const char *text);
void imap_client_add(struct imap_client *c, struct span text);
void imap_client_add_number(struct imap_client *c, uint64_t v);

/* As an atom, quoted, or a literal: the shortest that it can be. */
void imap_client_add_string(struct imap_client *c, struct span s);

/* The announcement of a literal of n octets, which are then added.  Where the
 * server knows LITERAL+ nothing is waited for; else it is asked, and no other
 * command may be on its way. */
void imap_client_add_literal(struct imap_client *c, uint64_t n);
void imap_client_end(struct imap_client *c);

/*
 * An untagged response.  l stands behind the name and a space (for a status
 * response it is at its end, and c->code, args and text are what it says);
 * number is 0 where there is none.  What the handler leaves unread is skipped.  All that
 * it gets lasts until it returns.
 */
typedef void imap_heard(void *ctx, uint32_t number, struct span name,
    struct lex *l);

/* Wait for the answer to that command, or for "+" (IMAP_OK then, too) if tag
 * is 0.  heard may be NULL.  Codes of the tagged answer are in c. */
enum imap_result imap_client_answer(struct imap_client *c, unsigned tag,
    imap_heard *heard, void *ctx);

/* One command without literals, and its answer. */
enum imap_result imap_client_command(struct imap_client *c,
    const char *text, imap_heard *heard, void *ctx);

/* False: it does not want to hear more, and the connection is given up. */
typedef bool imap_sink(void *ctx, struct span octets);

/*
 * An nstring, in pieces; to be called in imap_heard where the lexer comes to
 * one.  Only IMAP_GIVEN says that the sink has all of it.
 */
enum imap_fetched { IMAP_UNKNOWN /* no answer, or not all of it */, IMAP_NIL,
	IMAP_GIVEN };
enum imap_fetched imap_client_stream(struct imap_client *c, struct lex *l,
    imap_sink *sink, void *ctx);

struct imap_url_fetch {
	struct span url;
	imap_sink *sink;
	void *ctx;
	enum imap_fetched state;	/* IMAP_UNKNOWN at first */
};

/* URLFETCH (RFC 4467 7) of n URLs, pipelined; the octets go to their sinks
 * in the order in which the server sends them.  IMAP_OK tells nothing of a
 * single URL: see its state. */
enum imap_result imap_client_urlfetch(struct imap_client *c,
    struct imap_url_fetch *u, size_t n);

/* One of them, said now and waited for later; several may be on their way,
 * and are waited for in their order. */
unsigned imap_client_say_urlfetch(struct imap_client *c, struct span url);
enum imap_result imap_client_urlfetched(struct imap_client *c, unsigned tag,
    struct imap_url_fetch *u);

/* Say LOGOUT if that still makes sense, without waiting, and release.  A
 * zeroed one is fine. */
void imap_client_close(struct imap_client *c);

#endif
