/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "base/clock.h"
#include "mime/build.h"
#include "mime/date.h"
#include "submit.h"

/* RFC 3848 2, RFC 6531 4.3: who gets here is authenticated. */
static const char *
protocol(const struct submit *s)
{
	if (s->server.mail.utf8)
		return s->server.secure ? "UTF8SMTPSA" : "UTF8SMTPA";
	return s->server.secure ? "ESMTPSA" : "ESMTPA";
}

/* RFC 6409 8.2 and 8.3: what the user's program left out stands above what
 * it wrote. */
void
submit_top(const struct submit *s, struct buf *top)
{
	int64_t now = clock_now();
	struct buf id = { 0 };
	struct build_trace t = { .helo = buf_span(&s->server.helo),
		.ip = span_str(s->peer.ip), .by = buf_span(&s->me),
		.with = protocol(s), .now = now,
		.zone = date_local_zone(now) };

	buf_addu(&id, (uint64_t)clock_now_us());
	buf_addc(&id, '.');
	buf_addu(&id, (uint64_t)getpid());
	t.id = buf_span(&id);
	build_received(top, &t);
	buf_free(&id);
	if (!s->letter.date) {
		buf_adds(top, "Date: ");
		date_add(top, t.now, t.zone);
		buf_adds(top, "\r\n");
	}
	if (!s->letter.ids) {
		buf_adds(top, "Message-ID: ");
		build_message_id(top, buf_span(&s->me));
		buf_adds(top, "\r\n");
	}
}
