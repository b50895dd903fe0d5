/* SPDX-License-Identifier: ISC */
/* lib/store/writer.c writes what lib/store/wire.c reads back the same, and
 * lib/store/binary.c takes binary parts out in between. */
#include "store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "store/binary.h"
#include "store/wire.h"

#include "../../t.h"

#define S(s) SPAN_INIT(s)

static int
temporary(void)
{
	char path[] = "/tmp/lemon-writer.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

static void
contents(int fd, struct buf *b)
{
	buf_clear(b);
	lseek(fd, 0, SEEK_SET);
	(void)file_read_fd(fd, 64 * 1024 * 1024, b);
}

/* Write in pieces of that size, with these sizes to come out. */
static int
write_all(struct span s, size_t piece, struct buf *digest, uint64_t *file,
    uint64_t *wire)
{
	int fd = temporary();
	struct writer *w = writer_new(fd);

	for (size_t at = 0; at < s.n; at += piece)
		(void)writer_write(w, span_head(span_skip(s, at), piece));
	if (writer_finish(w, file, wire, digest) != 0)
		*file = UINT64_MAX;
	writer_free(w);
	return fd;
}

/* Read everything in pieces. */
static void
read_all(int fd, bool raw, size_t piece, struct buf *b)
{
	struct wire w;
	ssize_t n = wire_open(&w, fd, raw, UINT64_MAX, 0, 0);

	buf_clear(b);
	while (n >= 0 && (n = wire_read(&w, buf_room(b, piece), piece)) > 0)
		b->n += (size_t)n;
	if (n < 0)
		buf_adds(b, " FAILED");
}

static void
forms(void)
{
	static const struct {
		struct span wire, file;
	} form[] = {
		{ S("A: b\r\n\r\ntext\r\n"), S("A: b\n\ntext\n") },
		{ S("A: b\r\n\r\nno end"), S("A: b\n\nno end") },
		{ S(""), S("") },
		{ S("\r\n"), S("\n") },
		{ S("A: b\r\n\r\nbare\rCR\r\n"),
		    S("A: b\r\n\r\nbare\rCR\r\n") },
		{ S("A: b\r\n\r\nbare\nLF\r\n"),
		    S("A: b\r\n\r\nbare\nLF\r\n") },
		{ S("A: b\r\n\r\na NUL\0\r\n"), S("A: b\r\n\r\na NUL\0\r\n") },
		{ S("A: b\r\n\r\nlast\r"), S("A: b\r\n\r\nlast\r") },
		{ S("A: b\r\n\r\ntwo\r\r\n"), S("A: b\r\n\r\ntwo\r\r\n") },
		{ S("\nA: b\r\n"), S("\nA: b\r\n") },
	};
	struct buf b = { 0 }, digest = { 0 };

	for (size_t i = 0; i < COUNT(form); i++) {
		for (size_t piece = 1; piece < 20; piece += 3) {
			bool raw = span_eq(form[i].wire, form[i].file) &&
			    form[i].wire.n > 0;
			uint64_t file, wire;
			struct digest d;
			int fd;

			buf_clear(&digest);
			fd = write_all(form[i].wire, piece, &digest, &file,
			    &wire);
			contents(fd, &b);
			is(buf_span(&b), form[i].file,
			    "a message is kept as it should be");
			ok(file == form[i].file.n && wire == form[i].wire.n,
			    "with its sizes");
			ok(digest_open(buf_span(&digest), &d) &&
			    d.raw_eol == raw && d.file_size == file &&
			    d.wire_size == wire, "which the digest knows");
			read_all(fd, raw, piece, &b);
			is(buf_span(&b), form[i].wire, "and reads back");
			close(fd);
		}
	}
	buf_free(&b);
	buf_free(&digest);
}

/* A long message with one octet at its end that changes everything. */
static void
late(void)
{
	struct buf text = { 0 }, b = { 0 }, digest = { 0 };
	uint64_t file, wire;
	struct digest d;
	bool good = true;
	int fd;

	buf_adds(&text, "Subject: long\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		buf_addf(&text, "%d\r\n\r\n", i);
	buf_addc(&text, '\n');
	fd = write_all(buf_span(&text), 70001, &digest, &file, &wire);
	contents(fd, &b);
	ok(span_eq(buf_span(&b), buf_span(&text)),
	    "a bare LF far down puts everything before it back");
	close(fd);

	text.n--;
	buf_clear(&digest);
	fd = write_all(buf_span(&text), 70001, &digest, &file, &wire);
	ok(wire == text.n && file < wire &&
	    digest_open(buf_span(&digest), &d), "a long message of LF lines");
	for (uint64_t at = 0; at < wire; at += 7777) {
		uint64_t from, f = digest_file_offset(&d, at, &from);
		struct wire w;
		char p[100];
		ssize_t n;

		good = good && from <= at && at - from <= 140000 &&
		    wire_open(&w, fd, false, file, f, from) == 0 &&
		    wire_skip(&w, at - from);
		n = wire_read(&w, p, sizeof(p));
		good = good && n > 0 && span_eq((struct span){ p, (size_t)n },
		    span_head(span_skip(buf_span(&text), (size_t)at), 100));
	}
	ok(good, "can be read from anywhere by its checkpoints");
	close(fd);
	buf_free(&text);
	buf_free(&b);
	buf_free(&digest);
}

static const char nested[] =
    "Content-Type: multipart/mixed; boundary=b\r\n"
    "content-transfer-encoding: BINARY\r\n\r\n"
    "--b\r\n"
    "Content-Type: application/octet-stream\r\n"
    "Content-Transfer-Encoding \t:\r\n binary\r\n"
    "X: Content-Transfer-Encoding: binary\r\n\r\n"
    "\x01\r\x02\n\x03\r\n"
    "--b\r\n"
    "Content-Type: text/plain\r\n\r\nbinary\r\n"
    "--b\r\n"
    "Content-Type: message/rfc822\r\n"
    "Content-Transfer-Encoding: binary\r\n\r\n"
    "Subject: inner\r\nContent-Transfer-Encoding: binary\r\n\r\nlf\n\r\n"
    "--b--\r\n";

static const char expected[] =
    "Content-Type: multipart/mixed; boundary=b\n"
    "content-transfer-encoding: 8bit\n\n"
    "--b\n"
    "Content-Type: application/octet-stream\n"
    "Content-Transfer-Encoding \t: base64\n"
    "X: Content-Transfer-Encoding: binary\n\n"
    "AQ0CCgM=\n\n"
    "--b\n"
    "Content-Type: text/plain\n\nbinary\n"
    "--b\n"
    "Content-Type: message/rfc822\n"
    "Content-Transfer-Encoding: 8bit\n\n"
    "Subject: inner\nContent-Transfer-Encoding: base64\n\nbGYK\n\n"
    "--b--\n";

static void
without_binary(void)
{
	struct buf digest = { 0 }, second = { 0 }, b = { 0 };
	uint64_t file, wire;
	struct digest d, after;
	int from, to;
	struct writer *w;

	from = write_all((struct span)S(nested), 4096, &digest, &file, &wire);
	ok(digest_open(buf_span(&digest), &d) && binary_has(&d) && d.raw_eol,
	    "a message with binary parts is known as such");
	to = temporary();
	w = writer_new(to);
	ok(binary_copy(from, &d, w) == 0 &&
	    writer_finish(w, &file, &wire, &second) == 0, "and copied");
	writer_free(w);
	contents(to, &b);
	is(buf_span(&b), (struct span)S(expected),
	    "with base64 in their place, and nothing else changed");
	ok(digest_open(buf_span(&second), &after) && !binary_has(&after) &&
	    after.parts == d.parts && !after.raw_eol,
	    "so that none is left, and lines can end as usual");
	close(from);
	close(to);
	buf_free(&digest);
	buf_free(&second);
	buf_free(&b);
}

/* Failures stick and say what they were. */
static void
full(void)
{
	int fd = temporary();
	char path[40];
	struct writer *w;
	uint64_t file, wire;
	struct buf digest = { 0 };
	int ro;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	w = writer_new(ro);
	for (int i = 0; i < 70000; i++)
		(void)writer_write(w, SPAN("x\r\n"));
	ok(writer_write(w, SPAN("y")) == EBADF &&
	    writer_finish(w, &file, &wire, &digest) == EBADF &&
	    digest.n == 0, "a write that fails is not forgotten");
	writer_free(w);
	close(ro);
	close(fd);
}

int
main(void)
{
	forms();
	late();
	without_binary();
	full();
	return done();
}
