/* SPDX-License-Identifier: ISC */
#include "mime/places.h"

/* Where the current place ends. */
static uint64_t
end_of(const struct places *p)
{
	const struct digest_part *part = &p->digest->part[p->part];

	if (p->kind == PLACE_HEADER)
		return part->wire_body;
	if (p->kind == PLACE_BODY)
		return part->wire_end;
	return p->part < p->digest->parts ? part->wire_header :
	    p->digest->wire_size;
}

/* Parts come in the order in which they begin, and only leaves have no
 * others inside. */
static void
next(struct places *p)
{
	bool leaf = p->digest->part[p->part].kind == PART_LEAF;

	if (p->kind != PLACE_BETWEEN)
		p->end(p->arg);
	if (p->kind == PLACE_BETWEEN) {
		p->kind = PLACE_HEADER;
	} else if (p->kind == PLACE_HEADER && leaf) {
		p->kind = PLACE_BODY;
	} else {
		p->kind = PLACE_BETWEEN;
		p->part++;
		return;
	}
	p->begin(p->arg);
}

static void
settle(struct places *p)
{
	while (p->part < p->digest->parts && p->at >= end_of(p))
		next(p);
}

void
places_begin(struct places *p)
{
	p->kind = PLACE_BETWEEN;
	p->part = 0;
	p->at = 0;
	settle(p);
}

void
places_feed(struct places *p, struct span s)
{
	while (s.n > 0) {
		uint64_t left = end_of(p) - p->at;
		struct span some = span_head(s, left < s.n ? (size_t)left :
		    s.n);

		if (some.n == 0)
			return;
		p->octets(p->arg, some);
		p->at += some.n;
		s = span_skip(s, some.n);
		settle(p);
	}
}
