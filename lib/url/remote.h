/* SPDX-License-Identifier: ISC */
#ifndef URL_REMOTE_H
#define URL_REMOTE_H

#include "mime/fields.h"
#include "net/stream.h"
#include "url/grant.h"

/*
 * What another owner's URL names.  A process is confined to its own user's
 * home, so it asks lemon-urlauth -s behind the UNIX socket of the control
 * file "urlfetch-socket", which checks the token in the owner's name and
 * believes what the caller says of itself: whoever can connect there must be
 * one of our servers.
 *
 * Each way lengths are said before octets, as in netstrings: a decimal number
 * without leading zeros, ":", so many octets, ",".  A request is three of
 * them:
 *
 *     the caller's account, empty if it is anonymous
 *     letters, in this order: "s" the caller is a submitter, "b" the octets
 *         are wanted without their Content-Transfer-Encoding, "t" a
 *         BODYPARTSTRUCTURE is wanted (RFC 5524)
 *     the URL
 *
 * An answer is an octet, then for "+", "*" and "?" the BODYPARTSTRUCTURE as it
 * goes to an IMAP client (empty unless it was wanted), then for "+" and "*" the
 * octets:
 *
 *     "+"  here it is
 *     "*"  the same, and there is a NUL in it
 *     "?"  it is there, and its encoding is not known ("b")
 *     "-"  not valid, whatever the reason
 *     "~"  cannot be told now
 *
 * Requests follow each other on a connection, and may be sent before earlier
 * ones are answered; answers come in their order.  After anything else the
 * connection is closed.
 */
enum { REMOTE_USER_MAX = 64, REMOTE_FLAGS_MAX = 8,
	REMOTE_STRUCTURE_MAX = 1 << 20 };

enum remote_result { REMOTE_OK, REMOTE_NUL, REMOTE_UNKNOWN_CTE,
	REMOTE_INVALID, REMOTE_LATER };

struct remote_request {
	struct caller caller;
	bool binary, structure;
	struct span url;
};

/* A connection; { 0 } is none yet. */
struct remote {
	struct in in;
	struct out out;
	int fd;
	bool open;
	int64_t ms;		/* what each 16 KiB of the answer may take */
	uint64_t left;		/* octets of it still to come */
};

/* Connect to the socket, unless that is done.  ms for that and for each
 * answer.  0, or -1 with errno. */
int remote_open(struct remote *r, const char *socket, int64_t ms);
void remote_close(struct remote *r);	/* { 0 } is fine */

/* The same over a socket that leads there already, and is closed with it. */
void remote_over(struct remote *r, int fd);

/* Send a request; it goes out with the next remote_answer. */
void remote_ask(struct remote *r, const struct remote_request *q);

/* The answer to the first request that has none yet: REMOTE_OK and
 * REMOTE_NUL set *n, and remote_read must be called.  The structure is added to *structure.  After
 * REMOTE_LATER, where the line was lost perhaps, close. */
enum remote_result remote_answer(struct remote *r, int64_t ms,
    struct buf *structure, uint64_t *n);

/* Give the sink the octets of the answer, each 16 KiB of which may take as
 * long as its beginning; the sink may take longer.  0, or -1 if they did not
 * all come; then close. */
int remote_read(struct remote *r, fields_sink *sink, void *arg);

/* --- the other side --- */

/* Take a request, which lives in the arena.  1, 0 at the end, -1: no request
 * or too long; then close. */
int remote_take(struct in *in, struct arena *a, struct remote_request *q);

/* Begin an answer, structure as it goes to the client.  After REMOTE_OK
 * and REMOTE_NUL n octets follow with out_add, and then remote_end. */
void remote_give(struct out *o, enum remote_result a, struct span structure,
    uint64_t n);
void remote_end(struct out *o);

#endif
