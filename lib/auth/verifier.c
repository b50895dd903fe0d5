/* SPDX-License-Identifier: ISC */
#include "auth/verifier.h"

#include "auth/account.h"
#include "base/civil.h"

bool
verifier_day(struct span text, int64_t *end)
{
	uint64_t y, m, d;

	if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' ||
	    !span_u64(span_head(text, 4), 9999, &y) || y < 1970 ||
	    !span_u64(span_head(span_skip(text, 5), 2), 12, &m) || m < 1 ||
	    !span_u64(span_skip(text, 8), 31, &d) || d < 1 ||
	    d > (uint64_t)civil_month((int64_t)y, (int)m))
		return false;
	if (end != NULL)
		*end = (civil_days((int64_t)y, (int)m, (int)d) + 1) * 86400;
	return true;
}

bool
verifier_scope(struct span text)
{
	if (text.n == 0)
		return true;
	while (text.p != NULL) {
		struct span s = span_cut(&text, ',');

		if (!span_eq(s, SPAN("imap")) &&
		    !span_eq(s, SPAN("submit")) && !span_eq(s, SPAN("sieve")))
			return false;
	}
	return true;
}

static bool
parse(struct span line, struct verifier *v)
{
	v->label = span_cut(&line, ':');
	v->scope = span_cut(&line, ':');
	v->expiry = span_cut(&line, ':');
	return (span_eq(v->label, SPAN("-")) || account_legal(v->label)) &&
	    verifier_scope(v->scope) &&
	    (v->expiry.n == 0 || verifier_day(v->expiry, NULL)) &&
	    scram_parse(&v->scram, line);
}

bool
verifier_next(struct span *text, struct verifier *v)
{
	while (text->p != NULL)
		if (parse(span_cut(text, '\n'), v))
			return true;
	return false;
}

void
verifier_print(const struct verifier *v, struct buf *to)
{
	buf_add(to, v->label);
	buf_addc(to, ':');
	buf_add(to, v->scope);
	buf_addc(to, ':');
	buf_add(to, v->expiry);
	buf_addc(to, ':');
	scram_print(&v->scram, to);
	buf_addc(to, '\n');
}

bool
verifier_expired(const struct verifier *v, int64_t now)
{
	int64_t end;

	return v->expiry.n != 0 &&
	    (!verifier_day(v->expiry, &end) || now >= end);
}

bool
verifier_counts(const struct verifier *v, struct span service, int64_t now)
{
	struct span scope = v->scope;

	if (verifier_expired(v, now))
		return false;
	if (scope.n == 0)
		return true;
	while (scope.p != NULL)
		if (span_eq(span_cut(&scope, ','), service))
			return true;
	return false;
}
