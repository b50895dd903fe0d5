/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include "../../t.h"

int
main(void)
{
	struct buf b = { 0 };

	buf_add(&b, SPAN("a\0b"));
	buf_addc(&b, ' ');
	buf_adds(&b, "text ");
	buf_addu(&b, 0);
	buf_addc(&b, ' ');
	buf_addu(&b, UINT64_MAX);
	buf_addf(&b, " %d-%s ", -5, "x");
	buf_addhex(&b, "\xfe\x01", 2);
	buf_addescape(&b, '%', '\xfe');
	buf_addquoted(&b, SPAN("a\"\\"));
	is(buf_span(&b),
	    SPAN("a\0b text 0 18446744073709551615 -5-x fe01%FE\"a\\\"\\\\\""),
	    "all that is added stands in order");
	buf_drop(&b, 2);
	is(span_head(buf_span(&b), 6), SPAN("b text"), "the front is dropped");

	size_t n = b.n;

	ok(buf_cstr(&b)[n] == '\0' && b.n == n,
	    "a C string's NUL is not counted");
	for (int i = 0; i < 10000; i++)
		buf_addc(&b, (char)i);
	ok(b.n == n + 10000 && b.p[n + 9999] == (char)9999, "it grows");
	buf_clear(&b);
	ok(b.n == 0 && b.cap > 0, "clearing keeps the memory");
	buf_free(&b);
	ok(b.p == NULL && b.cap == 0, "freeing leaves an empty one");
	return done();
}
