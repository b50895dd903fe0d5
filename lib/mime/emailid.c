/* SPDX-License-Identifier: ISC */
#include "mime/emailid.h"

#include <string.h>

void
emailid_init(struct emailid *e, bool raw)
{
	SHA256_Init(&e->sha);
	e->raw = raw;
	e->cr = false;
	e->n = 0;
}

static void
flush(struct emailid *e)
{
	SHA256_Update(&e->sha, e->line, e->n);
	e->n = 0;
}

/* Short lines are gathered: hashing them one by one costs more. */
static void
add(struct emailid *e, struct span s)
{
	if (s.n == 0)
		return;
	if (s.n > sizeof e->line - e->n)
		flush(e);
	if (s.n > sizeof e->line) {
		SHA256_Update(&e->sha, s.p, s.n);
		return;
	}
	memcpy(e->line + e->n, s.p, s.n);
	e->n += s.n;
}

void
emailid_feed(struct emailid *e, struct span s)
{
	while (!e->raw && s.n > 0) {
		size_t n = span_chr(s, '\n');

		if (n == s.n)
			break;
		bool cr = n > 0 ? s.p[n - 1] == '\r' : e->cr;

		add(e, span_head(s, n));
		add(e, cr ? SPAN("\n") : SPAN("\r\n"));
		e->cr = false;
		s = span_skip(s, n + 1);
	}
	if (s.n > 0)
		e->cr = s.p[s.n - 1] == '\r';
	add(e, s);
}

void
emailid_end(struct emailid *e, uint8_t id[16])
{
	uint8_t all[SHA256_DIGEST_LENGTH];

	flush(e);
	SHA256_Final(all, &e->sha);
	memcpy(id, all, 16);
}
