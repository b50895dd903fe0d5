/* SPDX-License-Identifier: ISC */
#include "mime/domain.h"

static void
lines(struct domain *d, struct span s)
{
	while (s.n > 0) {
		size_t lf = span_chr(s, '\n');

		d->line += lf;
		/* The CR before the LF may be counted, it does not count. */
		if (d->line > DOMAIN_LINE + 1)
			d->lengthy = true;
		if (lf < s.n)
			d->line = 0;
		s = span_skip(s, lf + 1);
	}
}

/* Every octet goes through here: no branch in the loop. */
void
domain_feed(struct domain *d, struct span s)
{
	bool cr = d->cr, wrong = false;
	size_t high = 0;

	for (size_t i = 0; i < s.n; i++) {
		wrong |= cr != (s.p[i] == '\n');
		wrong |= s.p[i] == '\0';
		high += (unsigned char)s.p[i] >> 7;
		cr = s.p[i] == '\r';
	}
	d->octets += s.n;
	d->high += high;
	d->binary |= wrong;
	d->cr = cr;
	if (!d->lengthy)
		lines(d, s);
}

void
domain_end(struct domain *d)
{
	d->binary |= d->cr;
	d->lengthy |= d->line > DOMAIN_LINE;
	d->cr = false;
}
