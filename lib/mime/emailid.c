/* SPDX-License-Identifier: ISC */
#include "mime/emailid.h"

#include <string.h>

void
emailid_init(struct emailid *e, bool raw)
{
	SHA256_Init(&e->sha);
	e->raw = raw;
	e->eol = (struct crlf){ 0 };
	e->n = 0;
}

void
emailid_feed(struct emailid *e, struct span s)
{
	if (e->raw) {
		SHA256_Update(&e->sha, s.p, s.n);
		return;
	}
	/* Gathered: hashing short pieces one by one costs more. */
	do {
		e->n += crlf_give(&e->eol, &s, e->line + e->n,
		    sizeof e->line - e->n);
		if (e->n == sizeof e->line) {
			SHA256_Update(&e->sha, e->line, e->n);
			e->n = 0;
		}
	} while (s.n > 0 || e->eol.owe);
}

void
emailid_end(struct emailid *e, uint8_t id[16])
{
	uint8_t all[SHA256_DIGEST_LENGTH];

	SHA256_Update(&e->sha, e->line, e->n);
	SHA256_Final(all, &e->sha);
	memcpy(id, all, 16);
}
