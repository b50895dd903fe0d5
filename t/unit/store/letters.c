/* SPDX-License-Identifier: ISC */
#include "store/letters.h"

#include "store/batch.h"
#include "store/filename.h"
#include "store/view.h"

#include "../../t.h"

int
main(void)
{
	static const struct {
		const char *name;
		uint32_t flags;
		const char *seen;	/* with \Seen only */
	} t[] = {
		{ "1.a", 0, "1.a:2,S" },
		{ "1.a:2,", 0, "1.a:2,S" },
		{ "1.a:2,DFRST", MSG_DRAFT | MSG_FLAGGED | MSG_ANSWERED |
		    MSG_SEEN | MSG_DELETED, "1.a:2,S" },
		{ "1.a:2,SSR", MSG_SEEN | MSG_ANSWERED, "1.a:2,S" },
		{ "1.a:2,PRzb", MSG_ANSWERED, "1.a:2,PSbz" },
	};
	static const struct { const char *name; bool good; } v[] = {
		{ "1.a:2,S", true }, { "x", true }, { ".x", false },
		{ "", false }, { ":2,S", false }, { "a\nb", false },
		{ "a b", true }, { "\xc3\xa9", true }, { "a\x7f", false },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(t); i++) {
		struct span n = span_str(t[i].name);

		ok(letters_flags(filename_flags(n)) == t[i].flags,
		    t[i].name);
		buf_clear(&b);
		letters_name(&b, filename_base(n), filename_flags(n),
		    MSG_SEEN);
		is(buf_span(&b), span_str(t[i].seen), t[i].seen);
	}
	for (size_t i = 0; i < COUNT(v); i++)
		ok(letters_valid(span_str(v[i].name)) == v[i].good,
		    v[i].name);

	struct batch x, y;
	struct buf c = { 0 };
	batch_start(&x);
	batch_start(&y);
	buf_clear(&b);
	batch_name(&x, 12, 13, &b);
	batch_name(&x, 0, 0, &c);
	ok(batch_has(&x, buf_span(&b)) && batch_has(&x, buf_span(&c)) &&
	    !batch_has(&y, buf_span(&b)) && !span_eq(buf_span(&b),
	    buf_span(&c)), "a batch knows its own names");
	ok(span_ends(buf_span(&b), SPAN(",S=12,W=13")) &&
	    batch_seconds(buf_span(&b)) == (uint64_t)x.sec,
	    "which tell sizes and time");
	buf_clear(&b);
	buf_clear(&c);
	y = x;
	x.usec = 99000;
	y.usec = 101000;
	batch_name(&x, 0, 0, &b);
	batch_name(&y, 0, 0, &c);
	ok(span_cmp(buf_span(&b), buf_span(&c)) < 0 &&
	    batch_has(&x, buf_span(&b)), "and sort by it");
	buf_free(&b);
	buf_free(&c);
	return done();
}
