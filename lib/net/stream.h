/* SPDX-License-Identifier: ISC */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <string.h>
#include <sys/types.h>

#include "base/buf.h"

struct trace;

/*
 * The two ends of a connection.  Each has one operation below it (the
 * descriptor, TLS, or later DEFLATE) and one buffer of fixed size.  Reading
 * first flushes what was written (in.tie), so pipelined commands are
 * answered in one write and nobody else calls out_flush, except who waits
 * without reading.  Failure is sticky: after it every read says so at once
 * and every write is dropped; a failed write ends the tied reading too.
 */
enum stream_state {
	STREAM_OK,
	STREAM_EOF,		/* the peer closed, or TLS was closed */
	STREAM_TIMEOUT,		/* the deadline passed */
	STREAM_ERROR		/* errno of the failing call in .error */
};

/*
 * Read or write some octets: >0, 0 at the end of file, -1 with errno.
 * deadline is on clock_ms(), 0 for none; when it passes: ETIMEDOUT.
 * STREAM_NOW: do not wait, EAGAIN where that would be needed.
 */
enum { STREAM_NOW = -1 };
typedef ssize_t stream_op(void *ctx, char *p, size_t n, int64_t deadline);

/* Whether the layer holds octets that it can give without reading. */
typedef bool stream_pending(void *ctx);

enum { STREAM_BUFFER = 16 * 1024, STREAM_BULK = 64 * 1024,
	STREAM_WRITE_TIMEOUT = 300 * 1000 };

struct out {
	stream_op *op;
	void *ctx;
	int fd;			/* the descriptor at the bottom */
	char *p;		/* cap octets, allocated lazily */
	size_t n, cap;
	size_t most;		/* cap may grow to that; below STREAM_BUFFER,
				   as at first, it does not grow */
	int64_t timeout;	/* milliseconds for a write to make progress;
				   0 is none, at first STREAM_WRITE_TIMEOUT */
	int64_t deadline;	/* on clock_ms(), for all writes whatever
				   progress they make; 0 is none */
	uint64_t total;		/* octets written to it so far */
	enum stream_state state;
	int error;
	struct trace *trace;	/* NULL, or where a transcript goes */
};

struct in {
	stream_op *op;
	stream_pending *pending;	/* NULL: never */
	void *ctx;
	int fd;
	char *p;		/* STREAM_BUFFER octets, allocated lazily */
	size_t from, to;	/* what is buffered and not yet taken */
	struct out *tie;	/* flushed before each read; may be NULL */
	int64_t deadline;	/* on clock_ms(), for all reads; 0 is none */
	uint64_t total;		/* octets taken from it so far */
	enum stream_state state;
	int error;
	struct trace *trace;
};

/* A pair over two descriptors (which may be the same one), tied.  They may
 * be pipes, sockets, files or a terminal, and are not made non-blocking,
 * since others may share them. */
void stream_open(struct in *in, struct out *out, int rfd, int wfd);

/* Go on over other descriptors; what is buffered is kept. */
void stream_move(struct in *in, struct out *out, int rfd, int wfd);

/* Release the buffers; the descriptors stay open. */
void stream_free(struct in *in, struct out *out);

/* Leave only zeros of what was and is buffered, in a process that was forked
 * and is not to know it. */
void stream_wipe(struct in *in, struct out *out);

/* --- writing --- */
void out_add_any(struct out *o, struct span s);

/* An answer is made of many short pieces: what fits is only copied. */
static inline void
out_add(struct out *o, struct span s)
{
	if (s.n > 0 && s.n <= o->cap - o->n && o->trace == NULL &&
	    o->state == STREAM_OK) {
		memcpy(o->p + o->n, s.p, s.n);
		o->n += s.n;
		o->total += s.n;
	} else {
		out_add_any(o, s);
	}
}

static inline void
out_addc(struct out *o, char c)
{
	out_add(o, (struct span){ &c, 1 });
}

static inline void
out_adds(struct out *o, const char *s)
{
	out_add(o, span_str(s));
}

void out_addu(struct out *o, uint64_t v);	/* as buf_addu */
__attribute__((format(printf, 2, 3)))
void out_addf(struct out *o, const char *fmt, ...);	/* as buf_addf */

/* Where the caller itself writes octets, at most *n of them: at least one and
 * not more than want.  out_took then adds as many as it says. */
char *out_room(struct out *o, size_t want, size_t *n);
void out_took(struct out *o, size_t n);

/* On clock_ms(), when a write that begins now must be done; 0 is never. */
int64_t out_deadline(const struct out *o);

/* Everything written so far is handed to the operation.  0, or -1. */
int out_flush(struct out *o);

/* Whether the peer is there, sends no more (it may read still), or is gone:
 * nothing can be written.  Without waiting; a peer that just closed its
 * connection counts as gone only when it was written to. */
enum out_peer { PEER_THERE, PEER_SILENT, PEER_GONE };
enum out_peer out_peer(const struct out *o);

/* --- reading --- */

/*
 * Take octets up to and including LF and add them, without the line end, to
 * *line.  LINE_LONG: more than max octets without LF; the rest of that line
 * has been read and thrown away (so the next read is in step) and *line
 * holds its beginning and, as its last octets, the line's last (so that an
 * IMAP literal announced there is seen).  LINE_BARE: the line ended in LF without CR before
 * it (SMTP refuses that, IMAP does too; the caller decides).  LINE_END: the
 * stream ended or failed before LF; see in->state.
 */
enum { LINE_TAIL = 32 };
enum line { LINE_OK, LINE_BARE, LINE_LONG, LINE_END };
enum line in_line(struct in *in, struct buf *line, size_t max);

/* Some octets, at least one and at most max, as a view into the buffer that
 * is valid until the next call; empty at the end or on failure. */
struct span in_some(struct in *in, size_t max);

/* Exactly n octets to p.  False if the stream ended or failed before. */
bool in_exact(struct in *in, char *p, size_t n);

/* Take n octets and drop them. */
bool in_skip(struct in *in, uint64_t n);

/* Whether something can be read without waiting for the peer: buffered here
 * or in the layer below. */
bool in_ready(const struct in *in);

/* Forget what is buffered; for STARTTLS, where none of it may be used.
 * Returns how many octets that were. */
size_t in_discard(struct in *in);

/* Leave only zeros of what was taken: a password was in it. */
void in_wipe(struct in *in);

/*
 * Wait until the stream can be read, one of the n (at most 30) descriptors
 * in also can, or ms milliseconds have passed (-1: for ever).  Flushes the
 * tied output.  Returns a mask: 1 the stream (also when it ended or failed),
 * 2 << i for also[i], 0 for the time-out.  in->deadline does not count.
 */
unsigned in_wait(struct in *in, const int *also, unsigned n, int64_t ms);

#endif
