/* SPDX-License-Identifier: ISC */
#include "mime/build.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "mime/date.h"
#include "mime/header.h"

static void
add_unique(struct buf *to)
{
	uint8_t chance[10];

	random_fill(chance, sizeof chance);
	buf_addu(to, (uint64_t)clock_now_us());
	buf_addc(to, '.');
	buf_addu(to, (uint64_t)getpid());
	buf_addc(to, '.');
	buf_addhex(to, chance, sizeof chance);
}

void
build_message_id(struct buf *to, struct span domain)
{
	buf_addc(to, '<');
	add_unique(to);
	buf_addc(to, '@');
	for (size_t i = 0; i < domain.n; i++)
		if (domain.p[i] > ' ' && domain.p[i] < 127 &&
		    domain.p[i] != '<' && domain.p[i] != '>')
			buf_addc(to, domain.p[i]);
	buf_addc(to, '>');
}

/* "=_" can be in neither base64 nor quoted-printable (RFC 2045 6.7). */
void
build_boundary(struct buf *to)
{
	uint8_t chance[14];

	random_fill(chance, sizeof chance);
	buf_adds(to, "=_");
	buf_addhex(to, chance, sizeof chance);
}

/* What came from outside, with nothing that ends a line or a comment. */
static void
add_tame(struct buf *to, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c >= 0 && c <= ' ') || c == 127 || c == '(' ||
		    c == ')' || c == '\\' || c == ';')
			c = '?';
		buf_addc(to, c);
	}
}

void
build_received(struct buf *to, const struct build_trace *t)
{
	buf_adds(to, "Received:");
	if (t->helo.n > 0 || t->ip.n > 0) {
		buf_adds(to, " from ");
		add_tame(to, t->helo.n > 0 ? t->helo : SPAN("unknown"));
		if (t->ip.n > 0) {
			buf_adds(to, " ([");
			/* RFC 5321 4.1.3 */
			if (span_chr(t->ip, ':') < t->ip.n)
				buf_adds(to, "IPv6:");
			add_tame(to, t->ip);
			buf_adds(to, "])");
		}
		buf_adds(to, "\r\n\t");
	} else {
		buf_addc(to, ' ');
	}
	buf_adds(to, "by ");
	add_tame(to, t->by);
	if (t->with != NULL) {
		buf_adds(to, " with ");
		buf_adds(to, t->with);
	}
	if (t->id.n > 0) {
		buf_adds(to, " id ");
		add_tame(to, t->id);
	}
	if (t->recipient.n > 0) {
		buf_adds(to, "\r\n\tfor <");
		add_tame(to, t->recipient);
		buf_addc(to, '>');
	}
	buf_adds(to, ";\r\n\t");
	date_add(to, t->now, t->zone);
	buf_adds(to, "\r\n");
}

/* An address is one word: a line break in it, which no parser lets through,
 * would be one more field. */
static void
add_address(struct buf *to, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addc(to, s.p[i] == '\r' || s.p[i] == '\n' ||
		    s.p[i] == '\0' ? '?' : s.p[i]);
}

void
build_return_path(struct buf *to, struct span address)
{
	buf_adds(to, "Return-Path: <");
	add_address(to, address);
	buf_adds(to, ">\r\n");
}

void
build_delivered_to(struct buf *to, struct span address)
{
	buf_adds(to, "Delivered-To: ");
	add_address(to, address);
	buf_adds(to, "\r\n");
}
