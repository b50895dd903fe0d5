/* SPDX-License-Identifier: ISC */
#include "text/qp.h"

enum qp_state {
	PLAIN,
	BLANKS,			/* held: white space */
	SAW_CR,			/* held: white space, then a CR */
	SAW_EQUALS,		/* held: "=" */
	SAW_HEX,		/* held: "=" and a digit */
	SOFT_BLANKS,		/* held: "=" and white space */
	SOFT_CR			/* held: "=", white space, CR */
};

enum { LINE = 76 };

static void
keep(struct qp_dec *d, struct buf *to)
{
	buf_add(to, buf_span(&d->held));
	buf_clear(&d->held);
	d->state = PLAIN;
}

/* What is held is no escape: keep it. */
static void
spoil(struct qp_dec *d, struct buf *to)
{
	d->bad = true;
	keep(d, to);
}

static void
hold(struct qp_dec *d, char c, enum qp_state next, struct buf *to)
{
	buf_addc(&d->held, c);
	d->state = (uint8_t)next;
	if (d->held.n > QP_HELD)
		spoil(d, to);
}

/* The line end begun by a CR has come: RFC 2045 6.7 (3), white space before
 * it was added on the way. */
static void
line_end(struct qp_dec *d, bool cr, bool soft, struct buf *to)
{
	buf_clear(&d->held);
	d->state = PLAIN;
	if (soft)
		return;
	if (cr)
		buf_addc(to, '\r');
	buf_addc(to, '\n');
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
escape(struct qp_dec *d, char c, struct buf *to)
{
	int high = ascii_hex(d->held.p[1]), low = ascii_hex(c);

	buf_clear(&d->held);
	d->state = PLAIN;
	buf_addc(to, (char)(high << 4 | low));
}

/* One octet where something is held.  False: nothing is held any more, look
 * at it as at any other. */
static bool
step(struct qp_dec *d, char c, struct buf *to)
{
	switch ((enum qp_state)d->state) {
	case PLAIN:
		return false;
	case BLANKS:
		if (blank(c) || c == '\r')
			hold(d, c, c == '\r' ? SAW_CR : BLANKS, to);
		else if (c == '\n')
			line_end(d, false, false, to);
		else
			break;
		return true;
	case SAW_CR:
		if (c != '\n')
			break;
		line_end(d, true, false, to);
		return true;
	case SAW_EQUALS:
		if (ascii_hex(c) >= 0) {
			hold(d, c, SAW_HEX, to);
			return true;
		}
		/* FALLTHROUGH */
	case SOFT_BLANKS:
		if (blank(c))
			hold(d, c, SOFT_BLANKS, to);
		else if (c == '\r')
			hold(d, c, SOFT_CR, to);
		else if (c == '\n')
			line_end(d, false, true, to);
		else {
			spoil(d, to);
			return false;
		}
		return true;
	case SAW_HEX:
		if (ascii_hex(c) < 0) {
			spoil(d, to);
			return false;
		}
		escape(d, c, to);
		return true;
	case SOFT_CR:
		if (c != '\n') {
			spoil(d, to);
			return false;
		}
		line_end(d, true, true, to);
		return true;
	}
	keep(d, to);
	return false;
}

/* How many octets from here on stand for themselves, whatever follows. */
static size_t
plain(struct span in)
{
	size_t i = 0;

	for (; i < in.n && in.p[i] != '=' && in.p[i] != '\r'; i++)
		if (blank(in.p[i]) && (i + 1 == in.n || blank(in.p[i + 1]) ||
		    in.p[i + 1] == '\r' || in.p[i + 1] == '\n'))
			break;
	return i;
}

void
qp_decode(struct qp_dec *d, struct span in, struct buf *to)
{
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (d->state != PLAIN && step(d, c, to))
			continue;
		size_t n = plain(span_skip(in, i));

		if (n > 0) {
			buf_add(to, span_head(span_skip(in, i), n));
			i += n - 1;
			continue;
		}
		if (c == '=')
			hold(d, c, SAW_EQUALS, to);
		else if (blank(c))
			hold(d, c, BLANKS, to);
		else if (c == '\r')
			hold(d, c, SAW_CR, to);
	}
}

void
qp_decode_end(struct qp_dec *d, struct buf *to)
{
	switch ((enum qp_state)d->state) {
	case PLAIN:
	case BLANKS:
	case SAW_EQUALS:
	case SOFT_BLANKS:
	case SOFT_CR:
		break;
	case SAW_CR:
		keep(d, to);
		break;
	case SAW_HEX:
		spoil(d, to);
		break;
	}
	buf_free(&d->held);
	d->state = PLAIN;
}

bool
qp_decode_clean(const struct qp_dec *d)
{
	return d->state == PLAIN;
}

/* Width octets that may not be parted come; end the line softly if they
 * would not leave room for its "=". */
static void
make_room(struct qp_enc *e, uint8_t width, struct buf *to)
{
	if (e->column + width > LINE - 1) {
		buf_add(to, SPAN("=\r\n"));
		e->column = 0;
	}
	e->column = (uint8_t)(e->column + width);
}

static void
encoded(struct qp_enc *e, char c, struct buf *to)
{
	make_room(e, 3, to);
	buf_addescape(to, '=', c);
}

/* No line that we end softly may make the next one a boundary's. */
static void
literal(struct qp_enc *e, char c, struct buf *to)
{
	if (c == '-' && e->column == LINE - 1) {
		encoded(e, c, to);
		return;
	}
	make_room(e, 1, to);
	buf_addc(to, c);
}

/* What was held is followed by next, or by the end. */
static void
release(struct qp_enc *e, bool line_ends, struct buf *to)
{
	char c = e->held;

	e->held = '\0';
	if (c == '\0')
		return;
	if (c == '\r' || line_ends)
		encoded(e, c, to);
	else
		literal(e, c, to);
}

void
qp_encode(struct qp_enc *e, struct span in, struct buf *to)
{
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (c == '\n' && e->held == '\r') {
			e->held = '\0';
			buf_add(to, SPAN("\r\n"));
			e->column = 0;
			continue;
		}
		release(e, c == '\r' && !e->binary, to);
		if (blank(c) || (c == '\r' && !e->binary))
			e->held = c;
		else if (c > ' ' && c <= '~' && c != '=')
			literal(e, c, to);
		else
			encoded(e, c, to);
	}
}

void
qp_encode_end(struct qp_enc *e, struct buf *to)
{
	release(e, true, to);
	e->column = 0;
}
