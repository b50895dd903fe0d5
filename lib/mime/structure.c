/* SPDX-License-Identifier: ISC */
#include "mime/structure.h"

#include "mime/quote.h"

static void
copy(struct span text, struct digest_str s, struct buf *to)
{
	buf_add(to, (struct span){ text.p + s.at, s.n });
}

static void
quoted(const struct structure *s, struct digest_str str, struct buf *to)
{
	quote_string(to, (struct span){ s->strings.p + str.at, str.n });
}

static void
number(struct buf *to, uint64_t v)
{
	buf_addc(to, ' ');
	/* RFC 3501 9: a number has 32 bits. */
	buf_addu(to, v > UINT32_MAX ? UINT32_MAX : v);
}

static void
begin(const struct structure *s, const struct part *p, struct buf *to)
{
	buf_addc(to, '(');
	if (p->d.kind == PART_MULTIPART)
		return;
	quoted(s, p->d.type, to);
	buf_addc(to, ' ');
	quoted(s, p->d.subtype, to);
	copy(s->text, p->params, to);
	copy(s->text, p->about, to);
	number(to, p->d.wire_end - p->d.wire_body);
	if (p->d.kind == PART_MESSAGE) {
		buf_addc(to, ' ');
		copy(s->text, s->part[p->d.child].envelope, to);
		buf_addc(to, ' ');
	}
}

static bool
is_text(const struct structure *s, const struct part *p)
{
	return span_eq((struct span){ s->strings.p + p->d.type.at,
	    p->d.type.n }, SPAN("text"));
}

static void
end(const struct structure *s, const struct part *p, bool extended,
    struct buf *to)
{
	if (p->d.kind == PART_MULTIPART) {
		buf_addc(to, ' ');
		quoted(s, p->d.subtype, to);
		if (extended)
			copy(s->text, p->params, to);
	} else {
		if (p->d.kind == PART_MESSAGE || is_text(s, p))
			number(to, p->d.lines);
		if (extended)
			copy(s->text, p->md5, to);
	}
	if (extended)
		copy(s->text, p->extension, to);
	buf_addc(to, ')');
}

void
structure_write(const struct structure *s, bool extended, struct buf *to)
{
	uint32_t i = 0;
	bool down = true;

	for (;;) {
		const struct part *p = &s->part[i];

		if (down) {
			begin(s, p, to);
			if (p->d.kind != PART_LEAF) {
				i = p->d.child;
				continue;
			}
		}
		end(s, p, extended, to);
		if (i == 0)
			return;
		down = p->d.next != 0;
		i = down ? p->d.next : p->d.parent;
	}
}
