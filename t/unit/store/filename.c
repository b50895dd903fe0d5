/* SPDX-License-Identifier: ISC */
#include "store/filename.h"

#include "../../t.h"

int
main(void)
{
	static const struct {
		const char *file, *base, *flags;
		int64_t s, w;		/* -1: none */
	} name[] = {
		{ "1.M2.host", "1.M2.host", "", -1, -1 },
		{ "1.M2.host:2,", "1.M2.host", "", -1, -1 },
		{ "1.M2.host,S=12,W=14:2,FSab", "1.M2.host,S=12,W=14",
		    "FSab", 12, 14 },
		{ "1.h,W=14,S=12,U=7", "1.h,W=14,S=12,U=7", "", 12, 14 },
		{ "1.h,S=12x", "1.h,S=12x", "", -1, -1 },
		{ "1.h,S=99999999999999999999", "1.h,S=99999999999999999999",
		    "", -1, -1 },
		{ "1.h:1,x", "1.h:1,x", "", -1, -1 },
		{ "S=5", "S=5", "", -1, -1 },
	};
	struct buf a = { 0 }, b = { 0 };

	for (size_t i = 0; i < COUNT(name); i++) {
		struct span f = span_str(name[i].file);
		uint64_t v;

		is(filename_base(f), span_str(name[i].base), "the base");
		is(filename_flags(f), span_str(name[i].flags), "the flags");
		ok(filename_size(f, &v) ? (int64_t)v == name[i].s :
		    name[i].s < 0, "the size");
		ok(filename_wire(f, &v) ? (int64_t)v == name[i].w :
		    name[i].w < 0, "the size on the wire");
	}
	filename_new(1, &a);
	filename_new(1, &b);
	ok(!span_eq(buf_span(&a), buf_span(&b)), "no two are the same");
	ok(span_chr(buf_span(&a), '/') == a.n &&
	    span_chr(buf_span(&a), ':') == a.n &&
	    span_chr(buf_span(&a), ',') == a.n && a.p[0] != '.',
	    "and nothing in them means something else");
	buf_free(&a);
	buf_free(&b);
	return done();
}
