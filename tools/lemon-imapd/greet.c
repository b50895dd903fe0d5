/* SPDX-License-Identifier: ISC */
#include "greet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/login_env.h"
#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "login.h"
#include "net/tls_config.h"

int
greet_usage(const char *usage)
{
	printf("%s\n", usage);
	return EXIT_OK;
}

/* "* BYE" and exit 75: the administrator has to look. */
static bool
refuse(struct session *s, const char *why)
{
	log_warn("refused: %s", why);
	session_bye(s, "refused", "This server is not set up for that.");
	s->exit = EXIT_TEMP;
	return false;
}

static bool
implicit_tls(struct session *s)
{
	const char *why = NULL;
	struct tls *t = tls_configure(&s->control, &why);

	s->in.deadline = s->out.deadline = clock_ms() + s->login_ms;
	if (t != NULL)
		return login_tls(s, t);
	/* In clear text there is nobody to say BYE to. */
	log_warn("tls: %s", why);
	s->closing = true;
	s->bye = "tls";
	s->exit = EXIT_TEMP;
	return false;
}

/* One of our accounts by its name. */
static bool
from_account(struct session *s, const char *who)
{
	struct buf why = { 0 };
	int r = account_find(&s->control, span_str(who), &s->mail.account);

	if (r == 1)
		return true;
	if (r < 0 || account_nowhere(&s->control)) {
		account_trouble(&s->control, &why);
	} else {
		buf_adds(&why, "there is no such user");
		if (account_meant_maildir(who))
			buf_addf(&why, " (a Maildir has a slash: ./%s)", who);
	}
	refuse(s, buf_cstr(&why));
	buf_free(&why);
	return false;
}

/* The argument: a Maildir has a slash. */
static bool
from_argument(struct session *s, const char *who)
{
	if (strchr(who, '/') == NULL)
		return from_account(s, who);
	if (account_ourselves(who, &s->mail.account) != 0)
		return refuse(s, "the owner of the Maildir cannot be told");
	s->mail.path = s->control.guest = true;
	return true;
}

static bool
enter(struct session *s, const char *tag, const char *method)
{
	if (!login_done(s, method)) {
		s->exit = EXIT_TEMP;
		session_bye(s, "unavailable", "Your mail is not available.");
		return false;
	}
	login_capability(s);
	if (tag == NULL)
		out_adds(&s->out, "* PREAUTH [");
	else {
		out_adds(&s->out, tag);
		out_adds(&s->out, " OK [");
	}
	out_add(&s->out, buf_span(&s->code));
	out_adds(&s->out, "] Logged in.\r\n");
	return true;
}

static bool
chained(struct session *s, const struct greeting *g, const char *tag)
{
	s->control.guest = true;
	if (g->who != NULL && strchr(g->who, '/') == NULL)
		return refuse(s, "a login chain and a user's name");
	if (g->who != NULL) {
		buf_clear(&s->mail.account.maildir);
		if (*g->who != '/' && s->mail.account.home.n > 0) {
			buf_add(&s->mail.account.maildir,
			    buf_span(&s->mail.account.home));
			buf_addc(&s->mail.account.maildir, '/');
		}
		buf_adds(&s->mail.account.maildir, g->who);
	}
	return enter(s, tag, "chain");
}

static bool
ordinary(struct session *s)
{
	login_capability(s);
	out_adds(&s->out, "* OK [");
	out_add(&s->out, buf_span(&s->code));
	out_adds(&s->out, "] lemon is ready.\r\n");
	return true;
}

bool
greet(struct session *s, const struct greeting *g)
{
	const char *tag = NULL, *why = NULL;

	if (g->who == NULL && !strangers_enter(&s->strangers, &s->control,
	    s->peer.ip)) {
		/* Before TLS, too: a client that was not let in needs none. */
		session_bye(s, "crowd", "Too many connections.");
		if (g->tls)
			s->out.n = 0;
		return false;
	}
	s->secure = g->secure || s->peer.secure || !s->peer.network ||
	    s->peer.unix_socket;
	if (g->tls && !implicit_tls(s))
		return false;
	switch (login_env_find(&s->control, &s->mail.account, &tag, &why)) {
	case LOGIN_CHAIN:
		return chained(s, g, tag);
	case LOGIN_REFUSED:
		return refuse(s, why);
	case LOGIN_NONE:
		break;
	}
	if (g->who == NULL)
		return ordinary(s);
	/* Whoever can connect would be let in. */
	if (s->peer.network)
		return refuse(s, "a Maildir on a network socket, and no login");
	return from_argument(s, g->who) && enter(s, NULL, "local");
}
