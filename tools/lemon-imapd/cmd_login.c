/* SPDX-License-Identifier: ISC */
/* STARTTLS, LOGIN and AUTHENTICATE.  RFC 3501 6.2, RFC 4959. */

#include <poll.h>
#include <string.h>

#include "auth/password.h"
#include "auth/sasl.h"
#include "commands.h"
#include "login.h"
#include "net/tls_config.h"
#include "net/trace.h"
#include "net/ucspi_tls.h"
#include "text/base64.h"

enum { FAILURES_MAX = 3, DELAY_MS = 2000 };

/* --- STARTTLS --- */

/* Nothing that came in clear text may count after the handshake, and nothing
 * is said between the OK and the handshake. */
static enum result
say_ok(struct session *s)
{
	out_add(&s->out, s->tag);
	out_adds(&s->out, " OK Begin TLS now.\r\n");
	out_flush(&s->out);
	return ANSWERED;
}

static void
outside(struct session *s)
{
	const char *why = NULL;

	if (ucspi_tls_start(&s->in, &s->out, &why) == 0) {
		s->secure = true;
		return;
	}
	login_refused(s, SPAN(""), "tls", why);
	s->closing = true;
	s->bye = "tls";
}

static enum result
cmd_starttls(struct session *s, struct lex *l)
{
	struct tls *t = NULL;
	const char *why = NULL;

	if (!lex_end(l))
		return BAD;
	if (!login_tls_offered(s))
		return reply_bad(s, s->secure ? "TLS is on already." :
		    "There is no TLS here.");
	if (in_ready(&s->in)) {
		session_bye(s, "injection", "Nothing may follow STARTTLS.");
		return reply_bad(s, "Nothing may follow STARTTLS.");
	}
	if (s->peer.ucspi_tls) {
		say_ok(s);
		outside(s);
		return ANSWERED;
	}
	t = tls_configure(&s->control, &why);
	if (t == NULL) {
		login_refused(s, SPAN(""), "tls", why);
		return reply_no(s, "UNAVAILABLE", "TLS cannot be had now.");
	}
	say_ok(s);
	login_tls(s, t);
	return ANSWERED;
}

/* --- what both ways to log in come to --- */

/* Whoever guessed wrong of late waits before the next guess: after it he
 * would not wait for the answer. */
static void
hold_back(const struct session *s)
{
	int64_t ms = strangers_wait(&s->strangers, &s->control);

	if (ms > 0)
		poll(NULL, 0, (int)ms);
}

/* Wrong guesses get slower, and few. */
static enum result
failed(struct session *s, struct span user, const char *method,
    const char *why)
{
	uint64_t ms = control_num(&s->control, "auth-delay", DELAY_MS, 0,
	    60000);

	login_refused(s, user, method, why != NULL ? why : "credentials");
	strangers_failed(&s->strangers);
	ms <<= s->failures;
	if (ms > 0)
		poll(NULL, 0, (int)ms);
	if (++s->failures >= FAILURES_MAX)
		session_bye(s, "failures", "Too many failures.");
	return reply_no(s, "AUTHENTICATIONFAILED", "That is not right.");
}

static enum result
later(struct session *s, struct span user, const char *method)
{
	login_refused(s, user, method, "unavailable");
	return reply_no(s, "UNAVAILABLE", "Come back later.");
}

static enum result
succeeded(struct session *s, const char *method)
{
	if (!login_done(s, method)) {
		session_bye(s, "unavailable", "Your mail is not available.");
		return reply_no(s, "UNAVAILABLE",
		    "Your mail is not available.");
	}
	login_capability(s);
	return reply_ok(s, "Logged in.");
}

/* --- LOGIN --- */

static enum result
cmd_login(struct session *s, struct lex *l)
{
	s->secret = true;
	trace_redact(s->in.trace, 0);
	/* RFC 5530 3, RFC 3501 6.2.3.  Before anything is parsed, so that no
	 * literal is asked for. */
	if (!login_plain(s))
		return reply_no(s, "PRIVACYREQUIRED", "Not in clear text.");
	lex_space(l);
	struct span user = lex_astring(l);
	trace_redact(s->in.trace, 0);
	lex_space(l);
	struct span password = lex_astring(l);
	trace_redact(s->in.trace, 0);
	if (!lex_end(l))
		return BAD;

	hold_back(s);
	enum auth how = auth_password(&s->control, user, password, "imap",
	    &s->mail.account);

	switch (how) {
	case AUTH_OK:
		return succeeded(s, "LOGIN");
	case AUTH_BAD:
		return failed(s, user, "LOGIN", s->mail.account.refused);
	default:
		return later(s, user, "LOGIN");
	}
}

/* --- AUTHENTICATE --- */

/* The client's next line, decoded.  False after a mistake, in *how. */
static bool
response(struct session *s, const struct buf *challenge, struct buf *to,
    enum result *how)
{
	const char *why = NULL;
	struct buf line = { 0 };
	struct span said;

	base64_add(buf_span(challenge), &line);
	out_adds(&s->out, "+ ");
	out_add(&s->out, buf_span(&line));
	out_adds(&s->out, "\r\n");
	buf_free(&line);
	buf_wipe(to);
	enum reader_result got = reader_line(&s->reader, &said, &why);

	trace_redact(s->in.trace, 0);
	if (got != READER_OK) {
		*how = got == READER_END ? ANSWERED : reply_bad(s, why);
		return false;
	}
	if (span_eq(said, SPAN("*"))) {		/* RFC 3501 6.2.2 */
		*how = reply_bad(s, "Cancelled.");
		return false;
	}
	buf_room(to, said.n);
	if (!base64_strict(said, to)) {
		*how = reply_bad(s, "That is not base64.");
		return false;
	}
	return true;
}

static enum result
finish(struct session *s, enum sasl_step step, const char *mech,
    const struct sasl_server *sasl)
{
	struct span user;
	const char *why = sasl_server_tried(sasl, &user);

	switch (step) {
	case SASL_STEP_DONE:
		return succeeded(s, mech);
	case SASL_STEP_NOMECH:
		return reply_no(s, s->secure ? "CANNOT" : "PRIVACYREQUIRED",
		    "That mechanism is not offered.");
	case SASL_STEP_BAD:
		return failed(s, user, mech, why);
	default:
		return later(s, user, mech);
	}
}

static enum result
exchange(struct session *s, struct span mech, struct span initial)
{
	struct buf challenge = { 0 }, said = { 0 };
	struct sasl_server *sasl = NULL;
	enum result how = BAD;

	hold_back(s);
	enum sasl_step step = sasl_server_start(&sasl, &s->control, "imap",
	    "imap", s->secure, s->tls, mech, initial, &challenge,
	    &s->mail.account);

	while (step == SASL_STEP_MORE && response(s, &challenge, &said,
	    &how)) {
		buf_clear(&challenge);
		step = sasl_server_step(sasl, buf_span(&said), &challenge,
		    &s->mail.account);
	}
	buf_wipe(&said);
	buf_free(&challenge);
	buf_free(&said);
	if (step != SASL_STEP_MORE)
		how = finish(s, step, arena_cstr(&s->arena, mech), sasl);
	sasl_server_free(sasl);
	return how;
}

static enum result
cmd_authenticate(struct session *s, struct lex *l)
{
	struct span initial = { 0 };
	struct buf octets = { 0 };
	bool good = true;

	s->secret = true;
	trace_redact(s->in.trace, 0);
	lex_space(l);
	struct span mech = lex_atom(l);
	if (lex_try(l, ' ')) {			/* RFC 4959 3 */
		struct span coded = lex_atom(l);

		buf_room(&octets, coded.n);
		if (!span_eq(coded, SPAN("=")))
			good = base64_strict(coded, &octets);
		initial = octets.n > 0 ? arena_dup(&s->arena,
		    buf_span(&octets)) : SPAN("");
		buf_wipe(&octets);
		buf_free(&octets);
	}
	if (!lex_end(l))
		return BAD;
	if (!good)
		return reply_bad(s, "That is not base64.");
	return exchange(s, mech, initial);
}

const struct cmd cmds_login[] = {
	{ "STARTTLS", ANON, NULL, cmd_starttls },
	{ "LOGIN", ANON, NULL, cmd_login },
	{ "AUTHENTICATE", ANON, NULL, cmd_authenticate },
	{ 0 }
};
