/* SPDX-License-Identifier: ISC */
#include "submit.h"

/* Whether the sender wants to hear of a failure (RFC 3461 4.1). */
static bool
due(const struct smtp_rcpt *c)
{
	return c->notify == 0 || c->notify & SMTP_FAILURE;
}

bool
submit_notices(struct submit *s, struct span top,
    const struct smtp_reply *r, const bool *relayed, struct smtp_reply *why)
{
	(void)top;
	(void)relayed;
	for (size_t i = 0; i < s->server.rcpts; i++)
		if (smtp_reply_class(&r[i]) != 2 && due(&s->server.rcpt[i])) {
			smtp_reply_std(why, SMTP_LATER);
			return false;
		}
	return true;
}
