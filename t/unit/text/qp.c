/* SPDX-License-Identifier: ISC */
#include "text/qp.h"

#include <stdlib.h>

#include "../../t.h"

static const struct {
	const char *in, *out;
	bool bad;
	const char *name;
} decoded[] = {
	{ "Now's the time =\r\nfor all folk to come=\r\n"
	    " to the aid of their country.",
	    "Now's the time for all folk to come to the aid of their country.",
	    false, "the example of RFC 2045 6.7" },
	{ "=3D=C3=A9", "=\xc3\xa9", false, "escapes" },
	{ "=c3=a9", "\xc3\xa9", false, "lower-case digits" },
	{ "a=\nb", "ab", false, "a soft line break of LF" },
	{ "a= \t\r\nb", "ab", false, "blanks in a soft line break" },
	{ "a \t\r\nb \n", "a\r\nb\n", false, "blanks before a line end go" },
	{ "a b\tc", "a b\tc", false, "blanks elsewhere stay" },
	{ "a   ", "a", false, "blanks at the very end go" },
	{ "a=", "a", false, "an equals sign at the very end goes" },
	{ "a=zz", "a=zz", true, "what is no escape stays" },
	{ "a=4", "a=4", true, "half an escape at the end stays" },
	{ "a=4=41", "a=4A", true, "half an escape before a whole one" },
	{ "a==41", "a=A", true, "an equals sign before an escape" },
	{ "a= b", "a= b", true, "an equals sign before a blank" },
	{ "a=\rb", "a=\rb", true, "an equals sign before a lone CR" },
	{ "a\rb \rc", "a\rb \rc", false, "lone CRs stay" },
	{ "a\r", "a\r", false, "a CR at the end stays" },
	{ "\r\r\n", "\r\r\n", false, "a CR before a line end stays" },
	{ "\xff=FF", "\xff\xff", false, "8-bit octets stay" },
};

static const struct {
	const char *in, *out;
	bool binary;
	const char *name;
} encoded[] = {
	{ "a=b\xe9", "a=3Db=E9", false, "what must be escaped" },
	{ "a \r\nb\t", "a=20\r\nb=09", false, "blanks at the end of a line" },
	{ "a\rb\nc", "a=0Db=0Ac", false, "lone CRs and LFs" },
	{ "a\r\nb", "a=0D=0Ab", true, "line ends of binary data" },
	{ "a\r", "a=0D", false, "a CR at the end" },
	{ "\r\r\n", "=0D\r\n", false, "a CR before a line end" },
};

static size_t
piece(size_t left)
{
	size_t n = 1 + (size_t)random() % 40;

	return n < left ? n : left;
}

static void
any_pieces(void)
{
	static const char some[] = "ab= \t\r\n\xe9";
	bool same = true, lines = true;

	for (unsigned seed = 1; seed < 300; seed++) {
		struct buf in = { 0 }, coded = { 0 }, out = { 0 };
		struct qp_enc e = { .binary = seed % 2 == 0 };
		struct qp_dec d = { 0 };
		size_t cut;

		srandom(seed);
		for (long n = random() % 500; n > 0; n--)
			buf_addc(&in, some[random() % 8]);
		for (size_t i = 0; i < in.n; i += cut) {
			cut = piece(in.n - i);
			qp_encode(&e, (struct span){ in.p + i, cut }, &coded);
		}
		qp_encode_end(&e, &coded);
		for (struct span l = buf_span(&coded); l.n > 0;)
			lines &= span_cut(&l, '\n').n <= 77;
		for (size_t i = 0; i < coded.n; i += cut) {
			cut = piece(coded.n - i);
			qp_decode(&d, (struct span){ coded.p + i, cut }, &out);
		}
		qp_decode_end(&d, &out);
		same &= !d.bad && span_eq(buf_span(&in), buf_span(&out));
		buf_free(&in);
		buf_free(&coded);
		buf_free(&out);
	}
	ok(same, "what was encoded in any pieces is decoded in any pieces");
	ok(lines, "lines have at most 76 characters");
}

static void
long_blanks(void)
{
	struct qp_dec d = { 0 };
	struct buf b = { 0 };

	for (size_t i = 0; i < 3 * QP_HELD; i++)
		qp_decode(&d, SPAN(" "), &b);
	ok(d.held.n <= QP_HELD && b.n >= 2 * QP_HELD,
	    "endless blanks are not held for ever");
	qp_decode_end(&d, &b);
	buf_free(&b);
}

int
main(void)
{
	for (size_t i = 0; i < COUNT(decoded); i++) {
		struct span in = span_str(decoded[i].in);

		for (size_t cut = 1; cut <= 64; cut *= 64) {
			struct qp_dec d = { 0 };
			struct buf b = { 0 };

			for (size_t at = 0; at < in.n; at += cut)
				qp_decode(&d,
				    span_head(span_skip(in, at), cut), &b);
			qp_decode_end(&d, &b);
			is(buf_span(&b), span_str(decoded[i].out),
			    decoded[i].name);
			ok(d.bad == decoded[i].bad, "and whether it was bad");
			buf_free(&b);
		}
	}
	for (size_t i = 0; i < COUNT(encoded); i++) {
		struct qp_enc e = { .binary = encoded[i].binary };
		struct buf b = { 0 };

		qp_encode(&e, span_str(encoded[i].in), &b);
		qp_encode_end(&e, &b);
		is(buf_span(&b), span_str(encoded[i].out), encoded[i].name);
		buf_free(&b);
	}
	any_pieces();
	long_blanks();
	return done();
}
