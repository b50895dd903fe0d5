/* SPDX-License-Identifier: ISC */
#include "mime/param.h"

#include "cost.h"

static const struct {
	const char *in, *want;
} rows[] = {
	{ "text/plain", "text/plain" },
	{ "text/plain; charset=us-ascii", "text/plain|charset=us-ascii" },
	{ " text / plain ; charset = x ", "text/plain|charset=x" },
	{ "text/plain; charset=us-ascii (Plain text)",
	    "text/plain|charset=us-ascii" },
	{ "text/(a)plain(b);(c)x(d)=(e)y(f)", "text/plain|x=y(f)" },
	{ "a/b; n=\"x; y\"; m=z", "a/b|n=x; y|m=z" },
	{ "a/b; n=\"x\\\"y\\\\\"", "a/b|n=x\"y\\" },
	{ "a/b; n=\"x\r\n y\"", "a/b|n=x y" },
	{ "a/b; n=\"open; m=z", "a/b|n=open|m=z" },
	{ "a/b; n=foo bar.pdf; m=z", "a/b|n=foo bar.pdf|m=z" },
	{ "a/b; n=x y=z", "a/b|n=x y=z" },
	{ "a/b; n=\"x\" m=z", "a/b|n=x|m=z" },
	{ "a/b charset=x", "a/b|charset=x" },
	{ "a/b;;; n=x;", "a/b|n=x" },
	{ "a/b; flag; n=x", "a/b|n=x" },
	{ "a/b; =x; n=y", "a/b|n=y" },
	{ "a/b; n=", "a/b|n=" },
	{ "a/b; n=\"\"", "a/b|n=" },
	{ "a/b; n*0*=utf-8''x%20; n*1=\"y\"", "a/b|n*0*=utf-8''x%20|n*1=y" },
	{ "en, fr", "en,fr" },
	{ "attachment; filename=a(1).txt", "attachment|filename=a(1).txt" },
	{ "", "" }, { ";", "" }, { "; n=x", "|n=x" },
};

static void
show(struct span in, struct buf *to)
{
	struct param_list l = { .rest = in };
	struct span name, value;

	param_head(&l, &value);
	buf_add(to, value);
	while (param_next(&l, &name, &value)) {
		buf_addc(to, '|');
		buf_add(to, name);
		buf_addc(to, '=');
		buf_add(to, value);
	}
	param_list_free(&l);
}

int
main(void)
{
	static const char *const units[] = { "(", "\"", "a=\"", "a=b;", "=",
		";", "a", "a=(", "(a)", "a=b c" };
	struct buf got = { 0 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&got);
		show(span_str(rows[i].in), &got);
		is(buf_span(&got), span_str(rows[i].want), rows[i].in);
	}
	buf_clear(&got);
	ok(param_find(SPAN("a/b; X=1; x=2"), SPAN("x"), &got) &&
	    span_eq(buf_span(&got), SPAN("1")), "the first of a name counts");
	buf_free(&got);
	for (size_t i = 0; i < COUNT(units); i++)
		t_cost(show, "a/b;", units[i]);
	return done();
}
