/* SPDX-License-Identifier: ISC */
/* lib/store/piece.c: what a section holds, decoded. */
#include "store/piece.h"

#include <errno.h>

#include "store.h"
#include "text/base64.h"
#include "text/qp.h"

enum { BIG = 120 * 1000 };

static uint32_t seed = 1;

static uint32_t
chance(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Base64 in lines of any length, a blank here and there. */
static void
crooked_base64(struct span in, struct buf *to)
{
	struct base64_enc e = { 0 };
	struct buf text = { 0 };

	base64_encode(&e, in, &text);
	base64_encode_end(&e, &text);
	for (size_t at = 0; at < text.n; ) {
		size_t n = 1 + chance(chance(100) == 0 ? 40000 : 90);

		buf_add(to, span_head(span_skip(buf_span(&text), at), n));
		buf_adds(to, chance(20) == 0 ? " " : "\r\n");
		at += n;
	}
	buf_free(&text);
}

static void
quoted(struct span in, struct buf *to)
{
	struct qp_enc e = { .binary = true };

	qp_encode(&e, in, to);
	qp_encode_end(&e, to);
}

static void
collect(void *arg, struct span s)
{
	buf_add(arg, s);
}

static bool
same(const struct piece *c, struct message *m, struct span want, uint64_t at,
    uint64_t n)
{
	struct buf got = { 0 };
	bool nul, good = piece_has_nul(c, m, at, n, &nul) == 0 &&
	    piece_read(c, m, at, n, collect, &got) == 0;

	want = span_head(span_skip(want, at), n);
	good = good && span_eq(buf_span(&got), want) &&
	    nul == (span_chr(want, '\0') < want.n);
	buf_free(&got);
	return good;
}

/* All of it, in a row of pieces, and pieces from anywhere. */
static bool
pieces(const struct piece *c, struct message *m, struct span want)
{
	uint64_t n, at = 0;

	if (piece_size(c, m, &n) != 0 || n != want.n ||
	    !same(c, m, want, 0, n))
		return false;
	for (; at < n; at += 30000)
		if (!same(c, m, want, at, n - at < 30000 ? n - at : 30000))
			return false;
	for (int i = 0; i < 15 && n > 0; i++) {
		at = chance((uint32_t)n);
		if (!same(c, m, want, at, 1 + chance((uint32_t)(n - at))))
			return false;
	}
	return true;
}

/* A place that is noted is of use to the next who reads on. */
static bool
goes_on(const struct piece *c, struct message *m, struct span want)
{
	bool good = true;

	for (uint64_t at = 0; at + 1000 < want.n; at += 1000)
		good = good && same(c, m, want, at, 1000) && (at < 45000 ||
		    at - c->memo->decoded < 45000);
	return good;
}

static struct piece
part(struct message *m, uint32_t number)
{
	struct section q = { .kind = SECTION_ALL, .path = &number,
		.depth = 1 };

	return piece_binary(message_digest(m), &q);
}

static void
part_begin(struct buf *b, const char *encoding)
{
	buf_addf(b, "\r\n--b\r\nContent-Type: image/x\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n", encoding);
}

/* A message of parts that are the same octets, each encoded another way. */
static void
parts(struct store *st, struct span octets)
{
	static const char *const name[] = { NULL, "base64", "base64 in crooked "
	    "lines", "base64 in one line", "quoted-printable", "what was declared binary",
	    "what has no encoding" };
	struct mailbox *mb = t_inbox(st);
	struct base64_enc e = { .wrap = true };
	struct piece_memos memos = { 0 };
	struct buf b = { 0 };
	struct message *m;
	struct view *v;

	buf_adds(&b, "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=b\r\n");
	part_begin(&b, "base64");
	base64_encode(&e, octets, &b);
	base64_encode_end(&e, &b);
	part_begin(&b, "base64");
	crooked_base64(octets, &b);
	part_begin(&b, "base64");
	base64_add(octets, &b);
	part_begin(&b, "quoted-printable");
	quoted(octets, &b);
	part_begin(&b, "binary");
	buf_add(&b, octets);
	part_begin(&b, "8bit");
	buf_add(&b, octets);
	buf_adds(&b, "\r\n--b--\r\n");

	struct draft_info info = { .internaldate = INT64_MIN };
	struct draft *d;
	uint32_t uid, validity;

	ok(draft_open(mb, &info, &d) == STORE_OK &&
	    draft_write(d, buf_span(&b)) == STORE_OK &&
	    draft_finish(d, NULL) == STORE_OK &&
	    mailbox_place(mb, &d, 1, false, &uid, &validity) == STORE_OK &&
	    view_open(mb, &v) == STORE_OK &&
	    message_open(v, uid, &m) == STORE_OK, "a message with parts");
	draft_free(d);
	for (uint32_t i = 1; i < COUNT(name); i++) {
		struct piece c = part(m, i);

		ok(pieces(&c, m, octets), name[i]);
		piece_recall(&memos, 7, &c);
		ok(pieces(&c, m, octets), "the same with a memory");
		c = part(m, i);
		piece_recall(&memos, 7, &c);
		ok(pieces(&c, m, octets), "which lasts");
		ok(c.memo == NULL || goes_on(&c, m, octets),
		    "and reading on begins near where it was");
	}
	message_close(m);
	view_close(v);
	mailbox_close(mb);
	buf_free(&b);
}

static const char text[] = "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJ*j\r\n"
    "--b\r\nContent-Transfer-Encoding: x-rot13\r\n\r\nnop\r\n"
    "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nYWI\r\n"
    "--b--\r\n";

static void
mistakes(struct store *st)
{
	struct mailbox *mb = t_inbox(st);
	struct piece_memos memos = { 0 };
	struct message *m;
	struct piece c;
	struct view *v;
	uint64_t n;

	ok(t_append(mb, text, 0, NULL) > 0 && view_open(mb, &v) == STORE_OK &&
	    message_open(v, view_uid(v, view_exists(v)), &m) == STORE_OK,
	    "a message with mistakes");
	c = part(m, 1);
	for (int i = 0; i < 2; i++) {
		errno = 0;
		ok(piece_size(&c, m, &n) == -1 && errno == EBADMSG,
		    "what is no base64 is not decoded");
		piece_recall(&memos, 1, &c);
	}
	errno = 0;
	ok(piece_size(&c, m, &n) == -1 && errno == EBADMSG,
	    "which is remembered");
	ok(part(m, 2).kind == PIECE_UNKNOWN, "an encoding may be unknown");
	c = part(m, 3);
	ok(piece_size(&c, m, &n) == 0 && n == 0, "nothing encodes nothing");
	c = part(m, 4);
	ok(piece_size(&c, m, &n) == -1, "padding may not be missing");
	ok(part(m, 5).kind == PIECE_NIL, "there may be no such part");
	message_close(m);
	view_close(v);
	mailbox_close(mb);
}

/* Of two files that one object had in turn nothing is mixed up. */
static void
memory(void)
{
	static struct digest d = { .wire_size = 100 }, other;
	struct piece c = { .kind = PIECE_DECODED, .digest = &d, .from = 1,
	    .to = 9 }, again = c;
	struct piece_memos k = { 0 };

	piece_recall(&k, 5, &c);
	c.memo->known = true;
	piece_recall(&k, 5, &again);
	ok(again.memo == c.memo, "a piece is known again");
	again.memo = NULL;
	again.digest = &other;
	piece_recall(&k, 5, &again);
	ok(!again.memo->known, "that of another message is not");
	for (uint64_t i = 0; i < PIECE_MEMOS; i++) {
		again.memo = NULL;
		piece_recall(&k, 10 + i, &again);
		ok(!again.memo->known, "nor that of another object");
	}
}

int
main(void)
{
	struct buf octets = { 0 };
	struct store *st;

	t_make_dir();
	st = t_store();
	for (size_t i = 0; i < BIG; i++)
		buf_addc(&octets, (char)(1 + chance(255)));
	parts(st, buf_span(&octets));
	for (size_t i = BIG / 2; i < BIG; i++)
		octets.p[i] = chance(5000) == 0 ? '\0' : ' ';
	parts(st, buf_span(&octets));
	mistakes(st);
	memory();
	store_close(st);
	t_remove_dir();
	buf_free(&octets);
	return done();
}
