/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "mime/date.h"
#include "submit.h"

/* A word that no other message has. */
static void
unique(struct buf *to)
{
	unsigned char r[8];

	random_fill(r, sizeof r);
	buf_addu(to, (uint64_t)clock_now());
	buf_addc(to, '.');
	buf_addu(to, (uint64_t)getpid());
	buf_addc(to, '.');
	buf_addhex(to, r, sizeof r);
}

static void
add_date(struct buf *to)
{
	int64_t now = clock_now();

	date_add(to, now, date_local_zone(now));
	buf_adds(to, "\r\n");
}

/* RFC 5321 4.4, RFC 3848 2, RFC 6531 4.3.  All of it is ours but for the
 * client's name, which is of harmless characters (smtp/server.c). */
static void
add_received(const struct submit *s, struct buf *to)
{
	const char *ip = s->peer.ip;

	buf_adds(to, "Received: from ");
	buf_add(to, buf_span(&s->server.helo));
	if (ip != NULL) {
		buf_adds(to, span_chr(span_str(ip), ':') < span_str(ip).n ?
		    " ([IPv6:" : " ([");
		buf_adds(to, ip);
		buf_adds(to, "])");
	}
	buf_adds(to, "\r\n\tby ");
	buf_add(to, buf_span(&s->me));
	buf_adds(to, s->server.mail.utf8 ? " with UTF8SMTP" : " with ESMTP");
	buf_adds(to, s->server.secure ? "SA id " : "A id ");
	unique(to);
	if (s->tls != NULL) {
		buf_adds(to, "\r\n\t(");
		buf_adds(to, tls_version(s->tls));
		buf_addc(to, ' ');
		buf_adds(to, tls_cipher(s->tls));
		buf_addc(to, ')');
	}
	buf_adds(to, ";\r\n\t");
	add_date(to);
}

/* RFC 6409 8.2 and 8.3: what the user's program left out stands above what
 * it wrote. */
void
submit_top(const struct submit *s, struct buf *top)
{
	add_received(s, top);
	if (!s->letter.date) {
		buf_adds(top, "Date: ");
		add_date(top);
	}
	if (!s->letter.message_id) {
		buf_adds(top, "Message-ID: <");
		unique(top);
		buf_addc(top, '@');
		buf_add(top, buf_span(&s->me));
		buf_adds(top, ">\r\n");
	}
}
