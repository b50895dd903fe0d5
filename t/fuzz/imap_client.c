/* SPDX-License-Identifier: ISC */
/*
 * What a hostile server may answer.  The first octet chooses what is asked
 * (1: a literal that waits for "+", 2: an AUTHENTICATE, 4: a login before).
 * In whatever pieces it comes, the same is heard, nothing is given that did
 * not come whole, and memory stays bounded.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "imap/client.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

static bool
gather(void *ctx, struct span octets)
{
	buf_add(ctx, octets);
	return true;
}

static void
note(void *ctx, uint32_t number, struct span name, struct lex *l)
{
	struct buf *said = ctx;

	buf_addu(said, number);
	buf_add(said, name);
	buf_add(said, lex_nstring(l));
}

static void
ask(struct imap_client *c, unsigned kind, struct buf *said)
{
	struct imap_login login = { SPAN("u"), SPAN("p"),
		kind & 2 ? SPAN("a") : (struct span){ 0 } };
	struct buf got[2] = { { 0 }, { 0 } };
	struct imap_url_fetch u[2] = {
		{ .url = SPAN("u"), .sink = gather, .ctx = &got[0] },
		{ .url = SPAN("v"), .sink = gather, .ctx = &got[1] },
	};

	if (kind & 4)
		buf_addu(said, imap_client_login(c, &login));
	unsigned tag = imap_client_begin(c, "APPEND x ");

	if (kind & 1) {
		imap_client_add_literal(c, 1);
		imap_client_add(c, SPAN("x"));
	}
	imap_client_end(c);
	buf_addu(said, imap_client_answer(c, tag, note, said));
	buf_add(said, c->code);
	buf_add(said, c->args);
	buf_addu(said, imap_client_urlfetch(c, u, 2));
	for (size_t i = 0; i < 2; i++) {
		if (u[i].state == IMAP_NIL && got[i].n > 0)
			abort();
		buf_addu(said, u[i].state);
		if (u[i].state == IMAP_GIVEN)
			buf_add(said, buf_span(&got[i]));
		buf_free(&got[i]);
	}
}

/* A packet is what one read gives, and no more than PACKETS fit in. */
enum { PACKETS = 100 };

static void
converse(struct span in, unsigned kind, bool pieces, struct buf *said)
{
	static const struct imap_client_opts o = { .where = { "x", 1 },
		.timeout_ms = 5000 };
	size_t step = pieces ? in.n / PACKETS + 1 : STREAM_BUFFER;
	struct imap_client c;
	int s[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) != 0)
		abort();
	for (; in.n > 0; in = span_skip(in, step))
		if (send(s[1], in.p, span_head(in, step).n, 0) < 0)
			abort();
	shutdown(s[1], SHUT_WR);
	imap_client_start(&c, s[0], &o);
	ask(&c, kind, said);
	if (c.arena.total > 2000000 || c.reader.line.cap > 2000000)
		abort();
	if (c.lost && c.why.n == 0)
		abort();
	buf_add(said, buf_span(&c.why));
	imap_client_close(&c);
	close(s[1]);
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct span in = { (const char *)p, n };
	struct buf whole = { 0 }, pieces = { 0 };
	unsigned kind = n > 0 ? p[0] : 0;

	if (n > 100000)
		return 0;
	in = span_skip(in, 1);
	converse(in, kind, false, &whole);
	converse(in, kind, true, &pieces);
	if (!span_eq(buf_span(&whole), buf_span(&pieces)))
		abort();
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
