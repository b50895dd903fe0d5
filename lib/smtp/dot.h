/* SPDX-License-Identifier: ISC */
#ifndef SMTP_DOT_H
#define SMTP_DOT_H

#include "base/buf.h"

/*
 * The mail data of DATA (RFC 5321 4.1.1.4, 4.5.2), in pieces of any size.
 * Only CRLF "." CRLF ends it.  A CR without LF after it or an LF without CR
 * before it is refused: servers that disagree about those are how one
 * message is smuggled inside another.
 */
enum dot_state { DOT_LINE_START, DOT_MIDLINE, DOT_CR, DOT_DOT, DOT_DOT_CR,
	DOT_ENDED, DOT_BARE };

struct dot {			/* { 0 } is ready */
	enum dot_state state;
	uint64_t size;		/* octets given out: without stuffing */
};

/* Give out pieces of the unstuffed message. */
typedef void dot_sink(void *ctx, struct span octets);

/* Returns how many octets of s belong to the data; all of them unless the
 * state becomes DOT_ENDED or DOT_BARE, where it stays. */
size_t dot_read(struct dot *d, struct span s, dot_sink *sink, void *ctx);

/* The other way: stuff dots and give out what goes on the wire.  *last is
 * the last two octets so far as high and low octet, "\r\n" at the start. */
struct dot_writer {
	bool started;
	char prev, last;
};
void dot_write(struct dot_writer *w, struct span s, dot_sink *sink,
    void *ctx);
void dot_write_end(struct dot_writer *w, dot_sink *sink, void *ctx);

#endif
