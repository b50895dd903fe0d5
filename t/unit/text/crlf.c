/* SPDX-License-Identifier: ISC */
#include "text/crlf.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "../../t.h"

static const struct {
	const char *in, *out, *name;
} table[] = {
	{ "", "", "nothing stays nothing" },
	{ "a\nb\n", "a\r\nb\r\n", "each LF gets its CR" },
	{ "a\r\nb\r\n", "a\r\nb\r\n", "an LF with a CR stays" },
	{ "\n\n\r\n\n", "\r\n\r\n\r\n\r\n", "empty lines" },
	{ "a\rb\r", "a\rb\r", "a lone CR stays" },
	{ "\r\r\n\r", "\r\r\n\r", "a CR before a line end stays" },
	{ "no end", "no end", "a last line without an end" },
	{ "0123456789abcde\n0123456789abcdef\n",
	    "0123456789abcde\r\n0123456789abcdef\r\n",
	    "line ends at the edge of a block" },
	{ "0123456789abcde\r\n0123456789abcdef\r\nx\n",
	    "0123456789abcde\r\n0123456789abcdef\r\nx\r\n",
	    "the CR at the end of one block, the LF in the next" },
};

/* The same, octet by octet. */
static void
slowly(struct span s, struct buf *to)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			buf_addc(to, '\r');
		buf_addc(to, s.p[i]);
	}
}

/* In pieces of that size both ways; what is given is fenced. */
static bool
in_pieces(struct span s, size_t take, size_t room, struct buf *to)
{
	struct crlf c = { 0 };
	bool good = true;
	char p[512];

	while (s.n > 0 || c.owe) {
		struct span some = span_head(s, take);
		size_t had = some.n;

		memset(p, '#', sizeof p);
		size_t n = crlf_give(&c, &some, p, room);
		good = good && n <= room && p[room] == '#' &&
		    (n > 0 || had > some.n) && (some.n == 0 || n == room);
		buf_add(to, (struct span){ p, n });
		s = span_skip(s, had - some.n);
	}
	return good;
}

static void
all_sizes(void)
{
	static const char alphabet[] = "abcdefghijklmnop\n\n\r\x8a";
	struct buf want = { 0 }, got = { 0 };
	bool same = true, fits = true;

	for (int round = 0; round < 400; round++) {
		/* At every alignment, with lines of every length. */
		size_t n = (size_t)random() % 200, from = (size_t)round % 16;
		size_t kinds = round % 3 == 0 ? sizeof alphabet - 1 : 17;
		char *p = malloc(from + n + 1);

		for (size_t i = 0; i < n; i++)
			p[from + i] = alphabet[(size_t)random() % kinds];
		for (size_t i = 0; i + 1 < n && round % 5 == 0; i += 17)
			memcpy(p + from + i, "\r\n", 2);
		struct span s = { p + from, n };
		buf_clear(&want);
		slowly(s, &want);
		for (size_t take = 1; take <= 64; take += 1 + take / 4)
			for (size_t room = 1; room <= 400; room += 1 + room / 3) {
				buf_clear(&got);
				fits = in_pieces(s, take, room, &got) && fits;
				same = same && span_eq(buf_span(&got),
				    buf_span(&want));
			}
		free(p);
	}
	ok(same, "pieces of any size at any place give the same");
	ok(fits, "and never more than there is room for");
	buf_free(&want);
	buf_free(&got);
}

/* Whatever stands where, and whatever follows it. */
static void
plain(void)
{
	static const char special[] = { '\r', '\n', '\0' };
	bool good = true;

	for (size_t n = 0; n < 50; n++)
		for (size_t at = 0; at <= n; at++)
			for (size_t i = 0; i < sizeof special; i++) {
				char *p = malloc(n + 1);

				memset(p, 'x', n + 1);
				p[at] = special[i];
				if (at + 3 < n)
					p[at + 3] = special[(i + 1) % 3];
				good = good && crlf_plain((struct span){ p,
				    n }) == at;
				free(p);
			}
	ok(good, "what stands for itself ends at the first CR, LF or NUL");
}

int
main(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(table); i++) {
		struct span s = span_str(table[i].in);
		struct crlf c = { 0 };

		buf_clear(&b);
		b.n = crlf_give(&c, &s, buf_room(&b, s.n * 2), s.n * 2);
		ok(s.n == 0 && span_eq(buf_span(&b), span_str(table[i].out)),
		    table[i].name);
	}
	buf_free(&b);
	all_sizes();
	plain();
	return done();
}
