/* SPDX-License-Identifier: ISC */
#include "smtp/server.h"

#include <string.h>

#include "net/trace.h"
#include "smtp/verbs.h"
#include "text/base64.h"

enum { TRIES_MAX = 3 };

/* "334 " and the challenge, then the client's line, decoded.  False if
 * there is none, which was answered. */
static bool
converse(struct smtp_server *s, struct buf *challenge, struct buf *response)
{
	struct buf coded = { 0 };
	enum line l;
	bool good = false;

	base64_add(buf_span(challenge), &coded);
	out_adds(s->out, "334 ");
	out_add(s->out, buf_span(&coded));
	out_adds(s->out, "\r\n");
	buf_clear(&coded);
	buf_clear(challenge);
	smtp_patience(s);
	buf_room(&coded, SMTP_AUTH_LINE_MAX + 2);
	l = in_line(s->in, &coded, SMTP_AUTH_LINE_MAX);
	trace_redact(s->in->trace, 0);
	buf_wipe(response);
	buf_room(response, coded.n);
	if (l == LINE_END)
		smtp_lost(s);
	else if (l == LINE_LONG)	/* RFC 4954 4 */
		smtp_say_text(s, 500, "5.5.6", "Line too long");
	else if (span_eq(buf_span(&coded), SPAN("*")))
		smtp_say_text(s, 501, "5.7.0", "Authentication cancelled");
	else if (l == LINE_BARE || !base64_strict(buf_span(&coded), response))
		smtp_say_text(s, 501, "5.5.2", "Bad base64");
	else
		good = true;
	buf_wipe(&coded);
	buf_free(&coded);
	return good;
}

static void
verdict(struct smtp_server *s, enum sasl_step step)
{
	switch (step) {
	case SASL_STEP_DONE:
		/* RFC 4954 4: nothing is forgotten without a security
		 * layer, but the capabilities have changed. */
		s->authed = true;
		s->junk = 0;
		smtp_say_text(s, 235, "2.7.0", "Welcome");
		return;
	case SASL_STEP_NOMECH:
		if (!s->secure && s->features & SMTP_STARTTLS)
			smtp_say_text(s, 538, "5.7.11", "Not without TLS");
		else
			smtp_say_text(s, 504, "5.5.4", "Mechanism not offered");
		s->junk++;
		return;
	case SASL_STEP_TEMP:
		smtp_say_text(s, 454, "4.7.0", "Cannot check that now");
		break;
	case SASL_STEP_BAD:
	case SASL_STEP_MORE:
		smtp_say_text(s, 535, "5.7.8", "Authentication failed");
		break;
	}
	if (++s->auth_failed >= TRIES_MAX && !s->over) {
		smtp_say_text(s, 421, "4.7.0", "Too many failures, good bye");
		smtp_leave(s, SMTP_BYE_AUTH);
	}
}

static void
exchange(struct smtp_server *s, struct span mech, struct span initial)
{
	struct buf challenge = { 0 }, response = { 0 };
	enum sasl_step step = s->host->auth_start(s->ctx, mech, initial,
	    &challenge);
	bool talking = true;

	while (talking && step == SASL_STEP_MORE) {
		talking = converse(s, &challenge, &response);
		if (talking)
			step = s->host->auth_step(s->ctx,
			    buf_span(&response), &challenge);
	}
	/* The server's last word needs an empty answer (RFC 4954 4). */
	if (talking && step == SASL_STEP_DONE && challenge.n > 0) {
		talking = converse(s, &challenge, &response);
		if (talking && response.n > 0)
			step = SASL_STEP_BAD;
	}
	if (talking)
		verdict(s, step);
	else
		s->junk++;
	if (s->host->auth_end != NULL)
		s->host->auth_end(s->ctx);
	buf_wipe(&response);
	in_wipe(s->in);
	buf_free(&challenge);
	buf_free(&response);
}

void
smtp_verb_auth(struct smtp_server *s, struct span args)
{
	struct span mech = span_cut(&args, ' ');
	struct buf initial = { 0 };
	struct span first = { NULL, 0 };

	trace_redact(s->in->trace, 5 + mech.n);
	/* RFC 4954 4: not twice, and not in a transaction. */
	if (s->authed || s->in_mail || s->host->auth_start == NULL) {
		smtp_say(s, s->authed ? SMTP_AUTH_DONE : s->in_mail ?
		    SMTP_IN_MAIL : SMTP_AUTH_NONE);
		return;
	}
	if (mech.n == 0) {
		smtp_say(s, SMTP_BAD_SYNTAX);
		return;
	}
	buf_room(&initial, args.n);
	if (args.p != NULL && !span_eq(args, SPAN("=")) &&
	    (args.n == 0 || !base64_strict(args, &initial))) {
		smtp_say_text(s, 501, "5.5.2", "Bad base64");
		s->junk++;
	} else {
		/* "=" is an empty response, which is not none. */
		if (args.p != NULL)
			first = initial.n > 0 ? buf_span(&initial) : SPAN("");
		exchange(s, mech, first);
	}
	buf_wipe(&initial);
	buf_free(&initial);
	buf_wipe(&s->line);
}
