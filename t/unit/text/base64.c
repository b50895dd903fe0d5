/* SPDX-License-Identifier: ISC */
#include "text/base64.h"

#include <stdlib.h>

#include "../../t.h"

/* RFC 4648 10 */
static const struct {
	const char *plain, *coded;
} vector[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static const struct {
	const char *in, *out;
	bool bad;
	const char *name;
} lenient[] = {
	{ "Zm9v\r\nYmFy\r\n", "foobar", false, "line ends are skipped" },
	{ " Z m 9\tv", "foo", false, "white space is skipped" },
	{ "Zm9v!YmFy", "foobar", true, "what is no base64 is skipped" },
	{ "Zg==Zm8=Zm9v", "ffofoo", false, "bodies glued together" },
	{ "Zg", "f", true, "two characters without padding are an octet" },
	{ "Zm8", "fo", true, "three are two octets" },
	{ "Zm9vY", "foo", true, "a lone character is dropped" },
	{ "Zg=", "f", true, "half the padding" },
	{ "Zg=Zm9v", "ffoo", true, "half the padding in the middle" },
	{ "Zg=\r\n=", "f", false, "padding over a line end" },
	{ "====", "", true, "nothing but padding" },
	{ "Z===Zm9v", "foo", true, "padding after one character" },
	{ "Zm9v=Zm9v", "foofoo", true, "padding that pads nothing" },
};

static void
strictness(void)
{
	static const char *const wrong[] = {
		"Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Zm 9v", "=", "====",
		"Z===", "Zg==Zg==", "Zg==Zm9v", "Zm9vY===", "Zm9_", "Z\xc3\xa9v"
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(vector); i++) {
		buf_clear(&b);
		ok(base64_strict(span_str(vector[i].coded), &b),
		    "the strict form takes the RFC's vectors");
		is(buf_span(&b), span_str(vector[i].plain), vector[i].plain);
		buf_clear(&b);
		base64_add(span_str(vector[i].plain), &b);
		is(buf_span(&b), span_str(vector[i].coded), vector[i].coded);
	}
	buf_clear(&b);
	for (size_t i = 0; i < COUNT(wrong); i++)
		ok(!base64_strict(span_str(wrong[i]), &b) && b.n == 0,
		    wrong[i]);
	buf_free(&b);
}

static void
leniency(void)
{
	for (size_t i = 0; i < COUNT(lenient); i++) {
		struct base64_dec d = { 0 };
		struct buf b = { 0 };

		for (const char *p = lenient[i].in; *p != '\0'; p++)
			base64_decode(&d, (struct span){ p, 1 }, &b);
		base64_decode_end(&d, &b);
		is(buf_span(&b), span_str(lenient[i].out), lenient[i].name);
		ok(d.bad == lenient[i].bad, "and whether that was right");
		buf_free(&b);
	}
}

static void
any_pieces(void)
{
	char in[700];
	bool same = true, lines = true;

	for (unsigned seed = 1; seed < 200; seed++) {
		struct base64_enc e = { .wrap = true };
		struct base64_dec d = { 0 };
		struct buf coded = { 0 }, plain = { 0 };
		size_t n, cut;

		srandom(seed);
		n = (size_t)random() % sizeof in;
		for (size_t i = 0; i < n; i++)
			in[i] = (char)random();
		for (size_t i = 0; i < n; i += cut) {
			cut = 1 + (size_t)random() % 90;
			cut = cut < n - i ? cut : n - i;
			base64_encode(&e, (struct span){ in + i, cut }, &coded);
		}
		base64_encode_end(&e, &coded);
		for (struct span l = buf_span(&coded); l.n > 0;) {
			struct span one = span_cut(&l, '\n');

			lines &= one.n <= 77 && span_ends(one, SPAN("\r"));
		}
		for (size_t i = 0; i < coded.n; i += cut) {
			cut = 1 + (size_t)random() % 90;
			cut = cut < coded.n - i ? cut : coded.n - i;
			base64_decode(&d,
			    (struct span){ coded.p + i, cut }, &plain);
		}
		base64_decode_end(&d, &plain);
		same &= !d.bad &&
		    span_eq(buf_span(&plain), (struct span){ in, n });
		buf_free(&coded);
		buf_free(&plain);
	}
	ok(same, "what was encoded in any pieces is decoded in any pieces");
	ok(lines, "lines have at most 76 characters and end with CRLF");
}

int
main(void)
{
	strictness();
	leniency();
	any_pieces();
	return done();
}
