/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "forward.h"
#include "mime/build.h"
#include "mime/date.h"
#include "mime/domain.h"
#include "mime/header.h"
#include "text/encode.h"
#include "text/flowed.h"
#include "text/qp.h"
#include "text/utf8.h"

enum { BOUNDARY_OCTETS = 18 };	/* 64 bits of chance */

struct draft {
	struct forward *f;
	struct buf text;	/* of the next piece */
	struct buf boundary;
	size_t cap;
};

/* --- pieces --- */

static struct piece *
new_piece(struct draft *d)
{
	struct forward *f = d->f;

	f->piece = arena_grow(&f->arena, f->piece, &d->cap, f->pieces + 1,
	    sizeof *f->piece);
	f->piece[f->pieces] = (struct piece){ .from = 0 };
	return &f->piece[f->pieces++];
}

static void
end_text(struct draft *d)
{
	new_piece(d)->text = arena_dup(&d->f->arena, buf_span(&d->text));
	buf_clear(&d->text);
}

static void
add_part(struct draft *d, struct section part, enum section_kind kind)
{
	end_text(d);
	part.kind = kind;
	new_piece(d)->part = part;
}

static void
delimit(struct draft *d, const char *end)
{
	buf_adds(&d->text, "\r\n--");
	buf_add(&d->text, buf_span(&d->boundary));
	buf_adds(&d->text, end);
}

/* --- the header --- */

static void
add_field(struct draft *d, const char *name, struct buf *value)
{
	header_add(&d->text, span_str(name), buf_span(value));
	buf_clear(value);
}

/* As it is, but for what no header may hold. */
static void
add_tame(struct buf *to, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addc(to, s.p[i] < ' ' || s.p[i] == 127 ? ' ' : s.p[i]);
}

static void
add_subject(struct draft *d, struct span original, struct buf *value)
{
	struct span s = d->f->subject;
	struct buf unfolded = { 0 };

	if (s.p == NULL) {
		header_unfold(original, &unfolded);
		s = buf_span(&unfolded);
		if (!span_istarts(s, SPAN("Fwd:")))
			buf_adds(value, "Fwd: ");
	}
	/* Encoded words stay what they are; other text becomes some. */
	if (d->f->subject.p == NULL && utf8_ascii(s) == s.n)
		add_tame(value, s);
	else
		encode_text(s, value);
	add_field(d, "Subject", value);
	buf_free(&unfolded);
}

static void
add_header(struct draft *d, struct span original)
{
	const struct forward *f = d->f;
	struct buf value = { 0 };
	int64_t now = clock_now();

	buf_add(&value, f->from);
	add_field(d, "From", &value);
	for (size_t i = 0; i < f->rcpts; i++) {
		buf_adds(&value, i > 0 ? ", " : "");
		buf_add(&value, f->rcpt[i].to.address);
	}
	add_field(d, "To", &value);
	add_subject(d, original, &value);
	date_add(&value, now, date_local_zone(now));
	add_field(d, "Date", &value);
	build_message_id(&value, span_skip(f->from,
	    span_rchr(f->from, '@') + 1));
	add_field(d, "Message-ID", &value);
	buf_adds(&d->text, "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=\"");
	buf_add(&d->text, buf_span(&d->boundary));
	buf_adds(&d->text, "\"\r\n");
	buf_free(&value);
}

/* RFC 5550 7: format=flowed; delsp=yes (RFC 3676). */
static void
add_cover(struct draft *d)
{
	struct buf flowed = { 0 };
	struct qp_enc qp = { 0 };
	struct domain lines = { 0 };

	delimit(d, "\r\nContent-Type: text/plain; format=flowed; delsp=yes");
	flowed_add(buf_span(&d->f->cover), &flowed);
	domain_feed(&lines, buf_span(&flowed));
	if (lines.high == 0 && !lines.binary) {
		buf_adds(&d->text, "\r\n\r\n");
		buf_add(&d->text, buf_span(&flowed));
	} else {
		buf_adds(&d->text, "; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		qp_encode(&qp, buf_span(&flowed), &d->text);
		qp_encode_end(&qp, &d->text);
	}
	buf_free(&flowed);
}

void
compose(struct forward *f, struct span original)
{
	struct draft d = { .f = f };
	static const struct section whole = { .kind = SECTION_ALL };

	build_boundary(&d.boundary);
	/* Each octet of it goes over the line four times. */
	d.boundary.n = BOUNDARY_OCTETS;
	add_header(&d, original);
	if (f->cover.n > 0)
		add_cover(&d);
	for (size_t i = 0; i < f->parts; i++) {
		delimit(&d, "\r\n");
		add_part(&d, f->part[i], SECTION_MIME);
		new_piece(&d)->part = f->part[i];
	}
	if (f->parts == 0) {
		delimit(&d, "\r\nContent-Type: message/rfc822\r\n"
		    "Content-Transfer-Encoding: 8bit\r\n\r\n");
		add_part(&d, whole, SECTION_ALL);
	}
	delimit(&d, "--\r\n");
	end_text(&d);
	buf_free(&d.text);
	buf_free(&d.boundary);
}
